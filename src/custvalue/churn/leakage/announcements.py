"""Tickets and events that are the departure itself, written down before it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import ibis
import pandas as pd

from custvalue.churn.leakage.association import wilson_low
from custvalue.churn.leakage.evidence import Evidence, memory_table
from custvalue.churn.leakage.findings import Finding
from custvalue.churn.leakage.future import differences
from custvalue.errors import some
from custvalue.sources import add_months

VALUES = (
    ("complaints", "category", "opened_at"),
    ("events", "event_type", "occurred_at"),
    ("contacts", "campaign_id", "contacted_at"),
    ("contacts", "offer", "contacted_at"),
    ("contacts", "outcome", "contacted_at"),
    ("surveys", "kind", "asked_at"),
    ("payments", "channel", "paid_at"),
)
"""Table, column of codes, and time of each row."""

CERTAIN = 0.5
"""A code after which more than half leave announces it: the best tenth of an oracle's list leaves at six times the base rate."""

_TIMES_BASE_ODDS = 10.0
_FEWEST_LEAVERS = 10
_SOON_DAYS = 30
_DOUBT = 0.001


def find(evidence: Evidence) -> Iterator[Finding]:
    """Compare the rate of leaving after each code with the base rate, and look whether a feature reads the code."""
    rate = float(evidence.frame.y.mean())
    base = rate / max(1e-12, 1 - rate)
    for table, column, time in VALUES:
        if not evidence.has(table, column, time):
            continue
        for code in _followed(evidence, table, column, time).to_dict("records"):
            scale = code["customers"] / code["n"]
            if _announces(code["in_window"], code["n"] - code["before_window"], code["leavers"], scale, base):
                yield _in_window(evidence, table, column, code, rate)
            elif _announces(code["soon"], code["n"], code["soon_leavers"], scale, base):
                yield _in_gap(evidence, table, column, code, rate)


def _announces(hits: float, trials: float, leavers: float, customers_a_row: float, base_odds: float) -> bool:
    low = wilson_low(round(hits * customers_a_row), round(trials * customers_a_row), doubt=_DOUBT)
    return leavers >= _FEWEST_LEAVERS and low >= CERTAIN and low / max(1e-12, 1 - low) >= _TIMES_BASE_ODDS * base_odds


def _in_window(evidence: Evidence, table: str, column: str, code: Mapping[Hashable, Any], rate: float) -> Finding:
    trials = code["n"] - code["before_window"]
    seen = (
        f"{code['in_window'] / trials:.0%} of {trials:,.0f} row(s) are followed by leaving inside the outcome window, "
        f"month {evidence.churn.gap_months} to {evidence.reach} after them; the base rate is {rate:.1%}."
    )
    readers = _readers(evidence, table, column, code["value"])
    if not readers:
        return Finding(
            f"{table}.{column}={code['value']}", seen, "It announces the departure; no feature reads it, and none should.", False
        )
    where = "list it in `features.departing_categories`, or " if (table, column) == ("complaints", "category") else ""
    return Finding(
        f"{table}.{column}={code['value']}",
        f"{seen} {len(readers)} feature(s) read it: {some(readers)}.",
        f"It announces the departure: {where}leave such rows out of the mapping (`where: {column} <> '{code['value']}'`).",
    )


def _in_gap(evidence: Evidence, table: str, column: str, code: Mapping[Hashable, Any], rate: float) -> Finding:
    share = code["soon"] / code["n"]
    return Finding(
        f"{table}.{column}={code['value']}",
        f"{share:.0%} of {code['n']:,.0f} row(s) are followed by leaving within {_SOON_DAYS} days; the base rate is {rate:.1%}.",
        f"It announces the departure inside the gap of {evidence.churn.gap_months} month(s), where no outcome is: keep the gap.",
        refuses=False,
    )


def _readers(evidence: Evidence, table: str, column: str, value: str) -> list[str]:
    """Columns of the newest snapshot that come out otherwise without the rows of a code."""
    day = evidence.snapshots[-1]
    known = evidence.opened.known(day)
    rows = known[table]
    of_table = [name for name, tables in evidence.reads.items() if table in tables]
    without = rows.filter(rows[column].isnull() | (rows[column].cast("string") != value))
    return [name for name, _, _ in differences(evidence, day, known | {table: without}, only=of_table)]


def _followed(evidence: Evidence, table: str, column: str, time: str) -> pd.DataFrame:
    """Rows and customers of each code, and how many left before and inside a window opened by it."""
    churn = evidence.churn
    whole = evidence.whole(table)
    rows = whole.filter(whole[column].notnull()).select("customer_id", value=whole[column].cast("string"), day=whole[time].cast("date"))
    # whoever met the code later may still leave in the window
    rows = rows.filter(rows.day <= add_months(evidence.as_of, -evidence.reach))
    if churn.outcomes_recorded_after:
        rows = rows.filter(rows.day >= churn.outcomes_recorded_after)
    counted = rows.group_by("value").agg(n=rows.count(), customers=rows.customer_id.nunique()).to_pandas()
    left = evidence.departures.assign(left_on=evidence.departures.left_on.dt.date)
    followed = rows.inner_join(memory_table(left), "customer_id").filter(lambda t: t.left_on.cast("date") >= t.day)
    day, left_on = followed.day, followed.left_on.cast("date")
    before = left_on <= day + ibis.interval(months=churn.gap_months)
    inside = (left_on <= day + ibis.interval(months=evidence.reach)) & ~before & followed.kind.isin(churn.kinds)
    soon = (left_on <= day + ibis.interval(days=_SOON_DAYS)) & followed.kind.isin(churn.kinds)
    after = followed.group_by("value").agg(
        before_window=before.sum(),
        in_window=inside.sum(),
        leavers=followed.customer_id.nunique(where=inside),
        soon=soon.sum(),
        soon_leavers=followed.customer_id.nunique(where=soon),
    )
    merged: pd.DataFrame = counted.merge(after.to_pandas(), on="value", how="left").sort_values("value")
    numbers = [name for name in merged.columns if name != "value"]
    return merged.assign(**merged[numbers].fillna(0).astype(float))
