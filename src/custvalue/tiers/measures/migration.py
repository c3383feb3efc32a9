"""From the tiers of one policy to those of another: how many customers move, why, and what they are billed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.config.tier_rules import PointsRule
from custvalue.errors import DataError
from custvalue.tiers.facts import known_facts
from custvalue.tiers.scoring import number, points

Direction = Literal["up", "down", "stays", "renamed"]
MONEY = "decimal(18, 4)"
"""Money is added as decimals: sums of doubles differ from run to run where threads share the work."""

_POINTS = "decimal(18, 6)"


def joined_tiers(before: ir.Table, after: ir.Table, facts: ir.Table, *, metric: str) -> ir.Table:
    """Put the tiers of two assignments of the same customers side by side.

    Parameters
    ----------
    before, after : ibis.Table
        What `TierPolicy.assign` gave: customer_id, tier; of the second also reason_code and earned.
    facts : ibis.Table
        ``customer_id`` and the metric, one row a customer.
    metric : str
        The feature that holds ARPU, currency a month.

    Returns
    -------
    ibis.Table
        customer_id, before, after, reason (why the second tier), earned (what its score alone gives), money (decimal; null where unknown).
    """
    new = after.select(customer=after.customer_id, after=after.tier, reason=after.reason_code, earned=after.earned)
    money = facts.select(owner=facts.customer_id, money=number(facts, metric).cast(MONEY))
    joined = before.select("customer_id", before=before.tier).inner_join(new, [("customer_id", "customer")])
    return joined.left_join(money, [("customer_id", "owner")]).drop("customer", "owner")


def check_same_customers(before: ir.Table, after: ir.Table) -> None:
    """Refuse to compare assignments of different customers, which would show moves that no policy made.

    Raises
    ------
    DataError
        A customer stands in one of them only, or twice.
    """
    old, new = before.select("customer_id"), after.select(customer=after.customer_id)
    both = old.outer_join(new, [("customer_id", "customer")])
    row = both.aggregate(
        rows=both.count(), only_before=both.customer.isnull().sum().fill_null(0), only_after=both.customer_id.isnull().sum().fill_null(0)
    )
    found = row.mutate(customers=old.customer_id.nunique().as_scalar()).to_pyarrow().to_pylist()[0]
    if found["only_before"] or found["only_after"] or found["rows"] != found["customers"]:
        raise DataError(
            f"the two assignments do not hold the same customers: {found['only_before']} stand only in the first, "
            f"{found['only_after']} only in the second, {found['rows']} rows for {found['customers']} customers. "
            "Assign both on the same features."
        )


def migration_table(joined: ir.Table) -> pd.DataFrame:
    """Count customers and their bills for every pair of tiers.

    Parameters
    ----------
    joined : ibis.Table
        As `joined_tiers` gives.

    Returns
    -------
    DataFrame
        before, after, customers, known (customers whose ARPU is known), monthly_revenue (sum of known ARPU); only pairs that
        occur, most customers first.
    """
    return _counted(joined, ["before", "after"])


def move_table(joined: ir.Table) -> pd.DataFrame:
    """Count those who move, by reason.

    Returns
    -------
    DataFrame
        before, after, reason, customers, known, monthly_revenue as in `migration_table`, largest moves first.
    """
    return _counted(joined.filter(joined.before != joined.after), ["before", "after", "reason"])


def held_table(joined: ir.Table) -> pd.DataFrame:
    """Count those whose second tier is not the one that their score alone gives, by what holds them.

    Returns
    -------
    DataFrame
        after (the tier held), earned, reason, customers, known, monthly_revenue as in `migration_table`; largest first.
    """
    return _counted(joined.filter(joined.after != joined.earned), ["after", "earned", "reason"])


def move_examples(joined: ir.Table, *, count: int = 3) -> pd.DataFrame:
    """Give the customers with the highest bills of every move.

    Returns
    -------
    DataFrame
        before, after, place (from 0), customer_id, arpu; at most `count` rows a move.
    """
    moved = joined.filter(joined.before != joined.after).mutate(bill=lambda t: t.money.fill_null(0))
    place = ibis.row_number().over(group_by=["before", "after"], order_by=[ibis.desc("bill"), "customer_id"])
    ranked = moved.mutate(place=place).filter(lambda t: t.place < count)
    columns = ranked.select(
        "before", "after", place=ranked.place.cast("int64"), customer_id=ranked.customer_id, arpu=number(ranked, "money")
    )
    frame: pd.DataFrame = columns.order_by("before", "after", "place").to_pyarrow().to_pandas()
    return frame


def direction(before: str, after: str, order: Sequence[str]) -> Direction:
    """Tell whether a move goes up or down.

    Parameters
    ----------
    before, after : str
        Tiers; `unrated` ranks below the last.
    order : sequence of str
        Tiers of the second policy, highest first. A first tier that is not among them cannot be compared: ``renamed``.

    Examples
    --------
    >>> [direction(before, after, ("gold", "silver")) for before, after in [("silver", "gold"), ("gold", "unrated"), ("vip", "gold")]]
    ['up', 'down', 'renamed']
    """
    ranks = {tier: rank for rank, tier in enumerate((*order, UNRATED))}
    if before == after:
        return "stays"
    if before not in ranks:
        return "renamed"
    return "up" if ranks[after] < ranks[before] else "down"


def point_table(joined: ir.Table, facts: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> pd.DataFrame:
    """Average the points that those who move have from each component of a policy.

    Parameters
    ----------
    joined : ibis.Table
        As `joined_tiers` gives.
    facts : ibis.Table
        What the policy reads, one row a customer.
    config : TierPolicyConfig
        Either policy; a matrix has no components.
    log : callable
        Receives a line where complaints are unknown.

    Returns
    -------
    DataFrame
        before, after, rule, component, points (mean over the customers of the move, before factors).
    """
    known = known_facts(facts, config, log=log)
    parts = [
        (name, part, points(known, component))
        for name, rule in config.rules.items()
        if isinstance(rule, PointsRule)
        for part, component in rule.components.items()
    ]
    rows = known.select(holder=known.customer_id, **{f"part_{i}": value.cast(_POINTS) for i, (_, _, value) in enumerate(parts)})
    moved = joined.filter(joined.before != joined.after).inner_join(rows, [("customer_id", "holder")])
    sums = {f"part_{i}": moved[f"part_{i}"].sum().cast("float64") for i in range(len(parts))}
    found = (
        moved.group_by("before", "after").aggregate(customers=moved.count(), **sums).order_by("before", "after").to_pyarrow().to_pylist()
    )
    lines = [
        (row["before"], row["after"], rule, part, row[f"part_{i}"] / row["customers"])
        for row in found
        for i, (rule, part, _) in enumerate(parts)
    ]
    return pd.DataFrame(lines, columns=["before", "after", "rule", "component", "points"])


def _counted(rows: ir.Table, keys: list[str]) -> pd.DataFrame:
    grouped = rows.group_by(keys).aggregate(
        customers=rows.count(), known=rows.money.count(), monthly_revenue=rows.money.sum().fill_null(0).cast("float64")
    )
    frame: pd.DataFrame = grouped.order_by(ibis.desc("customers"), *keys).to_pyarrow().to_pandas()
    return frame
