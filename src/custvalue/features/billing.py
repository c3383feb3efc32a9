"""The bill: its level, fall, trend and swings; its parts; arrears."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.monthly import Amount, describe, with_lag

_AMOUNTS = (
    Amount("revenue", "Bill", "账单", "money", "bill", shape=True),
    Amount("data", "Data charges", "流量费", "money", "bill"),
    Amount("roaming", "Roaming charges", "漫游费", "money", "bill"),
    Amount("discount", "Discount", "优惠金额", "money", "discount"),
)


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of each mapped part of the bill, and of arrears."""
    rows = with_lag(table, view)
    features = [f for amount in _AMOUNTS if amount.name in rows.columns for f in describe(rows, amount, view)]
    if "arrears" in rows.columns:
        features += _arrears(rows, view)
    return rows, features


def _arrears(rows: ibis.Table, view: View) -> list[Feature]:
    last = FeatureColumn(
        name="arrears_last",
        en="Arrears, last month",
        zh="上月欠费",
        unit="money",
        null="no bill last month",
        reason="arrears",
    )
    months = FeatureColumn(
        name=f"arrears_months_{view.longest}m",
        en=f"Months with arrears in {view.longest}",
        zh=f"近{view.longest}个月欠费月数",
        unit="count",
        null="no bill",
        reason="arrears",
        sign=1,
    )
    return [
        Feature(last, number(rows.arrears.sum(where=rows.lag == 0))),
        Feature(months, number((rows.arrears > 0).sum())),
    ]
