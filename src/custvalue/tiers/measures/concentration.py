"""How unevenly the customers' bills are spread: the Gini coefficient and the Pareto curve."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from custvalue.tiers.scoring import number

_UNITS = 10_000
"""Bills are counted in ten-thousandths of the currency."""

_WIDE = "decimal(19, 0)"


@dataclass(frozen=True)
class Concentration:
    """How unevenly bills are spread.

    Attributes
    ----------
    gini : float
        0 where everybody is billed the same, towards 1 where one customer is billed everything; NaN where nobody is billed anything.
    curve : DataFrame
        customer_share, revenue_share: so much of all revenue comes from that share of the customers with the highest bills; from (0, 0)
        to (1, 1), at most 101 points, each exactly on the curve. Empty where nobody is billed anything.
    """

    gini: float
    curve: pd.DataFrame


def revenue_concentration(facts: ir.Table, *, metric: str) -> Concentration:
    """Measure how unevenly bills are spread over all customers.

    A missing or a negative bill counts zero. The Gini coefficient of values ``x`` with ranks ``i`` from 1, ascending, is
    ``2 * sum(i * x) / (n * sum(x)) - (n + 1) / n``.

    Parameters
    ----------
    facts : ibis.Table
        The metric, one row a customer.
    metric : str
        The feature that holds ARPU.
    """
    values = _values(facts, metric)
    # ranks of equal bills add up to count * (ranks below) + count * (count + 1) / 2; the products outgrow 64 bits
    own, below = values.customers, values.customers_up_to - values.customers
    ranks = own * below + (own * (own + 1)).cast("int64") // 2
    totals = values.aggregate(
        customers=values.customers.sum(),
        revenue=values.revenue.sum(),
        ranked=(values.bill.cast(_WIDE) * ranks.cast(_WIDE)).sum().cast("float64"),
    )
    row = totals.to_pyarrow().to_pylist()[0]
    customers, revenue = int(row["customers"] or 0), int(row["revenue"] or 0)
    if revenue <= 0:
        return Concentration(float("nan"), pd.DataFrame({"customer_share": [], "revenue_share": []}, dtype="float64"))
    gini = 2 * float(row["ranked"]) / (customers * revenue) - (customers + 1) / customers
    return Concentration(max(gini, 0.0), _curve(values, customers, revenue))


def _values(facts: ir.Table, metric: str) -> ir.Table:
    """One row a distinct bill, so that the windows run over few rows; whole numbers, so that sums are exact."""
    bill = ibis.greatest(number(facts, metric).fill_null(0.0), 0.0) * _UNITS
    billed = facts.select(bill=bill.round().cast("int64"))
    counted = billed.group_by("bill").aggregate(customers=billed.count(), revenue=billed.bill.sum().cast("int64"))
    up, down = ibis.cumulative_window(order_by="bill"), ibis.cumulative_window(order_by=ibis.desc("bill"))
    return counted.mutate(
        customers_up_to=counted.customers.sum().over(up).cast("int64"),
        customers_from_top=counted.customers.sum().over(down).cast("int64"),
        revenue_from_top=counted.revenue.sum().over(down).cast("int64"),
    )


def _curve(values: ir.Table, customers: int, revenue: int) -> pd.DataFrame:
    percent = (values.customers_from_top * 100 + customers - 1) // customers
    points = values.group_by(percent=percent).aggregate(customers=values.customers_from_top.max(), revenue=values.revenue_from_top.max())
    found = points.order_by("percent").to_pyarrow().to_pandas()
    return pd.DataFrame({"customer_share": [0.0, *(found.customers / customers)], "revenue_share": [0.0, *(found.revenue / revenue)]})
