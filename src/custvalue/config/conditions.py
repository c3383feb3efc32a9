"""Conditions on customers' facts, as text in YAML; `wording.conditions.holds` asks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo, model_validator

from custvalue.config.base import Settings

OPERATORS = (">=", "<=", ">", "<", "==", "!=")
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


def _bound(text: str, thresholds: Mapping[str, float]) -> float | str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    name = text.removeprefix("-")
    if name in thresholds:
        return float(thresholds[name]) * (-1 if text.startswith("-") else 1)
    if _NUMBER.fullmatch(text):
        return float(text)
    known = f", a quoted text, nor a threshold ({', '.join(thresholds)})" if thresholds else " nor a quoted text"
    raise ValueError(f"{text!r} is neither a number{known}")
