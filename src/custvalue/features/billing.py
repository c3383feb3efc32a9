"""The bill: its level, fall, trend and swings; its parts; months without one; arrears."""

from __future__ import annotations

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.history import adjusted_drop, amount_features, unusual
from custvalue.features.monthly import Amount, Months, side_by_side, with_lag
from custvalue.features.sums import add_up

_REVENUE = Amount("revenue", "Bill", "账单", "money", "bill", shape=True)
_AMOUNTS = (
    _REVENUE,
    Amount("rent", "Monthly rent", "月租费", "money", "plan", monthly=True),
    Amount("data", "Data charges", "流量费", "money", "bill"),
    Amount("roaming", "Roaming charges", "漫游费", "money", "bill"),
    Amount("discount", "Discount", "优惠金额", "money", "discount"),
)
_PARTS = {
    "data": ("Share of data charges in the bill", "流量费占账单比重"),
    "roaming": ("Share of roaming charges in the bill", "漫游费占账单比重"),
    "vas": ("Share of value-added services in the bill", "增值业务费占账单比重"),
}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of each mapped part of the bill, and of arrears."""
    rows = with_lag(table, view)
    amounts = [amount for amount in _AMOUNTS if amount.name in rows.columns]
    more: dict[str, Value] = {}
    if "vas" in rows.columns:
        more["vas_recent"] = number(rows.vas.sum(where=rows.lag < view.recent))
    if "arrears" in rows.columns:
        more |= {"arrears_newest": number(rows.arrears.sum(where=rows.lag == 0)), "arrears_months": number((rows.arrears > 0).sum())}
    first = rows.lag.max(where=rows.revenue.notnull())
    months = side_by_side(
        rows, amounts, view, with_lag(view.base.tables["billing"], view), {"revenue": None}, first_bill=number(first), **more
    )
    features = [feature for amount in amounts for feature in amount_features(months, amount)]
    features += adjusted_drop(months, _REVENUE) + unusual(months, _REVENUE, "revenue", ("", ""))
    features += [*_parts(months), _missing_bills(months)]
    if "rent" in rows.columns:
        features += _overage(months)
    if "arrears" in rows.columns:
        features += _arrears(months)
    return months.row, features


def _parts(months: Months) -> list[Feature]:
    row, recent = months.row, months.view.recent
    bill = months.total("revenue", recent) / months.scales["revenue"]
    features = []
    for name, (en, zh) in _PARTS.items():
        if name == "vas" and "vas_recent" in row.columns:
            charged: Value = row.vas_recent
        elif name in months.scales:
            charged = ibis.ifelse(months.known(name, recent) > 0, months.total(name, recent) / months.scales[name], None)
        else:
            continue
        column = FeatureColumn(
            name=f"{name}_share_{recent}m",
            en=f"{en}, {recent} month(s)",
            zh=f"近{recent}个月{zh}",
            unit="share",
            null="no bill above zero",
            reason="bill_parts",
        )
        features.append(Feature(column, ibis.ifelse(bill > 0, divided(charged, bill), None)))
    return features


def _missing_bills(months: Months) -> Feature:
    longest = months.view.longest
    column = FeatureColumn(
        name=f"bill_missing_months_{longest}m",
        en=f"Months without a bill since the first one in {longest} months",
        zh=f"近{longest}个月首张账单以来无账单月数",
        unit="count",
        null="no bill",
        reason="bill",
    )
    return Feature(column, months.row.first_bill + 1.0 - months.known("revenue", longest))


def _overage(months: Months) -> list[Feature]:
    features = []
    for window in sorted({1, months.view.recent}):
        column = FeatureColumn(
            name=f"overage_mean_{window}m",
            en=f"Bill above the monthly rent, mean of {window} month(s)",
            zh=f"近{window}个月月均超出月租的费用",
            unit="money",
            null="no month with both",
            reason="overage",
        )
        above = [months.value("revenue", lag) - months.value("rent", lag) for lag in range(window)]
        total, known = add_up(value.fill_null(0.0) for value in above), add_up(number(value.notnull()) for value in above)
        features.append(Feature(column, total / known.nullif(0.0) / months.scales["revenue"]))
    return features


def _arrears(months: Months) -> list[Feature]:
    longest = months.view.longest
    last = FeatureColumn(
        name="arrears_last",
        en="Arrears, last month",
        zh="上月欠费",
        unit="money",
        null="no bill last month",
        reason="arrears",
    )
    count = FeatureColumn(
        name=f"arrears_months_{longest}m",
        en=f"Months with arrears in {longest}",
        zh=f"近{longest}个月欠费月数",
        unit="count",
        null="no bill",
        reason="arrears",
        sign=1,
    )
    return [Feature(last, months.row.arrears_newest), Feature(count, months.row.arrears_months)]
