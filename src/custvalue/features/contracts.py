"""Contracts, bundles, discounts and trials: which are in force, when they end or ended, what leaving costs, how many products are held."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import Feature, View, number, only
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_until
from custvalue.features.names import refuse_shared_names, slug

_ENDING = {
    "contract": ("contract_days_to_end", "Days until the contract ends", "合约剩余天数", "contract"),
    "bundle": ("bundle_days_to_end", "Days until the bundle ends", "融合套餐剩余天数", "contract"),
    "discount": ("discount_days_to_end", "Days until the discount ends", "优惠剩余天数", "discount_end"),
    "trial": ("trial_days_to_end", "Days until the first trial ends", "试用剩余天数", "trial_end"),
}
_ENDED = {
    "contract": ("contract_ended_days", "Days since the last contract ended, none in force", "合约到期后天数", "contract"),
    "discount": ("discount_ended_days", "Days since the last discount ended, none in force", "优惠到期后天数", "discount_end"),
}

_PRODUCTS = ("bundle", "trial")
"""Kinds that are products a customer holds; contracts and discounts are terms."""


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of everything that started before the moment; an end date is the last day in force."""
    today = view.moment.day
    rows = table.filter(table.starts_on <= today)
    rows = rows.mutate(in_force=rows.ends_on.isnull() | (rows.ends_on >= today) if "ends_on" in rows.columns else ibis.literal(True))
    features = _ends(rows, view) if "ends_on" in rows.columns else []
    if "product" in rows.columns:
        features += _held(rows, view)
    features.append(_feature("agreement_count", "Agreements in force", "在约协议数", "count", number(rows.in_force.sum())))
    for name, column, en, zh in (
        ("contract_fee", "monthly_fee", "Monthly fee of contracts in force", "在约月费"),
        ("contract_penalty", "penalty", "Penalty for ending the contracts in force", "在约违约金"),
    ):
        if column in rows.columns:
            features.append(_feature(name, en, zh, "money", number(only(rows[column], rows.in_force).sum())))
    return rows, features


def _ends(rows: ibis.Table, view: View) -> list[Feature]:
    """Countdowns to the end of what is in force, and days since the end of what no longer is."""
    features = []
    for kind, (name, en, zh, reason) in _ENDING.items():
        running = rows.in_force & (rows.kind == kind)
        ends = only(rows.ends_on, running)
        end = ends.min() if kind == "trial" else ends.max()
        features.append(_feature(name, en, zh, "days", days_until(end, view.moment), reason=reason))
    for kind, (name, en, zh, reason) in _ENDED.items():
        own = rows.kind == kind
        covered = (own & rows.in_force).any().fill_null(False)
        since = -days_until(only(rows.ends_on, own & ~rows.in_force).max(), view.moment)
        null = "one in force, or none ended"
        features.append(_feature(name, en, zh, "days", ibis.ifelse(covered, None, since), reason=reason, null=null))
    return features


def _held(rows: ibis.Table, view: View) -> list[Feature]:
    """Name the contract in force; count and name the products held."""
    refuse_shared_names("features.products", view.products, taken=["count"])  # product_count is a column of its own
    product = rows["product"]
    held: BooleanValue = rows.in_force & rows.kind.isin(_PRODUCTS)
    # two contracts may start on one day: the id decides, or the same data could give another answer tomorrow
    order = rows.starts_on.cast("string") + rows.contract_id
    signed = product.argmax(order, where=rows.in_force & (rows.kind == "contract"))
    features = [
        _feature("contract_product", "Contract in force", "当前合约", "category", signed),
        _feature("product_count", "Products held", "持有产品数", "count", number(only(product, held).nunique()), reason="products"),
    ]
    for name in view.products:
        value = number((held & (product == name)).any().fill_null(False))
        features.append(_feature(f"product_{slug(name)}", f"Holds {name}", f"持有{name}", "yes/no", value, reason="products"))
    return features


def _feature(
    name: str,
    en: str,
    zh: str,
    unit: str,
    value: Value,
    *,
    reason: str = "contract",
    null: str = "none in force",
) -> Feature:
    column = FeatureColumn(
        name=name, en=en, zh=zh, unit=unit, null=null, reason=reason, kind="category" if unit == "category" else "number"
    )
    return Feature(column, value)
