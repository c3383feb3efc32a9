"""Conditions on a customer's facts: they keep a sentence from being said where it is not true."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from pydantic import ValidationInfo, model_validator

from custvalue.config.base import Settings

Fact = float | str | None
Facts = Mapping[str, Fact]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
"""Comparisons that a condition may use, besides ``is missing`` and ``is present``."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def known(facts: Facts, name: str) -> float | str | None:
    """Give a fact, or None where it is absent, null, not finite or empty text."""
    value = facts.get(name)
    if isinstance(value, str):
        return value.strip() or None
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None


class Condition(Settings):
    """One comparison, written as text in YAML.

    ``revenue_drop_3m >= noticeable``, ``complaint_open >= 1``, ``plan == 'Basic'``,
    ``balance_last < short_balance * revenue_mean_3m``, ``contract_days_to_end is missing``. Names on the right are
    thresholds of the file; after ``*`` stands a fact. A comparison with a missing fact does not hold, and
    ``is missing`` does not hold where the column does not exist.
    """

    text: str
    fact: str
    sign: str
    bound: float | str | None = None
    times: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        fact, _, rest = value.strip().partition(" ")
        sign, _, bound = rest.strip().partition(" ")
        parsed = {"text": value, "fact": fact, "sign": sign}
        if not _NAME.fullmatch(fact):
            raise ValueError(f"condition {value!r} must begin with a fact's name")
        if sign == "is":
            if bound not in ("missing", "present"):
                raise ValueError(f"condition {value!r}: `is` takes `missing` or `present`")
            return {**parsed, "bound": bound}
        if sign not in OPERATORS:
            raise ValueError(f"condition {value!r}: unknown operator {sign!r}; use {', '.join(OPERATORS)} or is")
        number, star, times = (part.strip() for part in bound.partition("*"))
        if star and not _NAME.fullmatch(times):
            raise ValueError(f"condition {value!r}: a fact's name must follow the *")
        return {**parsed, "bound": _bound(number, (info.context or {}).get("thresholds", {})), "times": times or None}

    def holds(self, facts: Facts) -> bool:
        """Tell whether the comparison is true of these facts."""
        value = known(facts, self.fact)
        if self.sign == "is":
            return self.fact in facts and (value is None) == (self.bound == "missing")
        bound: float | str | None = self.bound
        if self.times is not None:
            other = known(facts, self.times)
            bound = self.bound * other if isinstance(self.bound, float) and isinstance(other, float) else None
        if value is None or bound is None or isinstance(value, str) != isinstance(bound, str):
            return False
        return OPERATORS[self.sign](value, bound)


def _bound(text: str, thresholds: Mapping[str, float]) -> float | str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    name = text.removeprefix("-")
    if name in thresholds:
        return float(thresholds[name]) * (-1 if text.startswith("-") else 1)
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"{text!r} is neither a number, a quoted text, nor a threshold ({', '.join(thresholds)})")
