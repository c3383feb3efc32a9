"""Who is graded together: the lines of an account or a household as one."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import RollUp

_EXACT = "decimal(38, 9)"
"""Sums of doubles differ from run to run where threads share the work; those of decimals don't."""


def group_keys(facts: ir.Table, config: TierPolicyConfig) -> dict[str, ir.Value]:
    """Give the columns that say who is graded together; none where every line stands alone.

    Lines without an account or a household are groups of their own.
    """
    if config.level == "line":
        return {}
    group = facts[f"{config.level}_id"]
    return {"group_id": group, "alone_id": group.isnull().ifelse(facts.customer_id, ibis.null(facts.customer_id.type()))}


def rolled_up(value: ir.FloatingValue, how: RollUp, together: Any | None) -> ir.FloatingValue:
    """Make one number of a group's lines.

    Parameters
    ----------
    value : FloatingValue
        Each line's value; missing ones are left out.
    how : str
        ``sum``, ``mean``, ``max`` or ``min``. Sums and means are exact to nine decimals, whatever the order of the lines.
    together : window, optional
        Over the group's lines; None where every line stands alone, and its own value is given back.

    Returns
    -------
    FloatingValue
        Null where no line has a value.
    """
    if together is None or isinstance(value, ir.Scalar):
        return value
    if how == "max":
        return value.max().over(together)
    if how == "min":
        return value.min().over(together)
    total = value.cast(_EXACT).sum().over(together).cast("float64")
    return total if how == "sum" else total / value.count().over(together).nullif(0)


def any_line(holds: ir.BooleanValue, together: Any | None) -> ir.BooleanValue:
    """Tell whether something holds for at least one line of the group."""
    if together is None or isinstance(holds, ir.Scalar):
        return holds
    return holds.any().over(together)
