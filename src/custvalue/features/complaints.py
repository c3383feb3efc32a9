"""Complaints: how many, about what, how long ago, open now, repeated, escalated, justified, how they were handled."""

from __future__ import annotations

from typing import Literal

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import Feature, View, divided, number, only
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import DAY_SECONDS, days_since, seconds, within
from custvalue.features.names import refuse_shared_names, slug

_AT_ONCE_DAYS, _REPEAT_DAYS = 1, 30
_CATEGORIES_ZH = {"network": "网络", "billing": "计费"}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the complaints of the longest window and of every one still open.

    A category that announces a departure (``features.departing_categories``) is not counted by any of them: the ticket that asks for the
    end of a contract would tell the outcome, not foretell it.
    """
    table = countable(table, view)
    still_open = table.closed_at.isnull() if "closed_at" in table.columns else ibis.literal(False)
    rows = table.filter(within(table.opened_at, view, view.longest) | still_open)
    if "closed_at" in rows.columns:
        rows = rows.mutate(last_closed_at=rows.closed_at.max().over(group_by="customer_id"))
        rows = _with_repeats(rows, table) if "repeat_of" in rows.columns else rows
    features = [_age("days_since_complaint", "Days since the last complaint", "距上次投诉天数", rows, view)]
    features += [feature for window in view.windows for feature in _counts(rows, view, window)]
    if "category" in rows.columns:
        features += _categories(rows, view)
    if "escalated" in rows.columns:
        name, en, zh = "days_since_escalated_complaint", "Days since the last escalated complaint", "距上次升级投诉天数"
        features.append(_age(name, en, zh, rows, view, where=rows.escalated))
    if "closed_at" in rows.columns:
        features += _open(rows, view) + _handling(rows, view)
    return rows, features


def countable(table: ibis.Table, view: View) -> ibis.Table:
    """Leave out the complaints of categories that announce a departure; categories come out in lower case."""
    if "category" not in table.columns:
        return table
    rows = table.mutate(category=table.category.lower())
    departing = [name.lower() for name in view.departing_categories]
    return rows.filter(rows.category.isnull() | rows.category.notin(departing)) if departing else rows


def _with_repeats(rows: ibis.Table, table: ibis.Table) -> ibis.Table:
    """Add ``repeated_at``: when the customer first made the complaint again."""
    repeats = (
        table.filter(table.repeat_of.notnull()).group_by("customer_id", complaint_id="repeat_of").agg(repeated_at=table.opened_at.min())
    )
    return rows.left_join(repeats, ["customer_id", "complaint_id"], rname="{name}_again").drop("customer_id_again", "complaint_id_again")


def _counts(rows: ibis.Table, view: View, window: int) -> list[Feature]:
    inside = within(rows.opened_at, view, window)
    features = [
        _count(f"complaint_count_{window}m", f"Complaints in {window} month(s)", f"近{window}个月投诉次数", number(inside.sum())),
    ]
    if "repeat_of" in rows.columns:
        en, zh = f"Repeat complaints in {window} month(s)", f"近{window}个月重复投诉次数"
        features.append(_count(f"complaint_repeat_{window}m", en, zh, number((inside & rows.repeat_of.notnull()).sum())))
    if "escalated" in rows.columns:
        en, zh = f"Escalated complaints in {window} month(s)", f"近{window}个月升级投诉次数"
        features.append(_count(f"complaint_escalated_{window}m", en, zh, number((inside & rows.escalated).sum()).fill_null(0.0)))
    return features


def _categories(rows: ibis.Table, view: View) -> list[Feature]:
    """Count the last three months' complaints about each category that the config names."""
    refuse_shared_names("features.complaint_categories", view.complaint_categories)
    window = max(w for w in view.windows if w <= 3)
    inside = within(rows.opened_at, view, window)
    return [
        _count(
            f"complaint_about_{slug(name)}_{window}m",
            f"Complaints about {name} in {window} month(s)",
            f"近{window}个月{_CATEGORIES_ZH.get(name.lower(), name)}类投诉次数",
            number((inside & (rows.category == name.lower())).sum()).fill_null(0.0),
        )
        for name in view.complaint_categories
    ]


def _open(rows: ibis.Table, view: View) -> list[Feature]:
    still_open = rows.closed_at.isnull()
    features = [
        _count("complaint_open", "Complaints open now", "未闭环投诉数", number(still_open.sum())),
        _days(
            "complaint_open_days",
            "Age of the oldest open complaint",
            "最早未闭环投诉天数",
            days_since(only(rows.opened_at, still_open).min(), view.moment),
        ),
    ]
    if "repeat_of" in rows.columns:
        repeat = number((still_open & rows.repeat_of.notnull()).sum())
        features.append(_count("complaint_repeat_open", "Repeat complaints open now", "未闭环重复投诉数", repeat))
    return features


def _handling(rows: ibis.Table, view: View) -> list[Feature]:
    """How long closed complaints took, how many were settled at the first contact, and how long ago one was justified."""
    months = view.longest
    took = seconds(rows.closed_at) - seconds(rows.opened_at)
    features = [
        _days(
            f"complaint_close_days_mean_{months}m",
            f"Mean days to close, {months} months",
            f"近{months}个月平均处理天数",
            divided(took.sum(), took.count()) / DAY_SECONDS,
        ),
        _days(
            "complaint_close_days_last",
            "Days that the complaint closed last took",
            "最近办结投诉的处理天数",
            number(only(took, rows.closed_at == rows.last_closed_at).max()) / DAY_SECONDS,
        ),
    ]
    if "repeated_at" in rows.columns:
        again = rows.repeated_at.notnull() & (seconds(rows.repeated_at) - seconds(rows.opened_at) <= _REPEAT_DAYS * DAY_SECONDS)
        column = FeatureColumn(
            name=f"complaint_first_contact_share_{months}m",
            en=f"Share of complaints closed within a day and not made again within {_REPEAT_DAYS} days, {months} months",
            zh=f"近{months}个月投诉一次解决率",
            unit="share",
            null="no closed complaint in the longest window",
            reason="complaint",
        )
        features.append(Feature(column, divided(((took <= _AT_ONCE_DAYS * DAY_SECONDS) & ~again).sum(), took.count())))
    if "justified" in rows.columns:
        name, en, zh = "days_since_justified_complaint", "Days since the last justified complaint", "距上次有责投诉天数"
        features.append(_age(name, en, zh, rows, view, where=rows.justified))
    return features


def _count(name: str, en: str, zh: str, value: Value) -> Feature:
    return _feature(name, en, zh, "count", "no complaint in the longest window, none open", value, 1)


def _days(name: str, en: str, zh: str, value: Value) -> Feature:
    return _feature(name, en, zh, "days", "no such complaint in the longest window, none open", value)


def _age(name: str, en: str, zh: str, rows: ibis.Table, view: View, *, where: BooleanValue | None = None) -> Feature:
    """Days since the last complaint, of the longest window or still open, of which something is true."""
    return _days(name, en, zh, days_since(rows.opened_at.max() if where is None else only(rows.opened_at, where).max(), view.moment))


def _feature(name: str, en: str, zh: str, unit: str, null: str, value: Value, sign: Literal[-1, 0, 1] = 0) -> Feature:
    return Feature(FeatureColumn(name=name, en=en, zh=zh, unit=unit, null=null, sign=sign, reason="complaint"), value)
