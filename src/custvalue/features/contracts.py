"""Contracts, bundles and discounts: which are in force, when they end, how many products the customer holds."""

from __future__ import annotations

import re

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.errors import ConfigError, some
from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_until

_ENDING = {
    "contract": ("contract_days_to_end", "Days until the contract ends", "合约剩余天数", "contract"),
    "bundle": ("bundle_days_to_end", "Days until the bundle ends", "融合套餐剩余天数", "contract"),
    "discount": ("discount_days_to_end", "Days until the discount ends", "优惠剩余天数", "discount_end"),
}

_PRODUCTS = ("bundle", "trial")
"""Kinds that are products a customer holds; contracts and discounts are terms."""


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of everything that started before the moment; an end date is the last day in force."""
    today = view.moment.day
    rows = table.filter(table.starts_on <= today)
    rows = rows.mutate(in_force=rows.ends_on.isnull() | (rows.ends_on >= today) if "ends_on" in rows.columns else ibis.literal(True))
    # two contracts may start on one day: the id decides, or the same data could give another answer tomorrow
    order = [ibis.desc(rows.in_force & (rows.kind == "contract")), ibis.desc("starts_on"), ibis.desc("contract_id")]
    rows = rows.mutate(nth=ibis.row_number().over(group_by="customer_id", order_by=order))
    in_force = rows.in_force
    features = _ends(rows, view, in_force) if "ends_on" in rows.columns else []
    signed = in_force & (rows.kind == "contract")
    if "product" in rows.columns:
        _refuse_shared_names(view.products)
        held = in_force & rows.kind.isin(_PRODUCTS)
        features += [
            _feature(
                "contract_product",
                "Contract in force",
                "当前合约",
                "category",
                rows["product"].max(where=signed & (rows.nth == 0)),
            ),
            _feature(
                "product_count",
                "Products held",
                "持有产品数",
                "count",
                number(rows["product"].nunique(where=held)),
                reason="products",
            ),
        ]
        features += [
            _feature(
                f"product_{slug(name)}",
                f"Holds {name}",
                f"持有{name}",
                "yes/no",
                number((held & (rows["product"] == name)).any().fill_null(False)),
                reason="products",
            )
            for name in view.products
        ]
    if "monthly_fee" in rows.columns:
        features.append(
            _feature(
                "contract_fee",
                "Monthly fee of contracts in force",
                "在约月费",
                "money",
                number(rows.monthly_fee.sum(where=in_force)),
            )
        )
    return rows, features


def _ends(rows: ibis.Table, view: View, in_force: BooleanValue) -> list[Feature]:
    features = []
    for kind, (name, en, zh, reason) in _ENDING.items():
        end = rows.ends_on.max(where=in_force & (rows.kind == kind))
        features.append(_feature(name, en, zh, "days", days_until(end, view.moment), reason=reason))
    signed = rows.kind == "contract"
    last_end = rows.ends_on.max(where=signed & ~in_force)
    covered = (signed & in_force).any().fill_null(False)
    ended = ibis.ifelse(covered, None, -days_until(last_end, view.moment))
    features.append(_feature("contract_ended_days", "Days since the last contract ended, none in force", "合约到期后天数", "days", ended))
    return features


def _refuse_shared_names(products: tuple[str, ...]) -> None:
    slugs = ["count", *map(slug, products)]  # product_count is a column of its own
    if doubtful := [name for name in products if not slug(name) or slugs.count(slug(name)) > 1]:
        raise ConfigError(
            f"features.products: {some(doubtful)} give no column name of their own. Rename them in the mapping, or leave some out."
        )


def slug(product: str) -> str:
    """Column-name form of a product's name.

    >>> slug("Online security")
    'online_security'
    >>> slug("宽带 300M")
    '宽带_300m'
    """
    return re.sub(r"\W+", "_", product.lower()).strip("_")


def _feature(name: str, en: str, zh: str, unit: str, value: Value, *, reason: str = "contract") -> Feature:
    column = FeatureColumn(
        name=name,
        en=en,
        zh=zh,
        unit=unit,
        null="none in force",
        reason=reason,
        kind="category" if unit == "category" else "number",
    )
    return Feature(column, value)
