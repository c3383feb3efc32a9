"""What one customer's points are made of, computed by the rating's own expressions."""

from __future__ import annotations

from typing import Any, Literal

import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import PointsRule
from custvalue.errors import DataError, mask
from custvalue.tiers.facts import known_facts
from custvalue.tiers.scoring import factor_of, points, value_name, with_scores


def part_names(place: int, kind: Literal["component", "factor"], name: str) -> tuple[str, str]:
    """Name the columns of `breakdown` that hold a part's value, and its points or factor."""
    return f"{kind}_{place}_{name}_value", f"{kind}_{place}_{name}"


def breakdown(facts: ir.Table, config: TierPolicyConfig, customer_id: object) -> dict[str, Any]:
    """Take one customer's points apart.

    Returns
    -------
    dict
        ``tenure``; for each rule by its place ``score_0`` …, and ``matrix_0`` …, the rank of a matrix; of every component and factor
        the value and what it gives, under `part_names`; the values that a matrix reads, under `value_name`.

    Raises
    ------
    DataError
        The customer is not in the table.
    """
    one = facts.filter(facts.customer_id == customer_id) if config.level == "line" else facts
    known = known_facts(one, config, log=lambda _: None)
    known = known.filter(known.customer_id == customer_id).view()
    values: dict[str, ir.Value] = {}
    for place, rule in enumerate(config.rules.values()):
        if not isinstance(rule, PointsRule):
            continue
        for name, component in rule.components.items():
            value, given = part_names(place, "component", name)
            values |= {value: known[value_name(component.metric, component.roll_up)], given: points(known, component)}
        for name, factor in rule.factors.items():
            value, given = part_names(place, "factor", name)
            values |= {value: known[value_name(factor.metric, factor.roll_up)], given: factor_of(known, factor)}
    parts = only_row(known.mutate(**values), customer_id, "the feature table")
    return parts | only_row(with_scores(known, config), customer_id, "the feature table")


def only_row(table: ir.Table, customer_id: object, where: str) -> dict[str, Any]:
    """Give the customer's row; raises DataError where there is not just one."""
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    if len(rows) != 1:
        raise DataError(f"customer {mask(customer_id)} has {len(rows)} rows in {where}, not one. Check the id and the day.")
    return rows[0]
