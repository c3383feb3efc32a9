"""Who the customer is: tenure, plan, segment, region. Nothing sensitive (age, sex) is a feature."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.population import current_customers

_CATEGORIES = {
    "plan": ("Plan in force", "当前套餐", "plan"),
    "segment": ("Consumer, household or enterprise", "客户类型", "segment"),
    "region": ("Region", "地区", "region"),
}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features from the customers row that is valid at the moment."""
    rows = current_customers(table, view.moment)
    today = view.moment.day
    joined = rows.joined_on
    months = today.year * 12 + today.month - (joined.year() * 12 + joined.month()) - (joined.day() > today.day).cast("int64")
    tenure = FeatureColumn(
        name="tenure_months",
        en="Whole months since joining",
        zh="在网月数",
        unit="months",
        null="never",
        reason="tenure",
    )
    features = [Feature(tenure, number(months.max()))]
    for name, (en, zh, reason) in _CATEGORIES.items():
        if name in rows.columns:
            column = FeatureColumn(name=name, en=en, zh=zh, unit="category", null="not known", reason=reason, kind="category")
            features.append(Feature(column, rows[name].max()))
    return rows, features
