"""The stage of a customer's life: acquire, care, develop, keep."""

from __future__ import annotations

from functools import reduce
from operator import or_

import ibis

from custvalue.features.blocks import Feature, View
from custvalue.features.columns import FeatureColumn

_NEW_MONTHS = 3
_YOUNG_MONTHS = 12
_ENDING_DAYS = 90
_ENDS = ("contract_days_to_end", "bundle_days_to_end", "discount_days_to_end")


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:  # noqa: ARG001
    """Stage from tenure and contracts.

    ``acquire`` in the first three whole months; then ``keep`` when a contract, bundle or discount ends within 90 days or the last contract
    is over; else ``care`` in the first year and ``develop`` after it.
    """
    tenure = table.tenure_months
    signs = [table[name] <= _ENDING_DAYS for name in _ENDS if name in table.columns]
    if "contract_ended_days" in table.columns:
        signs.append(table.contract_ended_days.notnull())
    ending = reduce(or_, (sign.fill_null(False) for sign in signs), ibis.literal(False))
    stage = ibis.cases((tenure < _NEW_MONTHS, "acquire"), (ending, "keep"), (tenure < _YOUNG_MONTHS, "care"), else_="develop")
    column = FeatureColumn(
        name="lifecycle_stage",
        en="Stage of the customer's life: acquire, care, develop, keep",
        zh="客户生命周期阶段",
        unit="category",
        null="never",
        reason="lifecycle",
        kind="category",
    )
    return table, [Feature(column, stage)]
