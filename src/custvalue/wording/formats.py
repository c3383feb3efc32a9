"""From a number to the digits that people read, and the unit that follows them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

Digits = tuple[str, str]

MONEY = "money"
TEXT = "text"
WHOLE_MONEY_FROM = 9.995
"""Amounts of at least this size are written without decimals; below it 9.996 would read ``10.00``."""

_MB_PER_GB = 1024


def half_up(value: float, places: int) -> Decimal:
    """Round halves away from zero, looking at fifteen significant digits, as spreadsheets do.

    >>> half_up(0.145, 2), half_up(-0.004, 2)
    (Decimal('0.15'), Decimal('0.00'))
    """
    exact = Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return abs(exact) if exact.is_zero() else exact


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
    return rounded(value, 0) if abs(value) >= 9.95 else rounded(value, 1).removesuffix(".0")


def _money(value: float) -> Digits:
    return rounded(value, 0 if abs(value) >= WHOLE_MONEY_FROM else 2), MONEY


def _percent(value: float) -> Digits:
    return f"{whole_percent(value) * 100:,.0f}", "percent"


def _negated_percent(value: float) -> Digits:
    return _percent(-value)


def _gb(value: float) -> Digits:
    return (plain(value / _MB_PER_GB), "gb") if abs(value) >= 0.1 * _MB_PER_GB else (plain(value), "mb")


def _in(unit: str) -> Callable[[float], Digits]:
    return lambda value: (plain(value), unit)


NUMBER_FORMATS: dict[str, Callable[[float], Digits]] = {
    MONEY: _money,
    "percent": _percent,
    "negated_percent": _negated_percent,  # a drop of −0.41 is a rise of 41 %
    "days": _in("days"),
    "months": _in("months"),
    "minutes": _in("minutes"),
    "count": _in("count"),
    "gb": _gb,
}
"""Placeholder format → function from a number to its digits and unit; the units' words live in ``labels.yaml``."""

UNITS = ("percent", "days", "months", "minutes", "count", "gb", "mb")
"""Units that ``labels.yaml`` must word."""
