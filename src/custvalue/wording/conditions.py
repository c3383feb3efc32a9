"""Conditions on customers' facts: they keep a sentence from being said where it is not true."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationInfo, model_validator

from custvalue.config.base import Settings
from custvalue.wording.facts import Facts, Flags

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
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
        limit = _bound(number, (info.context or {}).get("thresholds", {}))
        if isinstance(limit, str) and sign not in ("==", "!="):
            raise ValueError(f"condition {value!r}: text is compared with == or != only")
        return {**parsed, "bound": limit, "times": times or None}

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of the columns that are compared."""
        return (self.fact,) if self.times is None else (self.fact, self.times)

    def holds(self, facts: Facts) -> Flags:
        """Tell for whom the comparison is true; all its columns must exist."""
        if self.sign == "is":
            known = facts.known(self.fact)
            return ~known if self.bound == "missing" else known
        if isinstance(self.bound, str):
            texts = facts.texts(self.fact)
            same: Flags = np.asarray(texts.to_numpy(zero_copy_only=False) == self.bound, dtype=np.bool_)
            return facts.known(self.fact) & facts.is_text(self.fact) & (same if self.sign == "==" else ~same)
        numbers, bound = facts.numbers(self.fact), np.float64(self.bound or 0.0)
        limits = np.full(facts.rows, bound) if self.times is None else bound * facts.numbers(self.times)
        held: Flags = OPERATORS[self.sign](numbers, limits)
        # a comparison with NaN is false, but for !=
        return held & ~np.isnan(numbers) & ~np.isnan(limits) if self.sign == "!=" else held


def _bound(text: str, thresholds: Mapping[str, float]) -> float | str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    name = text.removeprefix("-")
    if name in thresholds:
        return float(thresholds[name]) * (-1 if text.startswith("-") else 1)
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"{text!r} is neither a number, a quoted text, nor a threshold ({', '.join(thresholds)})")
