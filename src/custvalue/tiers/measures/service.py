"""What each tier is owed, and what serving it costs."""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir
import pandas as pd

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.tiers.measures.migration import MONEY
from custvalue.tiers.scoring import number


def service_table(config: TierPolicyConfig, channels: Mapping[str, str]) -> pd.DataFrame:
    """List the service standard of every tier.

    Parameters
    ----------
    config : TierPolicyConfig
        The policy, whose ``service`` says what a tier is owed.
    channels : mapping of str to str
        Tier → channel, for tiers of which the policy says nothing (the retention policy's).

    Returns
    -------
    DataFrame
        tier (highest first, `unrated` last), channel (missing where nobody says), answer_within_hours (NaN where there is no limit).
    """
    rows = []
    for tier in (*config.tiers, UNRATED):
        standard = config.service.get(tier)
        hours = standard.answer_within_hours if standard else None
        rows.append((tier, standard.channel if standard else channels.get(tier), float("nan") if hours is None else float(hours)))
    return pd.DataFrame(rows, columns=["tier", "channel", "answer_within_hours"])


def cost_table(tiers: ir.Table, costs: ir.Table) -> pd.DataFrame:
    """Add up the cost to serve by tier.

    Parameters
    ----------
    tiers : ibis.Table
        customer_id, tier.
    costs : ibis.Table
        customer_id, cost (currency a month; null where unknown), one row a customer.

    Returns
    -------
    DataFrame
        tier, cost_known (customers whose cost is known), monthly_cost (their sum); tiers that occur, by name.
    """
    paid = costs.select(payer=costs.customer_id, money=number(costs, "cost").cast(MONEY))
    joined = tiers.select("customer_id", "tier").left_join(paid, [("customer_id", "payer")])
    grouped = joined.group_by("tier").aggregate(
        cost_known=joined.money.count(), monthly_cost=joined.money.sum().fill_null(0).cast("float64")
    )
    frame: pd.DataFrame = grouped.order_by("tier").to_pyarrow().to_pandas()
    return frame
