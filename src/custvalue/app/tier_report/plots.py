"""Figures of the tier report: bars whose lengths are reckoned here and drawn by the page, so that its own fonts write every language."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from custvalue.app.tier_report.words import ReportWords
from custvalue.pipeline.tier_report import TierReport

WIDTH = 420.0
"""Length of the longest bar, in the figure's units."""

_COLOURS = ("#9aa5b1", "#1f5fa8", "#3f8f6b", "#c4501b", "#7a5aa6", "#c79a1b", "#5aa3c7", "#8c6d5a")
_LIGHT, _DARK = "#ffffff", "#1c1c1c"
_LEAST_LABELLED = 0.06


@dataclass(frozen=True)
class Bar:
    """One bar: where it begins and how long it is, its text, and the ends of its interval where there is one."""

    start: float
    length: float
    text: str
    colour: str
    ink: str = _DARK
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Plot:
    """A figure: bars by row, one below the other or, where ``stacked``, in a line."""

    name: str
    title: str
    rows: tuple[tuple[str, tuple[Bar, ...]], ...]
    legend: tuple[tuple[str, str], ...] = ()
    stacked: bool = False

    @property
    def lines(self) -> int:
        """Bars that a row holds one below the other."""
        return 1 if self.stacked else max((len(bars) for _, bars in self.rows), default=1)


def report_plots(report: TierReport, words: ReportWords) -> list[Plot]:
    """Give the figures that the report's tables allow."""
    by_tier = report.by[("tier",)]
    tiers = by_tier[by_tier["customers"] > 0]
    plots = [_value(tiers, words)]
    if "churn" in tiers.columns and tiers["churn"].notna().any():
        plots.append(_churn(tiers, words))
    if "satisfaction" in tiers.columns and tiers["satisfaction"].notna().any():
        plots.append(_satisfaction(tiers, words))
    if ("tier", "behaviour") in report.by:
        plots.append(_mix(report, list(tiers["tier"]), words))
    return plots


def _value(tiers: pd.DataFrame, words: ReportWords) -> Plot:
    shares = {"customers": tiers["share"], "revenue_year": tiers["revenue_share"]}
    if "profit_year" in tiers.columns and tiers["profit_year"].sum() > 0:
        shares["profit_year"] = tiers["profit_year"] / tiers["profit_year"].sum()
    table = pd.DataFrame(shares).set_index(tiers["tier"]).clip(lower=0)
    longest = float(table.max().max()) or 1.0
    rows = tuple(
        (words.group("tier", str(tier)), tuple(_bar(row[name], longest, _COLOURS[place]) for place, name in enumerate(table.columns)))
        for tier, row in table.iterrows()
    )
    legend = tuple((words(name), _COLOURS[place]) for place, name in enumerate(table.columns))
    return Plot("value", words("plot_value"), rows, legend)


def _churn(tiers: pd.DataFrame, words: ReportWords) -> Plot:
    longest = float(tiers["churn_high"].max()) or 1.0
    rows = []
    for row in tiers.to_dict("records"):
        if pd.isna(row["churn"]):
            bar = Bar(0.0, 0.0, words("hidden"), _COLOURS[0])
        else:
            ends = words("interval", low=_percent(row["churn_low"]), high=_percent(row["churn_high"]))
            interval = (WIDTH * row["churn_low"] / longest, WIDTH * row["churn_high"] / longest)
            bar = Bar(0.0, WIDTH * row["churn"] / longest, f"{_percent(row['churn'])} ({ends})", _COLOURS[3], interval=interval)
        rows.append((words.group("tier", str(row["tier"])), (bar,)))
    return Plot("churn", words("plot_churn"), tuple(rows))


def _satisfaction(tiers: pd.DataFrame, words: ReportWords) -> Plot:
    rows = []
    for row in tiers.to_dict("records"):
        counts = {} if pd.isna(row["asked"]) else {name: f"{row[name]:,.0f}" for name in ("answers", "asked")}
        told = f" · {words('of_answers', **counts)}" if counts else ""
        hidden = pd.isna(row["satisfaction"])
        value = 0.0 if hidden else float(row["satisfaction"])
        text = words("hidden") if hidden else _percent(value)
        rows.append((words.group("tier", str(row["tier"])), (Bar(0.0, WIDTH * value, text + told, _COLOURS[2]),)))
    return Plot("satisfaction", words("plot_satisfaction"), tuple(rows))


def _mix(report: TierReport, tiers: list[str], words: ReportWords) -> Plot:
    counts = report.by[("tier", "behaviour")].pivot_table(
        index="tier", columns="behaviour", values="customers", aggfunc="sum", fill_value=0
    )
    order = [code for code in report.by[("behaviour",)]["behaviour"] if code in counts.columns]
    shares = counts.reindex(index=tiers, columns=order, fill_value=0)
    shares = shares.div(shares.sum(axis=1), axis=0).fillna(0.0)
    colours = _COLOURS[1:] + _COLOURS[:1]
    rows = []
    for tier, row in shares.iterrows():
        ends = row.cumsum() - row
        bars = tuple(
            Bar(
                WIDTH * ends[code],
                WIDTH * row[code],
                _percent(row[code]) if row[code] >= _LEAST_LABELLED else "",
                colours[place % 8],
                _LIGHT,
            )
            for place, code in enumerate(order)
        )
        rows.append((words.group("tier", str(tier)), bars))
    legend = tuple((words.group("behaviour", str(code)), colours[place % 8]) for place, code in enumerate(order))
    return Plot("mix", words("plot_mix"), tuple(rows), legend, stacked=True)


def _bar(share: float, longest: float, colour: str) -> Bar:
    return Bar(0.0, 0.0, "–", colour) if pd.isna(share) else Bar(0.0, WIDTH * float(share) / longest, _percent(share), colour)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
