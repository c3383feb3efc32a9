"""What a unit of use costs: bills over use, and how that price moved."""

from __future__ import annotations

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View
from custvalue.features.columns import FeatureColumn

_PRICES = {
    "gb": ("data_mb", 1024.0, "gigabyte of data", "每GB流量"),
    "minute": ("voice_minutes", 1.0, "minute of calls", "每分钟通话"),
}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features from the means of the bill and of use."""
    return table, [f for unit, (use, *_) in _PRICES.items() if f"{use}_mean_1m" in table.columns for f in _price(table, unit, view)]


def _price(table: ibis.Table, unit: str, view: View) -> list[Feature]:
    use, scale, en, zh = _PRICES[unit]
    recent = view.recent

    def price(of: str) -> Value:
        paid, used = table[f"revenue_{of}"], table[f"{use}_{of}"]
        return ibis.ifelse((used > 0) & (paid > 0), paid * scale / used, None)

    level = FeatureColumn(
        name=f"revenue_per_{unit}_{recent}m",
        en=f"Bill for a {en}, {recent} month(s)",
        zh=f"近{recent}个月{zh}费用",
        unit="money",
        null="no bill, or no use",
        reason="price",
    )
    features = [Feature(level, price(f"mean_{recent}m"))]
    if recent > 1:
        change = FeatureColumn(
            name=f"revenue_per_{unit}_rise_{recent}m",
            en=f"Rise of the bill for a {en}, last month against the {recent - 1} before",
            zh=f"上月{zh}费用较前{recent - 1}个月涨幅",
            unit="share",
            null="no bill, or no use, in one of the two",
            reason="price",
        )
        features.append(Feature(change, price("mean_1m") / price(f"before_{recent}m") - 1.0))
    return features
