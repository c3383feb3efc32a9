"""The base by group: customers, revenue, profit, complaints, satisfaction and departures, counted on the engine."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import numpy as np
import pandas as pd

UNKNOWN = "unknown"
"""Group of customers for whom the fact that groups them is not known."""

SATISFIED_FROM, VERY_SATISFIED_FROM = 7, 9
"""Of scores from 1 to 10."""

LEAST_CUSTOMERS = 5
"""In a smaller group only the number of customers is told: the rest would tell of single persons."""

LEAST_ANSWERS = 30
LEAST_AT_RISK = 30
"""Fewer answers, or fewer customers whose staying was watched, tell no rate."""

SUMS = ("revenue_month", "revenue_year", "profit_month", "profit_year", "complaints", "asked", "answers", "satisfied", "very_satisfied")
"""What is added up where a table has it: currency, then numbers of complaints and surveys of a year."""

_Z = 1.959964


def summarise(customers: ir.Table, watched: ir.Table | None, by: Sequence[str]) -> pd.DataFrame:
    """Add up customers by group; groups of two tables with the same `by` add up to the same totals.

    Parameters
    ----------
    customers : ibis.Table
        One row a customer: the columns of `by` (text, null where not known) and those of `SUMS` that there are (decimal or integer, so
        that sums do not depend on how threads share the work).
    watched : ibis.Table, optional
        One row a customer whose staying was watched: the columns of `by` as they were when the watch began, and ``left`` (integer 0 or 1).
    by : sequence of str
        Columns to group by; none for everybody.

    Returns
    -------
    DataFrame
        The columns of `by` (`UNKNOWN` in place of null); customers; the sums (float64); watched, left (integers, where given).
    """
    sums = {name: customers[name].sum().cast("float64") for name in SUMS if name in customers.columns}
    found = _grouped(customers, by, {"customers": customers.count()} | sums)
    if watched is not None:
        seen = _grouped(watched, by, {"watched": watched.count(), "left": watched["left"].sum()})
        found = found.merge(seen, on=list(by), how="outer") if by else pd.concat([found, seen], axis=1)
    counts = [name for name in ("customers", "watched", "left") if name in found.columns]
    kept = [name for name in SUMS if name in found.columns]
    found = found.fillna(dict.fromkeys((*counts, *kept), 0)).astype(dict.fromkeys(counts, "int64") | dict.fromkeys(kept, "float64"))
    columns = [*by, "customers", *kept, *counts[1:]]
    return found[columns].sort_values(list(by), ignore_index=True) if by else found[columns]


def with_rates(sums: pd.DataFrame, *, total: pd.DataFrame) -> pd.DataFrame:
    """Turn sums into what a manager reads, and hide what would mislead or tell of single persons.

    Parameters
    ----------
    sums : DataFrame
        What `summarise` gave.
    total : DataFrame
        The same of everybody, one row.

    Returns
    -------
    DataFrame
        The columns of `sums`, and, where there is what they need: share (of customers); revenue_share (of the year's revenue); arpu
        (month's revenue a customer); margin (year's profit / revenue); complaints_per_1000; satisfaction ((very satisfied + satisfied) /
        answers, that is scores from 7 up / all scores) and very_satisfied_share (from 9 up); answer_rate (answers / asked); churn
        (left / watched), churn_low, churn_high (95 % Wilson interval).

        NaN where hidden: everything but customers and share in groups of fewer than `LEAST_CUSTOMERS` (of watched ones for departures),
        satisfaction below `LEAST_ANSWERS` answers, churn below `LEAST_AT_RISK` watched customers. Groups are hidden one by one: whoever
        holds all the others and the total can still subtract.
    """
    shown = sums.copy()
    everybody = total.iloc[0]
    shown["share"] = _over(shown["customers"], everybody["customers"])
    if "revenue_year" in shown:
        shown["revenue_share"] = _over(shown["revenue_year"], everybody["revenue_year"])
        shown["arpu"] = _over(shown["revenue_month"], shown["customers"])
    if "profit_year" in shown:
        shown["margin"] = _over(shown["profit_year"], shown["revenue_year"])
    if "complaints" in shown:
        shown["complaints_per_1000"] = 1000 * _over(shown["complaints"], shown["customers"])
    if "answers" in shown:
        enough = shown["answers"] >= LEAST_ANSWERS
        shown["satisfaction"] = _over(shown["satisfied"], shown["answers"]).where(enough)
        shown["very_satisfied_share"] = _over(shown["very_satisfied"], shown["answers"]).where(enough)
        shown["answer_rate"] = _over(shown["answers"], shown["asked"])
    told = shown["customers"] >= LEAST_CUSTOMERS
    open_to_all = ("customers", "share", "watched", "left", *_groups(sums))
    hidden = [name for name in shown.columns if name not in open_to_all]
    shown[hidden] = shown[hidden].where(told)
    return _with_churn(shown) if "watched" in shown else shown


def _with_churn(shown: pd.DataFrame) -> pd.DataFrame:
    watched, left = shown["watched"].astype("float64"), shown["left"].astype("float64")
    enough = watched >= LEAST_AT_RISK
    rate = _over(left, watched)
    # Wilson's interval: it holds for rates near zero, where the normal one reaches below it
    size = watched.where(watched > 0)
    centre = (rate + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z / (1 + _Z**2 / size) * np.sqrt(rate * (1 - rate) / size + _Z**2 / (4 * size**2))
    shown["left"] = left.where(watched >= LEAST_CUSTOMERS)
    shown["churn"] = rate.where(enough)
    shown["churn_low"], shown["churn_high"] = (centre - half).clip(lower=0).where(enough), (centre + half).clip(upper=1).where(enough)
    return shown


def _grouped(table: ir.Table, by: Sequence[str], aggregates: dict[str, ir.Value]) -> pd.DataFrame:
    if not by:
        frame: pd.DataFrame = table.aggregate(**aggregates).to_pyarrow().to_pandas()
        return frame
    groups = {f"group_{name}": table[name].fill_null(UNKNOWN) for name in by}
    grouped: pd.DataFrame = table.group_by(**groups).aggregate(**aggregates).to_pyarrow().to_pandas()
    return grouped.rename(columns={f"group_{name}": name for name in by})


def _groups(sums: pd.DataFrame) -> list[str]:
    return list(sums.columns[: list(sums.columns).index("customers")])


def _over(part: pd.Series, whole: pd.Series | float) -> pd.Series:
    """Divide; NaN where the whole is not positive."""
    size = whole.astype("float64") if isinstance(whole, pd.Series) else pd.Series(float(whole), index=part.index)
    shares: pd.Series = part.astype("float64") / size.where(size > 0)
    return shares
