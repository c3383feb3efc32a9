"""The base by tier: customers, share, revenue share, ARPU."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from custvalue.config import UNRATED
from custvalue.errors import ConfigError, some
from custvalue.tiers.scoring import number


def tier_table(
    tiers: ir.Table | pd.DataFrame,
    features: ir.Table | pd.DataFrame,
    *,
    order: Sequence[str],
    metric: str = "revenue_mean_3m",
) -> pd.DataFrame:
    """Summarise the base by tier.

    Parameters
    ----------
    tiers, features : ibis.Table or DataFrame
        What `TierPolicy.assign` gave, and the feature table it was given.
    order : sequence of str
        The policy's tiers, highest first; `unrated` comes last. A tier without customers keeps its row.
    metric : str
        The feature that holds ARPU, currency a month.

    Returns
    -------
    DataFrame
        One row a tier: tier, customers, share (of customers), revenue_share (of the metric's sum; NaN where the sum is
        not positive), arpu (mean of the known values; NaN where none is known).

    Raises
    ------
    ConfigError
        The metric is not in the table, or `order` lacks a tier that occurs.
    """
    if metric not in features.columns:
        raise ConfigError(f"tier report: feature {metric!r} is not in the feature table. Name the config's ARPU metric.")
    rows = [*order, UNRATED]
    found = _by_tier(_table(tiers, ["customer_id", "tier"]), _table(features, ["customer_id", metric]), metric)
    if strange := sorted(set(found.index) - set(rows)):
        raise ConfigError(f"tier report: tiers {some(strange)} occur, but the policy's are {', '.join(rows)}.")
    found = found.reindex(rows)
    customers, revenue = found["customers"].fillna(0).astype("int64"), found["revenue"].fillna(0.0)
    total = float(revenue.sum())
    return pd.DataFrame(
        {
            "tier": rows,
            "customers": customers.to_numpy(),
            "share": (customers / max(int(customers.sum()), 1)).to_numpy(),
            "revenue_share": (revenue / (total if total > 0 else float("nan"))).to_numpy(),
            "arpu": (revenue / found["known"].where(found["known"] > 0)).to_numpy(),
        }
    )


def _table(given: ir.Table | pd.DataFrame, columns: list[str]) -> ir.Table:
    if isinstance(given, ir.Table):
        return given.select(columns)
    return ibis.memtable(pa.Table.from_pandas(given[columns], preserve_index=False))


def _by_tier(tiers: ir.Table, features: ir.Table, metric: str) -> pd.DataFrame:
    # decimals, because sums of doubles differ from run to run where threads share the work
    money = features.select(customer=features.customer_id, money=number(features, metric).cast("decimal(18, 4)"))
    joined = tiers.left_join(money, [("customer_id", "customer")])
    found = joined.group_by("tier").aggregate(
        customers=joined.count(), revenue=joined.money.sum().cast("float64"), known=joined.money.count()
    )
    frame: pd.DataFrame = found.to_pyarrow().to_pandas()
    return frame.set_index("tier")
