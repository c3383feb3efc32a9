"""Sums over months that stand side by side, as expressions: each month is looked at once, whatever the number of windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from operator import add

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import divided, number, only

LEAST_MONTHS = 3
"""Months that a trend, a volatility or an own history needs."""

THIRTY_DAYS = 30
_COMMON_DAYS = 377_580
"""The least number that months of 28, 29, 30 and 31 days all divide: an amount a day times this many days is whole where the amount is."""


def add_up(values: Iterable[Value]) -> Value:
    """Add values from left to right."""
    return reduce(add, values)


def scale_of(value: Value) -> float:
    """Give what an amount is multiplied by to be whole: 10,000 for money of four decimals."""
    kind = value.type()
    return float(10**kind.scale) if kind.is_decimal() else 1.0


def whole(value: Value, scale: float) -> Value:
    """Turn an amount into a whole float64 number."""
    # the nearest float64 of 33.3333 is not whole in ten-thousandths: rounding makes it so
    return number(value) if scale == 1.0 else number((number(value) * scale + 0.5).floor())


def weight_of(days: int) -> float:
    """Give the whole number that an amount of a month of so many days is multiplied by, so that equal use a day gives equal amounts."""
    return float(_COMMON_DAYS // days)


def months(rows: ibis.Table, name: str, weights: Sequence[float]) -> dict[str, Value]:
    """One aggregate a month: ``<name>_<lag>``; a customer has at most one row a month, so that any value of it is the only one."""
    scale = scale_of(rows[name])
    return {f"{name}_{lag}": whole(only(rows[name], rows.lag == lag).arbitrary(), scale) * weight for lag, weight in enumerate(weights)}


def bands(rows: ibis.Table, name: str, windows: Sequence[int]) -> dict[str, Value]:
    """Aggregate the months between one window's end and the next one's: fewer than months, and all that windows need."""
    aggregates: dict[str, Value] = {}
    for start, end in pairwise((0, *windows)):
        value = only(rows[name], (rows.lag >= start) & (rows.lag < end))
        aggregates |= {f"{name}_band_{end}": whole(value.sum(), scale_of(rows[name])), f"{name}_band_count_{end}": value.count()}
    return aggregates


def band_sums(row: ibis.Table, name: str, windows: Sequence[int], *, apart: bool) -> dict[str, Value]:
    """Sum and number of each band's known months, ``<name>_sum_<end>`` and ``<name>_count_<end>``, from `months` or from `bands`.

    Of months that stand apart also the zeros, ``<name>_zeros_<end>``.
    """
    columns: dict[str, Value] = {} if apart else {f"{name}_0": row[f"{name}_band_1"]}
    for start, end in pairwise((0, *windows)):
        if apart:
            own = [row[f"{name}_{lag}"] for lag in range(start, end)]
            columns[f"{name}_sum_{end}"] = add_up(value.fill_null(0.0) for value in own)
            columns[f"{name}_count_{end}"] = add_up(number(value.notnull()) for value in own)
            columns[f"{name}_zeros_{end}"] = add_up(number(value == 0).fill_null(0.0) for value in own)
        else:
            columns[f"{name}_sum_{end}"] = row[f"{name}_band_{end}"].fill_null(0.0)
            columns[f"{name}_count_{end}"] = number(row[f"{name}_band_count_{end}"])
    return columns


def moment_bands(windows: Sequence[int]) -> list[tuple[int, int]]:
    """First and one past the last month of the bands between windows that are long enough for a shape."""
    return list(pairwise((0, *(window for window in windows if window >= LEAST_MONTHS))))


def moment_sums(row: ibis.Table, name: str, windows: Sequence[int]) -> dict[str, Value]:
    """Give the sums that trend and volatility need, band by band, of values counted from the last known one.

    That one lies inside every window that has any, so the differences are no larger than the window's own, and little is lost when
    sums of them are subtracted.
    """
    columns: dict[str, Value] = {}
    for start, end in moment_bands(windows):
        off = {lag: row[f"{name}_{lag}"] - row[f"{name}_last"] for lag in range(start, end)}
        there = {lag: number(row[f"{name}_{lag}"].notnull()) for lag in range(start, end)}
        columns[f"{name}_square_{end}"] = add_up((value * value).fill_null(0.0) for value in off.values())
        columns[f"{name}_cross_{end}"] = add_up((value * float(lag)).fill_null(0.0) for lag, value in off.items())
        columns[f"{name}_lags_{end}"] = add_up(one * float(lag) for lag, one in there.items())
        columns[f"{name}_lag_squares_{end}"] = add_up(one * float(lag * lag) for lag, one in there.items())
    return columns


def compared_months(row: ibis.Table, name: str, divisor: str | None, longest: int) -> dict[str, Value]:
    """Months of a rate, where one amount is divided by another, and the last known one before the newest."""
    own = [row[f"{name}_{lag}"] for lag in range(longest)]
    if divisor is not None:
        own = [divided(value, row[f"{divisor}_{lag}"]) for lag, value in enumerate(own)]
        name = f"{name}_rate"
    columns = {} if divisor is None else {f"{name}_{lag}": value for lag, value in enumerate(own)}
    return columns | ({f"{name}_before_last": ibis.coalesce(*own[1:])} if longest > 1 else {})


def earlier_sums(row: ibis.Table, name: str, longest: int) -> dict[str, Value]:
    """Number, sum and sum of squares of the known months before the newest, counted from the last known one of them."""
    if longest == 1:
        return {}
    own = [row[f"{name}_{lag}"] for lag in range(1, longest)]
    off = [value - row[f"{name}_before_last"] for value in own]
    return {
        f"{name}_before_known": add_up(number(value.notnull()) for value in own),
        f"{name}_before_off": add_up(value.fill_null(0.0) for value in off),
        f"{name}_before_square": add_up((value * value).fill_null(0.0) for value in off),
    }
