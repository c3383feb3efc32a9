"""How real the synthetic operator looks: published magnitudes and real panels beside simulated tables.

Run ``python benchmarks/simulator_realism.py [--data FOLDER] [--customers N] [--months M] [--seed S]``; it prints a Markdown table and lists
what does not match. The real panels are read through their ready configs, so they are the contract tables that a model would see.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from custvalue.config import Config, load_config, ready_configs
from custvalue.simulate import simulate
from custvalue.sources import SourceTables, open_tables

PROJECT = Path(__file__).resolve().parents[1]
PANELS = ("india-prepaid", "megaline", "interconnect")
"""Configs of real data sets; Interconnect's customers are fictional, its dates and prices are laid out as an operator's."""
SCENARIOS = ("postpaid", "prepaid")
NEAR_ZERO = 5.0
WILLING = ("voluntary", "port_out", "silence")


class Panel:
    """An operator's tables as data frames, read when they are asked for."""

    def __init__(self, tables: SourceTables, truth: Path | None = None) -> None:
        self._tables, self._truth = tables, truth

    def frame(self, name: str, *columns: str) -> pd.DataFrame:
        """Columns of a contract table; amounts as float64, months and days as timestamps.

        Raises
        ------
        LookupError
            The operator has no such table or column.
        """
        if name not in self._tables.rows:
            raise LookupError(name)
        table = self._tables.con.table(name, database="contract")
        if absent := [column for column in columns if column not in table.columns]:
            raise LookupError(absent[0])
        chosen = table.select(*columns)
        casts = {c: chosen[c].cast("float64") for c, kind in chosen.schema().items() if kind.is_decimal()}
        casts |= {c: chosen[c].cast("timestamp") for c, kind in chosen.schema().items() if kind.is_date()}
        found: pd.DataFrame = (chosen.mutate(**casts) if casts else chosen).to_pyarrow().to_pandas()
        return found

    @cached_property
    def bills(self) -> pd.DataFrame:
        """Revenue by customer and month."""
        return self.frame("billing", "customer_id", "month", "revenue").drop_duplicates(["customer_id", "month"], keep="last")

    @cached_property
    def levels(self) -> pd.Series:
        """Mean revenue a month of each customer."""
        return self.bills.groupby("customer_id").revenue.mean()

    @cached_property
    def leavers(self) -> pd.Series:
        """First day without service of those who left by their own will, or fell silent."""
        found = self.frame("departures", "customer_id", "left_on", "kind")
        return found[found.kind.isin(WILLING)].groupby("customer_id").left_on.max()

    @cached_property
    def truth(self) -> pd.DataFrame:
        """The simulator's hidden states."""
        if self._truth is None:
            raise LookupError("truth")
        return pd.read_parquet(self._truth / "states.parquet")


Measured = Callable[[Panel], float]


@dataclass(frozen=True)
class Measure:
    """One magnitude: what it is called, how it is taken, and the band published for each kind of operator (None = none known)."""

    name: str
    take: Measured
    bands: Mapping[str, tuple[float, float]]
    shown: str = "{:.2f}"


def of_level(function: Callable[[pd.Series], float]) -> Measured:
    """Measure customers' mean bills."""
    return lambda panel: float(function(panel.levels))


def top_decile_share(levels: pd.Series) -> float:
    """Share of revenue that the top tenth of customers bring."""
    return float(levels[levels >= levels.quantile(0.9)].sum() / levels.sum())


def log_spread(levels: pd.Series) -> float:
    """Standard deviation of log bills above the near-zero ones (near zero: a tenth of the median at most)."""
    return float(np.log(levels[levels > max(levels.median() / 10, 0.01)]).std())


def month_to_month(table: str, column: str) -> Measured:
    """Correlation between customers of one month's log(1 + amount) and the next one's, median over months."""

    def take(panel: Panel) -> float:
        rows = panel.frame(table, "customer_id", "month", column)
        wide = np.log1p(rows.pivot_table(index="customer_id", columns="month", values=column).clip(lower=0))
        pairs = [wide[[a, b]].dropna() for a, b in zip(wide.columns[:-1], wide.columns[1:], strict=True)]
        return float(np.median([pair.corr().iloc[0, 1] for pair in pairs if len(pair) > 30]))

    return take


def own_variation(panel: Panel) -> float:
    """Median over customers of (sd / mean) of their bills."""
    grouped = panel.bills.groupby("customer_id").revenue
    kept = (grouped.size() >= 3) & (grouped.mean() > 0)
    return float((grouped.std() / grouped.mean())[kept].median())


def share_zero(table: str, column: str) -> Measured:
    """Share of customer-months in which an amount is zero."""
    return lambda panel: float((panel.frame(table, column)[column] == 0).mean())


def median_of(table: str, column: str, scale: float = 1.0) -> Measured:
    """Median of an amount over customer-months."""
    return lambda panel: float(panel.frame(table, column)[column].median() / scale)


def mean_of(table: str, column: str, scale: float = 1.0) -> Measured:
    """Mean of an amount over customer-months."""
    return lambda panel: float(panel.frame(table, column)[column].mean() / scale)


def monthly_leaving(panel: Panel) -> pd.Series:
    """Share of a month's billed customers who leave in it, by month; the first and last month are left out."""
    billed = panel.bills.groupby("month").size()
    gone = (panel.leavers - pd.Timedelta(days=1)).dt.to_period("M").dt.to_timestamp().value_counts()
    return (gone.reindex(billed.index, fill_value=0) / billed).iloc[1:-1]


def season_of_leaving(panel: Panel) -> float:
    """Highest month's rate over the lowest one's.

    Raises
    ------
    LookupError
        Nobody leaves in some month.
    """
    rates = monthly_leaving(panel)
    if rates.min() == 0:
        raise LookupError("a month without leavers")
    return float(rates.max() / rates.min())


def fall_before_leaving(table: str, column: str) -> Measured:
    """Median fall of the last whole month before leaving against the mean of up to three before it, less the same of those who stay."""

    def take(panel: Panel) -> float:
        rows = panel.frame(table, "customer_id", "month", column)
        wide = rows.pivot_table(index="customer_id", columns="month", values=column)
        left = wide.index.to_series().map(panel.leavers)
        falls: dict[bool, list[float]] = {True: [], False: []}
        for place in range(2, len(wide.columns) - 1):
            month, after = wide.columns[place], wide.columns[place + 1]
            before = wide.iloc[:, max(place - 3, 0) : place].mean(axis=1)
            there = (before > 0) & wide[month].notna() & ~(left < after)
            change = (1 - wide[month] / before)[there]
            leaves = left[there] <= after + pd.offsets.MonthBegin(1)
            falls[True].extend(change[leaves])
            falls[False].extend(change[~leaves])
        if len(falls[True]) < 20:
            raise LookupError("too few leavers")
        return float(np.median(falls[True]) - np.median(falls[False]))

    return take


def complaints_each(panel: Panel) -> float:
    """Complaints a customer and month."""
    return panel.frame("complaints", "complaint_id").complaint_id.nunique() / len(panel.bills)


def late_complaints(panel: Panel) -> float:
    """Share of complaints that the warehouse knew more than a day after they were opened."""
    first = panel.frame("complaints", "complaint_id", "opened_at", "available_at").sort_values("available_at")
    first = first.drop_duplicates("complaint_id")
    return float((first.available_at - first.opened_at > pd.Timedelta(days=1)).mean())


def unanswered(panel: Panel) -> float:
    """Share of surveys that nobody answered."""
    last = (
        panel.frame("surveys", "survey_id", "score", "available_at").sort_values("available_at").drop_duplicates("survey_id", keep="last")
    )
    return float(last.score.isna().mean())


def missing_birth_year(panel: Panel) -> float:
    """Share of persons' lines whose year of birth is unknown."""
    rows = panel.frame("customers", "customer_id", "segment", "birth_year").drop_duplicates("customer_id")
    return float(rows[rows.segment != "enterprise"].birth_year.isna().mean())


def missing_usage(panel: Panel) -> float:
    """Share of billed customer-months without a row of use."""
    used = panel.frame("usage", "customer_id", "month").drop_duplicates()
    merged = panel.bills[["customer_id", "month"]].merge(used.assign(there=True), how="left", on=["customer_id", "month"])
    return float(merged.there.isna().mean())


def share_of_type(name: str) -> Measured:
    """Share of customers of one kind of response to contacts."""
    return lambda panel: float((panel.truth.drop_duplicates("customer_id").treatment == name).mean())


def mean_effect(panel: Panel) -> float:
    """Mean chance of leaving within three months without a contact, less that with one, in points."""
    return float((panel.truth.chance_if_not_called - panel.truth.chance_if_called).mean() * 100)


def reached(panel: Panel) -> float:
    """Share of contacts that reached somebody."""
    rows = panel.frame("contacts", "arm", "reached")
    return float(rows[rows.arm != "holdout"].reached.astype(float).mean())


def band(low: float, high: float, *, only: str | None = None) -> dict[str, tuple[float, float]]:
    """Give the same band to every scenario, or to one."""
    return dict.fromkeys((only,) if only else SCENARIOS, (low, high))


MEASURES = (
    Measure("ARPU, median", of_level(pd.Series.median), band(33, 40, only="postpaid"), "{:.1f}"),
    Measure("ARPU, mean", of_level(pd.Series.mean), band(42, 52, only="postpaid"), "{:.1f}"),
    Measure("ARPU, 95th percentile", of_level(lambda s: s.quantile(0.95)), band(100, 135, only="postpaid"), "{:.0f}"),
    Measure("ARPU, 99th percentile", of_level(lambda s: s.quantile(0.99)), band(165, 230, only="postpaid"), "{:.0f}"),
    Measure("ARPU, sd of logs", of_level(log_spread), band(0.6, 0.84, only="postpaid")),
    Measure("revenue of the top tenth", of_level(top_decile_share), band(0.25, 0.33, only="postpaid"), "{:.1%}"),
    Measure("near-zero bills (under 5)", of_level(lambda s: (s < NEAR_ZERO).mean()), band(0.03, 0.08, only="postpaid"), "{:.1%}"),
    Measure("bill, correlation month to month", month_to_month("billing", "revenue"), {}),
    Measure("bill, a customer's own sd / mean", own_variation, {}),
    Measure("voice, correlation month to month", month_to_month("usage", "voice_minutes"), {}),
    Measure("data, correlation month to month", month_to_month("usage", "data_mb"), {}),
    Measure("data, median GB", median_of("usage", "data_mb", 1024), band(7, 9, only="postpaid"), "{:.1f}"),
    Measure("data, mean GB", mean_of("usage", "data_mb", 1024), band(13, 17, only="postpaid"), "{:.1f}"),
    Measure("voice, mean minutes", mean_of("usage", "voice_minutes"), band(200, 270, only="postpaid"), "{:.0f}"),
    Measure("months without texts", share_zero("usage", "sms_count"), band(0.5, 0.8), "{:.0%}"),
    Measure("months without data", share_zero("usage", "data_mb"), {}, "{:.1%}"),
    Measure("months without calls", share_zero("usage", "voice_minutes"), {}, "{:.1%}"),
    Measure(
        "leaving a month",
        lambda p: float(monthly_leaving(p).mean()),
        band(0.01, 0.02, only="postpaid") | band(0.03, 0.05, only="prepaid"),
        "{:.2%}",
    ),
    Measure("… highest month / lowest", season_of_leaving, {}),
    Measure("bill, fall before leaving", fall_before_leaving("billing", "revenue"), {}, "{:.1%}"),
    Measure("voice, fall before leaving", fall_before_leaving("usage", "voice_minutes"), {}, "{:.1%}"),
    Measure("data, fall before leaving", fall_before_leaving("usage", "data_mb"), {}, "{:.1%}"),
    Measure("complaints a customer and month", complaints_each, {}, "{:.3f}"),
    Measure("complaints known late", late_complaints, band(0.01, 0.06), "{:.1%}"),
    Measure("surveys unanswered", unanswered, band(0.7, 0.85), "{:.1%}"),
    Measure("birth year unknown", missing_birth_year, band(0.1, 0.2), "{:.1%}"),
    Measure("months without a usage row", missing_usage, band(0.0, 0.01), "{:.2%}"),
    Measure("contacts that reach", reached, band(0.4, 0.6), "{:.0%}"),
    Measure("persuadable customers", share_of_type("persuadable"), band(0.10, 0.15), "{:.1%}"),
    Measure("sleeping dogs", share_of_type("sleeping_dog"), band(0.05, 0.08), "{:.1%}"),
    Measure("mean effect of a contact, points", mean_effect, band(0, 2)),
)


def measure(panel: Panel) -> list[float]:
    """Take every measure of a panel; NaN where it lacks the table."""
    found = []
    for entry in MEASURES:
        try:
            found.append(entry.take(panel))
        except LookupError:
            found.append(float("nan"))
    return found


def realism_table(found: Mapping[str, Sequence[float]]) -> list[str]:
    """Write a row a measure and a column a panel; what lies outside its band is marked with an asterisk."""
    heads = ["measure", "published", *found]
    lines = [f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * len(found)]
    for place, entry in enumerate(MEASURES):
        bands = {f"{entry.shown.format(low)} to {entry.shown.format(high)}": name for name, (low, high) in entry.bands.items()}
        published = "; ".join(text if len(bands) == 1 else f"{name} {text}" for text, name in bands.items())
        cells = []
        for name, values in found.items():
            value = values[place]
            cells.append("" if np.isnan(value) else entry.shown.format(value) + ("*" if outside(entry, name, value) else ""))
        lines.append(f"| {entry.name} | {published} | {' | '.join(cells)} |")
    return lines


def outside(entry: Measure, panel: str, value: float) -> bool:
    """Tell whether a simulated magnitude misses its published band."""
    low, high = entry.bands.get(panel, (-np.inf, np.inf))
    return not low <= value <= high


def misses(found: Mapping[str, Sequence[float]]) -> list[str]:
    """List what a simulated panel misses or lacks; where nothing is published, the real panels' range takes its place."""
    lines = []
    for place, entry in enumerate(MEASURES):
        real = [found[name][place] for name in PANELS if name in found and not np.isnan(found[name][place])]
        for name in SCENARIOS:
            value = found[name][place]
            limits, whose = entry.bands.get(name), "published"
            if limits is None and not entry.bands and len(real) > 1:
                limits, whose = (min(real), max(real)), "in real panels"
            if limits is None:
                continue
            low, high = (entry.shown.format(limit) for limit in limits)
            if np.isnan(value):
                lines.append(f"- {name}: {entry.name} cannot be measured.")
            elif not limits[0] <= value <= limits[1]:
                lines.append(f"- {name}: {entry.name} is {entry.shown.format(value)}, {whose} {low} to {high}.")
    return lines or ["Every magnitude lies inside its band."]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = os.environ.get("CUSTVALUE_DATA") or str(PROJECT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of the real data sets (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for scenario in SCENARIOS:
            out = Path(folder) / scenario
            simulate(out, customers=chosen.customers, months=chosen.months, seed=chosen.seed, scenario=scenario)
            config = load_config(ready_configs() / "demo.yaml")
            found[scenario] = measure(Panel(open_tables(with_folder(config, out)), out / "truth"))
    for name in PANELS:
        if not chosen.data.is_dir():
            print(f"no real data sets in {chosen.data}: simulated tables alone", file=sys.stderr)
            break
        config = load_config(ready_configs() / f"{name}.yaml", environ={"CUSTVALUE_DATA": str(chosen.data)})
        found[name] = measure(Panel(open_tables(config)))
    print(f"{chosen.customers:,} customers, {chosen.months} months, seed {chosen.seed}; * = outside its published band.\n")
    print("\n".join([*realism_table(found), "", "What does not match:", "", *misses(found)]))
    return 0


def with_folder(config: Config, folder: Path) -> Config:
    """Give the config whose tables lie in another folder."""
    return config.model_copy(update={"sources": config.sources.model_copy(update={"folder": folder})})


if __name__ == "__main__":
    sys.exit(main())
