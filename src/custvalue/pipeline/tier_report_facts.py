"""What the tier report counts of each customer: bills, cost, complaints, surveys, and who left."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from custvalue.churn import label
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.sources import SourceTables, add_months
from custvalue.tiers.measures.summary import SATISFIED_FROM, VERY_SATISFIED_FROM

YEAR = 12
_MONEY = "decimal(19, 4)"


def customer_sums(customers: ir.Table, tables: SourceTables, as_of: date, features: FeaturesConfig) -> ir.Table:
    """Add to each customer what was billed, cost, complained of and answered.

    Parameters
    ----------
    customers : ibis.Table
        ``customer_id`` and what groups; kept.
    tables, as_of, features
        The operator's tables, as known at the day; complaint categories that announce a departure are not counted, as in features.

    Returns
    -------
    ibis.Table
        Also the columns of `tiers.measures.summary.SUMS` that the mapped tables give; 0 for a customer without a row.
    """
    known = tables.known(as_of)
    parts = [_billing(known["billing"], tables, as_of)]
    if "complaints" in known:
        parts.append(_complaints(known["complaints"], tables, as_of, features))
    if "surveys" in known and "score" in known["surveys"].columns:
        parts.append(_surveys(known["surveys"], tables, as_of))
    joined = customers
    for place, part in enumerate(parts):
        owner = f"owner_{place}"
        joined = joined.left_join(part.rename({owner: "customer_id"}), [("customer_id", owner)]).drop(owner)
    counted = [name for part in parts for name in part.columns if name != "customer_id"]
    return joined.mutate(**{name: joined[name].fill_null(0) for name in counted})


def watched_customers(tables: SourceTables, since: date, known_at: date, churn: ChurnConfig) -> ir.Table:
    """Give ``customer_id`` and ``left`` (0 or 1) of those active on a day whose outcome counts; see `churn.label`."""
    found = label(tables, since, known_at, churn)
    return found.filter(found.outcome <= 1).select("customer_id", left=found.outcome)


def bills_without_cost(tables: SourceTables, as_of: date) -> tuple[int, int]:
    """Count the year's bills whose cost is not known, and all of them."""
    bills = _year(tables.known(as_of)["billing"], tables, as_of)
    row = bills.aggregate(unknown=bills.cost.isnull().sum(), bills=bills.count()).to_pyarrow().to_pylist()[0]
    return int(row["unknown"] or 0), int(row["bills"])


def newest_month(tables: SourceTables, as_of: date) -> date:
    """First day of the newest month whose bills are complete at a day."""
    return tables.moment(as_of).newest_month(tables.delay_days.get("billing", 0))


def _year(bills: ir.Table, tables: SourceTables, as_of: date) -> ir.Table:
    newest = newest_month(tables, as_of)
    return bills.filter((bills.month > add_months(newest, -YEAR)) & (bills.month <= newest))


def _billing(table: ir.Table, tables: SourceTables, as_of: date) -> ir.Table:
    bills = _year(table, tables, as_of)
    last = bills.month == newest_month(tables, as_of)
    amounts = {"revenue": bills.revenue.cast(_MONEY)}
    if "cost" in bills.columns:
        # a bill whose cost is not known has no profit either: it is left out and told
        amounts["profit"] = bills.revenue.cast(_MONEY) - bills.cost.cast(_MONEY)
    sums = {f"{name}_month": ibis.ifelse(last, amount, None).sum() for name, amount in amounts.items()}
    sums |= {f"{name}_year": amount.sum() for name, amount in amounts.items()}
    return bills.group_by("customer_id").aggregate(**sums)


def _complaints(table: ir.Table, tables: SourceTables, as_of: date, features: FeaturesConfig) -> ir.Table:
    rows = table.filter(table.opened_at >= tables.moment(as_of).months_back(YEAR).instant)
    if "category" in rows.columns and features.departing_categories:
        departing = [name.lower() for name in features.departing_categories]
        rows = rows.filter(rows.category.isnull() | rows.category.lower().notin(departing))
    return rows.group_by("customer_id").aggregate(complaints=rows.count())


def _surveys(table: ir.Table, tables: SourceTables, as_of: date) -> ir.Table:
    sent = table.filter(table.asked_at >= tables.moment(as_of).months_back(YEAR).instant)
    return sent.group_by("customer_id").aggregate(
        asked=sent.count(),
        answers=sent.score.count(),
        satisfied=(sent.score >= SATISFIED_FROM).sum().fill_null(0),
        very_satisfied=(sent.score >= VERY_SATISFIED_FROM).sum().fill_null(0),
    )
