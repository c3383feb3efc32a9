"""The tier report as tables: one a grouping, and how the behavioural segments were chosen."""

from __future__ import annotations

import pandas as pd

from custvalue.app.report_tables import Cell, Kind, ReportTable
from custvalue.app.tier_report.words import ReportWords
from custvalue.pipeline.tier_report import TierReport

COLUMNS: dict[str, Kind] = {
    "customers": "count",
    "share": "share",
    "revenue_month": "money",
    "revenue_year": "money",
    "revenue_share": "share",
    "arpu": "money",
    "profit_month": "money",
    "profit_year": "money",
    "margin": "share",
    "watched": "count",
    "left": "count",
    "churn": "share",
    "churn_low": "share",
    "churn_high": "share",
    "complaints": "count",
    "complaints_per_1000": "points",
    "asked": "count",
    "answers": "count",
    "answer_rate": "share",
    "satisfaction": "share",
    "very_satisfied_share": "share",
}
"""Measures in the order of the tables; those that the operator's tables do not give are left out."""

FEWER = (
    "customers", "share", "revenue_year", "revenue_share", "arpu", "profit_year", "margin", "churn", "complaints_per_1000", "answers",
    "answer_rate", "satisfaction",
)  # fmt: skip
"""Those that the page and the terminal show; the workbook holds all."""


def report_tables(report: TierReport, words: ReportWords, *, fewer: bool) -> list[ReportTable]:
    """Give a table for every grouping, in the order of reading; those by one column end with everybody.

    Parameters
    ----------
    report : TierReport
    words : ReportWords
    fewer : bool
        Only the measures that people read first.
    """
    made = [_table(report, by, words, fewer=fewer) for by in report.by]
    return [*made, _segments(report, words)] if report.segments.candidates else made


def grouping_name(by: tuple[str, ...]) -> str:
    """Name of a grouping in the wording: ``by_tier``, ``by_tier_region``."""
    return "_".join(("by", *by))


def _table(report: TierReport, by: tuple[str, ...], words: ReportWords, *, fewer: bool) -> ReportTable:
    frame = report.by[by]
    measures = [name for name in COLUMNS if name in frame.columns and (name in FEWER or not fewer)]
    rows = [
        (
            *(Cell(words.group(dimension, str(row[dimension]))) for dimension in by),
            *(Cell(_number(row[name]), COLUMNS[name]) for name in measures),
        )
        for row in frame.to_dict("records")
    ]
    if len(by) == 1:
        everybody = report.total.iloc[0]
        rows.append((Cell(words("all")), *(Cell(_number(everybody[name]), COLUMNS[name]) for name in measures)))
    headers = (*map(words, by), *map(words, measures))
    return ReportTable(grouping_name(by), words(grouping_name(by)), headers, tuple(rows), left=len(by), on_terminal=len(by) == 1)


def _segments(report: TierReport, words: ReportWords) -> ReportTable:
    measures: dict[str, Kind] = {"agreement": "ratio", "recovery": "ratio", "smallest": "share", "between": "ratio"}
    taken = len(report.segments.segments)
    rows = tuple(
        (
            Cell(float(found.segments), "count"),
            *(Cell(getattr(found, name), kind) for name, kind in measures.items()),
            Cell(words("taken") if found.segments == taken else words("stable") if found.stable else ""),
        )
        for found in report.segments.candidates
    )
    headers = (words("number"), *map(words, measures), words("taken"))
    return ReportTable("segments", words("segments"), headers, rows, left=0, on_terminal=False)


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
