"""The monitoring report as tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from custvalue.app.monitor.words import Words
from custvalue.app.report_tables import Cell, Kind, ReportTable
from custvalue.churn import Interval
from custvalue.explain.portfolio import EVERYBODY
from custvalue.monitoring import MEASURES, expected_rate
from custvalue.pipeline.monitor_report import MonitorReport

_MOST_COLUMNS, _MOST_REASONS, _MOST_MOVES = 25, 12, 20
_FIGURES: dict[str, tuple[str, Kind]] = {
    "score_night": ("score.stability_night", "ratio"),
    "score_training": ("score.stability_training", "ratio"),
    "kept": ("lists.kept", "share"),
    "tiers_moved": ("tiers.moved", "share"),
}


def report_tables(report: MonitorReport, words: Words) -> list[ReportTable]:
    """Give the tables in the order of reading; those of which nothing is known are left out."""
    made = [_figures(report, words), _realised(report, words), _by_tier(report, words), _estimated(report, words), _drift(report, words)]
    return [table for table in (*made, _lists(report, words), _tiers(report, words), _reasons(report, words)) if table.rows]


def _figures(report: MonitorReport, words: Words) -> ReportTable:
    metrics = report.metrics
    rows: list[tuple[Cell, ...]] = []
    if report.now is not None:
        rows.append((Cell(words("customers")), Cell(float(report.now.rows), "count")))
        rows.append((Cell(words("expected_rate")), Cell(expected_rate(report.now), "share")))
        rows.append((Cell(words("columns")), Cell(float(len(report.now.columns)), "count")))
    if report.profile_before is not None:
        rows.append((Cell(words("expected_before")), Cell(expected_rate(report.profile_before), "share")))
    rows += [(Cell(words(name)), Cell(metrics[key], kind)) for name, (key, kind) in _FIGURES.items() if key in metrics]
    return ReportTable("figures", words("figures"), (words("figure"), words("value")), tuple(rows))


def _realised(report: MonitorReport, words: Words) -> ReportTable:
    rows = [
        (
            Cell(str(night.night)),
            Cell(night.model),
            Cell(words(name)),
            Cell(float(night.customers), "count"),
            Cell(float(night.leavers), "count"),
            Cell(night.foretold[name].value, "ratio"),
            *_interval(night.measures[name]),
        )
        for night in reversed(report.judged)
        for name in MEASURES
        if name in night.measures
    ]
    names = ("night", "model", "measure", "customers", "leavers", "foretold", "came", "low", "high")
    return ReportTable("realised", words("realised_title"), tuple(map(words, names)), tuple(rows), left=3)


def _by_tier(report: MonitorReport, words: Words) -> ReportTable:
    newest = report.judged[-1] if report.judged else None
    found: Mapping[str, Mapping[str, Interval]] = {} if newest is None else newest.by_tier
    ordered = sorted(found, key=lambda tier: (report.order.index(tier) if tier in report.order else len(report.order), tier))
    rows = tuple(
        (Cell(words.tier(tier)), *_interval(found[tier]["ratio"]), Cell(found[tier]["auc"].value, "ratio"))
        for tier in ordered
        if found[tier]
    )
    title = words("by_tier_title", night="" if newest is None else str(newest.night))
    return ReportTable("by_tier", title, tuple(map(words, ("tier", "ratio", "low", "high", "auc"))), rows)


def _estimated(report: MonitorReport, words: Words) -> ReportTable:
    rows = tuple((Cell(words(name)), *_interval(interval)) for name, interval in report.foretold.items() if name != "ratio")
    return ReportTable("estimated", words("estimated_title"), tuple(map(words, ("measure", "foretold", "low", "high"))), rows)


def _drift(report: MonitorReport, words: Words) -> ReportTable:
    columns = sorted((each for each in report.comparisons if each.column), key=lambda each: (-each.size, each.column))
    rows = tuple(
        (
            Cell(each.column),
            Cell(words.meaning(each.column)),
            Cell(words(f"against_{each.against}")),
            Cell(each.stability.psi, "ratio"),
            Cell(each.stability.noise, "ratio"),
            Cell(each.missing, "share"),
            Cell(each.missing_before, "share"),
            Cell(each.unseen, "share"),
        )
        for each in columns[:_MOST_COLUMNS]
    )
    names = ("column", "meaning", "against", "psi", "noise", "missing_now", "missing_before", "unseen_share")
    return ReportTable("drift", words("drift_title"), tuple(map(words, names)), rows, left=3, on_terminal=False)


def _lists(report: MonitorReport, words: Words) -> ReportTable:
    rows: tuple[tuple[Cell, ...], ...] = ()
    if len(report.turnover):
        counted = report.turnover.groupby(["change", "reason"])[["customers"]].sum().reset_index()
        counted = counted.sort_values("customers", ascending=False)
        rows = tuple(
            (
                Cell(words(row["change"])),
                Cell(words(f"why_{row['reason']}") if row["reason"] else ""),
                Cell(float(row["customers"]), "count"),
            )
            for row in counted.to_dict("records")
        )
    title = words("lists_title", day=str(report.before))
    return ReportTable("lists", title, tuple(map(words, ("change", "why", "customers"))), rows, left=2)


def _tiers(report: MonitorReport, words: Words) -> ReportTable:
    moves = report.migration
    changed = moves[moves.before.fillna("") != moves.after.fillna("")].head(_MOST_MOVES) if len(moves) else moves
    rows = tuple(
        (Cell(words.tier(row["before"])), Cell(words.tier(row["after"])), Cell(float(row["customers"]), "count"))
        for row in changed.to_dict("records")
    )
    title = words("tiers_title", day=str(report.before))
    return ReportTable("tiers", title, tuple(map(words, ("before", "after", "customers"))), rows, left=2, on_terminal=False)


def _reasons(report: MonitorReport, words: Words) -> ReportTable:
    compared = report.reasons_before is not None
    title = words("reasons_since", day=str(report.reasons_before)) if compared else words("reasons_title")
    headers = tuple(map(words, ("reason", "share", *(["points"] if compared else []))))
    found = report.reasons[report.reasons.dimension == EVERYBODY].head(_MOST_REASONS) if len(report.reasons) else pd.DataFrame()
    rows = []
    for row in found.to_dict("records"):
        cells = (Cell(words.reason(str(row["reason"]))), Cell(float(row["share"]), "share"))
        rows.append((*cells, Cell(100 * float(row["change"]), "points")) if compared else cells)
    return ReportTable("reasons", title, headers, tuple(rows), on_terminal=False)


def _interval(interval: Interval) -> tuple[Cell, ...]:
    return tuple(Cell(value, "ratio") for value in (interval.value, interval.low, interval.high))
