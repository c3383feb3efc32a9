"""From a number to the digits that people read, and the unit that follows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from custvalue.wording.facts import Floats

Digits = tuple[str, str]

MONEY = "money"
TEXT = "text"
DATES = {"date_ahead": 1, "date_ago": -1}
"""Formats that turn a number of days from tonight into a date, and which way they count."""

WHOLE_MONEY_FROM = 9.995
"""Amounts of at least this size are written without decimals; below it 9.996 would read ``10.00``."""

_TENTHS_BELOW = 9.95
_MB_PER_GB = 1024
_GB_FROM = 0.1 * _MB_PER_GB


def half_up(value: float, places: int) -> Decimal:
    """Round halves away from zero, looking at fifteen significant digits, as spreadsheets do.

    >>> half_up(0.145, 2), half_up(-0.004, 2)
    (Decimal('0.15'), Decimal('0.00'))
    """
    exact = Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return abs(exact) if exact.is_zero() else exact


def halves_up(values: Floats, places: int) -> Floats:
    """Round many numbers as `half_up` does; those so near to a half that binary digits could decide are looked at one by one."""
    scaled = np.abs(values) * 10**places
    whole = np.floor(scaled)
    near = np.abs(scaled - whole - 0.5) <= 1e-12 * np.maximum(scaled, 1.0)
    result: Floats = np.copysign((whole + (scaled - whole > 0.5)) / 10**places, values) + 0.0  # no minus before a zero
    distinct, which = np.unique(values[near], return_inverse=True)
    result[near] = np.array([float(half_up(value, places)) for value in distinct.tolist()])[which]
    return result


def rounded(value: float, places: int) -> str:
    """Write a number with thousands separators, rounded so that a sentence and a spreadsheet's cell show the same.

    >>> rounded(1234.5, 0)
    '1,235'
    """
    return f"{half_up(value, places):,f}"


def whole_percent(value: float) -> Decimal:
    """Round a share to whole percent; what is less than all never reads 100 %.

    >>> whole_percent(0.4091), whole_percent(0.9966), whole_percent(-1.0)
    (Decimal('0.41'), Decimal('0.99'), Decimal('-1.00'))
    """
    share = half_up(value, 2)
    return share if abs(share) != 1 or abs(value) >= 1 else Decimal("0.99").copy_sign(share)


def plain(value: float) -> str:
    """Write a quantity: one decimal below ten where it is not whole, else none.

    >>> plain(18.0), plain(2.46), plain(310.7)
    ('18', '2.5', '311')
    """
    return rounded(value, 0) if abs(value) >= _TENTHS_BELOW else rounded(value, 1).removesuffix(".0")


def _money(value: float) -> Digits:
    return rounded(value, 0 if abs(value) >= WHOLE_MONEY_FROM else 2), MONEY


def _percent(value: float) -> Digits:
    return f"{whole_percent(value) * 100:,.0f}", "percent"


def _negated_percent(value: float) -> Digits:
    return _percent(-value)


def _gb(value: float) -> Digits:
    return (plain(value / _MB_PER_GB), "gb") if abs(value) >= _GB_FROM else (plain(value), "mb")


def _in(unit: str) -> Callable[[float], Digits]:
    return lambda value: (plain(value), unit)


def _few_money(values: Floats) -> Floats:
    return np.where(np.abs(values) >= WHOLE_MONEY_FROM, halves_up(values, 0), halves_up(values, 2))


def _few_percent(values: Floats) -> Floats:
    shares = halves_up(values, 2)
    return np.where((np.abs(shares) == 1) & (np.abs(values) < 1), np.copysign(0.99, shares), shares)


def _few_plain(values: Floats) -> Floats:
    return np.where(np.abs(values) >= _TENTHS_BELOW, halves_up(values, 0), halves_up(values, 1))


def _few_gb(values: Floats) -> Floats:
    return np.where(np.abs(values) >= _GB_FROM, _few_plain(values / _MB_PER_GB) * _MB_PER_GB, _few_plain(values))


@dataclass(frozen=True)
class NumberFormat:
    """How a number is written.

    Attributes
    ----------
    digits : callable
        One number → its digits and its unit, whose words are in ``labels.yaml``.
    few : callable
        Many numbers → the numbers that read the same, of which there are few: each is written once.
    units : tuple of str
        Units of the features that may be written so.
    """

    digits: Callable[[float], Digits]
    few: Callable[[Floats], Floats]
    units: tuple[str, ...]


NUMBER_FORMATS: dict[str, NumberFormat] = {
    MONEY: NumberFormat(_money, _few_money, ("money",)),
    "percent": NumberFormat(_percent, _few_percent, ("share",)),
    "negated_percent": NumberFormat(_negated_percent, _few_percent, ("share",)),  # a drop of −0.41 is a rise of 41 %
    "days": NumberFormat(_in("days"), _few_plain, ("days",)),
    "months": NumberFormat(_in("months"), _few_plain, ("months",)),
    "minutes": NumberFormat(_in("minutes"), _few_plain, ("minutes",)),
    "count": NumberFormat(_in("count"), _few_plain, ("count", "points")),
    "times": NumberFormat(_in("times"), _few_plain, ("count",)),
    "gb": NumberFormat(_gb, _few_gb, ("MB",)),
}
"""Placeholder format → how a number is written."""

FITTING = {name: form.units for name, form in NUMBER_FORMATS.items()} | dict.fromkeys(DATES, ("days",)) | {TEXT: ("category",)}
"""Placeholder format → units of the features that may stand there."""

UNITS = ("percent", "days", "months", "minutes", "count", "times", "gb", "mb")
"""Units that ``labels.yaml`` must word."""
