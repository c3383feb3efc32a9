"""Conditions asked of many customers at once; they keep a sentence from being said where it is not true."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from custvalue.config.conditions import Condition
from custvalue.wording.facts import Facts, Flags

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def holds(condition: Condition, facts: Facts) -> Flags:
    """Tell for whom a comparison is true; all its columns must exist."""
    if condition.sign == "is":
        known = facts.known(condition.fact)
        return ~known if condition.bound == "missing" else known
    if isinstance(condition.bound, str):
        texts = facts.texts(condition.fact)
        same: Flags = np.asarray(texts.to_numpy(zero_copy_only=False) == condition.bound, dtype=np.bool_)
        return facts.known(condition.fact) & facts.is_text(condition.fact) & (same if condition.sign == "==" else ~same)
    numbers, bound = facts.numbers(condition.fact), np.float64(condition.bound or 0.0)
    limits = np.full(facts.rows, bound) if condition.times is None else bound * facts.numbers(condition.times)
    held: Flags = _COMPARISONS[condition.sign](numbers, limits)
    # a comparison with NaN is false, but for !=
    return held & ~np.isnan(numbers) & ~np.isnan(limits) if condition.sign == "!=" else held


def all_hold(conditions: tuple[Condition, ...], facts: Facts) -> Flags:
    """Tell for whom every condition is true; for nobody where a column does not exist, and for everybody where there is no condition."""
    fits = np.full(facts.rows, all(name in facts for condition in conditions for name in condition.facts))
    for condition in conditions:
        if not fits.any():
            break
        fits &= holds(condition, facts)
    return fits
