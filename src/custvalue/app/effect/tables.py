"""The effect report as tables."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

from custvalue.app.effect.words import Words
from custvalue.app.report_tables import Cell, Kind, ReportTable, numbers
from custvalue.pipeline.effect import EffectReport
from custvalue.retention.effect import MEASURES, Estimate


def report_tables(report: EffectReport, words: Words) -> list[ReportTable]:
    """Give the tables in the order of reading; those of which nothing is known are left out."""
    made = [_compared(report, words), _money(report, words), _groups(report, words), _naive(report, words)]
    made += [_teams(by, found, words) for by, found in report.teams.items()]
    made += [_managers(by, found, words) for by, found in report.managers.items()]
    return [table for table in made if table.rows]


def _compared(report: EffectReport, words: Words) -> ReportTable:
    found = report.measured
    rows = [
        (Cell(words("left_listed")), Cell(found.left_listed, "share"), Cell(None), Cell(None)),
        (Cell(words("left_held_out")), Cell(found.left_held_out, "share"), Cell(None), Cell(None)),
        (Cell(words("difference")), *_points(found.left)),
        (Cell(words("kept")), *_cells(found.kept, "count")),
    ]
    if found.complier.known:
        rows.append((Cell(words("reached")), Cell(found.reached, "share"), Cell(None), Cell(None)))
        rows.append((Cell(words("complier")), *_points(found.complier)))
    return ReportTable("compared", words("compared"), _headers(words, "figure", "value", "low", "high"), tuple(rows))


def _money(report: EffectReport, words: Words) -> ReportTable:
    money = report.measured.money
    headers = _headers(words, "figure", "value", "low", "high")
    if money is None:
        return ReportTable("money", words("money"), headers, ())
    rows = (
        (Cell(words("revenue_each")), *_cells(report.measured.revenue, "money")),
        (Cell(words("revenue")), *_cells(money.revenue, "money")),
        (Cell(words("contacts")), Cell(money.contacts, "money"), Cell(None), Cell(None)),
        (Cell(words("offers")), Cell(money.offers, "money"), Cell(None), Cell(None)),
        (Cell(words("net", margin=Cell(money.margin, "share").shown)), *_cells(money.net, "money")),
    )
    return ReportTable("money", words("money"), headers, rows)


def _groups(report: EffectReport, words: Words) -> ReportTable:
    rows = tuple(
        (Cell(words(row["dimension"])), Cell(words.group(row["dimension"], row["group"])), *_effect(row, words))
        for row in report.measured.groups.to_dict("records")
    )
    names = ("by", "group", "listed", "held_out", "left_listed", "left_held_out", "points", "low", "high", "p_adjusted", "verdict")
    return ReportTable("groups", words("groups"), _headers(words, *names), rows, left=2)


def _effect(row: Mapping[Hashable, object], words: Words) -> tuple[Cell, ...]:
    counts = numbers("count", [_number(row[name]) for name in ("listed", "held_out")])
    rates = numbers("share", [_number(row[name]) for name in ("left_listed", "left_held_out")])
    ends = numbers("points", [100 * _number(row[name]) for name in ("effect", "low", "high")])
    return (*counts, *rates, *ends, Cell(_number(row["p_adjusted"]), "ratio"), Cell(words(str(row["verdict"]))))


def _naive(report: EffectReport, words: Words) -> ReportTable:
    naive, money = report.measured.naive, report.measured.money
    rows = [(Cell(words("naive_others")), *_points(naive.others))] if naive.others.known else []
    rows += [(Cell(words("held_out_points")), *_points(report.measured.left))] if rows else []
    if naive.before.known and money is not None:
        rows.append((Cell(words("naive_before")), *_cells(naive.before, "money")))
        rows.append((Cell(words("held_out_revenue")), *_cells(report.measured.revenue, "money")))
    return ReportTable("naive", words("naive"), _headers(words, "figure", "value", "low", "high"), tuple(rows))


def _teams(by: str, found: pd.DataFrame, words: Words) -> ReportTable:
    rows = tuple(
        (Cell(str(row["period"])), Cell(str(row["group"])), *_effect(row, words), *numbers("money", [row["cost"], row["cost_per_save"]]))
        for row in found.to_dict("records")
    )
    names = ("period", "team", "listed", "held_out", "left_listed", "left_held_out", "points", "low", "high", "p_adjusted", "verdict")
    headers = _headers(words, *names, "cost", "cost_per_save")
    return ReportTable(f"teams_{by}", words("teams", by=words(by)), headers, rows, left=2, on_terminal=by == "quarter")


def _managers(by: str, found: pd.DataFrame, words: Words) -> ReportTable:
    rows = tuple(
        (
            Cell(str(row["period"])),
            Cell(str(row["manager_id"])),
            Cell(float(row["orders"]), "count"),
            *numbers("share", [_number(row[name]) for name in (*MEASURES, "score")]),
        )
        for row in found.to_dict("records")
    )
    headers = _headers(words, "period", "manager", "orders", *MEASURES, "score")
    return ReportTable(f"managers_{by}", words("managers", by=words(by)), headers, rows, left=2, on_terminal=by == "month")


def _headers(words: Words, *names: str) -> tuple[str, ...]:
    return tuple(map(words, names))


def _cells(estimate: Estimate, kind: Kind) -> tuple[Cell, ...]:
    return numbers(kind, _ends(estimate))


def _points(estimate: Estimate) -> tuple[Cell, ...]:
    """Percentage points: a difference of shares is no share."""
    return numbers("points", [100 * value for value in _ends(estimate)])


def _ends(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
