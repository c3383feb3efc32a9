"""Satisfaction: the last score, the mean, and who was never asked or did not answer, which is never by chance."""

from __future__ import annotations

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_since, with_everybody, within

_AFTER_COMPLAINT = "after_complaint"
_NO_ANSWER = "no answer in the longest window"


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the surveys sent in the longest window; a customer who was sent none has one row, so that this too is told."""
    sent = table.filter(within(table.asked_at, view, view.longest))
    answer = next((sent[name] for name in ("score", "answered_at") if name in sent.columns), None)
    sent = sent.mutate(answered=answer.notnull() if answer is not None else ibis.literal(False))
    sent = sent.mutate(told_at=sent.answered_at.fill_null(sent.asked_at) if "answered_at" in sent.columns else sent.asked_at)
    rows = with_everybody(_numbered(sent), view)
    features = _asking(rows, view) if answer is not None else []
    if "score" in rows.columns:
        features += _scores(rows, view)
    return rows, features


def _numbered(sent: ibis.Table) -> ibis.Table:
    """Add ``nth``, 0 for the newest answer, and ``nth_of_kind``; two answers may share a time, then the id decides."""
    order = [ibis.desc("answered"), ibis.desc("told_at"), ibis.desc("survey_id")]
    sent = sent.mutate(nth=ibis.row_number().over(group_by="customer_id", order_by=order))
    if "kind" not in sent.columns:
        return sent
    return sent.mutate(nth_of_kind=ibis.row_number().over(group_by=["customer_id", "kind"], order_by=order))


def _asking(rows: ibis.Table, view: View) -> list[Feature]:
    months = view.longest
    asked, answers = rows.survey_id.count(), (rows.answered & rows.survey_id.notnull()).sum()
    never = number(asked == 0)
    silent = number((asked > 0) & (answers.fill_null(0) == 0))
    share = divided(answers, asked)
    newest = days_since(rows.told_at.max(where=rows.answered), view.moment)
    return [
        _feature("survey_never_asked", f"Sent no survey in {months} months", f"近{months}个月未受邀满意度调查", "yes/no", never, "never"),
        _feature(
            "survey_no_answer",
            f"Sent surveys in {months} months, answered none",
            f"近{months}个月受邀调查未作答",
            "yes/no",
            silent,
            "never",
        ),
        _feature(
            f"survey_count_{months}m", f"Surveys sent in {months} months", f"近{months}个月受邀调查次数", "count", number(asked), "never"
        ),
        _feature(
            f"survey_answered_share_{months}m",
            f"Share of surveys answered, {months} months",
            f"近{months}个月调查作答率",
            "share",
            share,
            "sent no survey in the longest window",
        ),
        _feature("days_since_survey", "Days since the last survey answer", "距最近一次调查作答天数", "days", newest, _NO_ANSWER),
    ]


def _scores(rows: ibis.Table, view: View) -> list[Feature]:
    months, score = view.longest, rows.score
    mean = divided(score.sum(), score.count())
    features = [
        _feature(
            "survey_score_last", "Last satisfaction score", "最近满意度评分", "points", number(score.max(where=rows.nth == 0)), _NO_ANSWER
        ),
        _feature(
            f"survey_score_mean_{months}m",
            f"Mean satisfaction score, {months} months",
            f"近{months}个月平均满意度",
            "points",
            mean,
            _NO_ANSWER,
        ),
    ]
    if "kind" in rows.columns:
        last = score.max(where=(rows.nth_of_kind == 0) & (rows.kind == _AFTER_COMPLAINT))
        name, en, zh = "survey_score_complaint", "Last satisfaction score after a complaint", "最近投诉回访满意度评分"
        features.append(_feature(name, en, zh, "points", number(last), f"{_NO_ANSWER} to a survey after a complaint"))
    return features


def _feature(name: str, en: str, zh: str, unit: str, value: Value, null: str) -> Feature:
    return Feature(FeatureColumn(name=name, en=en, zh=zh, unit=unit, null=null, reason="satisfaction"), value)
