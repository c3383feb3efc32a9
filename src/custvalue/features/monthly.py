"""A monthly table set side by side: one row a customer, one column a month, and what follows from them row by row.

Amounts become whole float64 numbers (money of four decimals counts in ten-thousandths), so that their sums are exact below 9e15 and
everything after them is arithmetic of one row in a fixed order: the same on every engine and for any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import ibis
from ibis.expr.types import NumericColumn, Value

from custvalue.features.blocks import View
from custvalue.features.columns import FeatureColumn
from custvalue.features.seasons import movements
from custvalue.features.sums import (
    THIRTY_DAYS,
    add_up,
    band_sums,
    bands,
    compared_months,
    earlier_sums,
    moment_bands,
    moment_sums,
    months,
    scale_of,
    weight_of,
)
from custvalue.sources import add_months, month_index


@dataclass(frozen=True)
class Amount:
    """A monthly amount and how to speak of it.

    Attributes
    ----------
    name : str
        Column of the table.
    en, zh, unit, reason : str
        As in `FeatureColumn`.
    shape : bool
        Also trend, volatility and a fall adjusted for the season, beside level and fall.
    monthly : bool
        Each month is asked for, not only the windows' sums; always so with ``shape`` and ``by_day``.
    by_day : bool
        It grows with the days of a month, and is told for one of thirty days: the same use every day is no fall in February.
    consent : str, optional
        As in `FeatureColumn`.
    """

    name: str
    en: str
    zh: str
    unit: str
    reason: str
    shape: bool = False
    monthly: bool = False
    by_day: bool = False
    consent: str | None = None

    @property
    def apart(self) -> bool:
        """Whether each month is kept."""
        return self.shape or self.monthly or self.by_day

    def weights(self, view: View) -> list[float]:
        """Give what each month's amount is multiplied by, the newest first."""
        newest = view.moment.newest_month(view.delay_days)
        firsts = [add_months(newest, -lag) for lag in range(-1, view.longest)]
        return [weight_of((after - first).days) if self.by_day else 1.0 for after, first in pairwise(firsts)]

    def column(self, suffix: str, en: str, zh: str, unit: str | None = None, null: str = "too few months are known") -> FeatureColumn:
        """Declare a column of this amount."""
        return FeatureColumn(
            name=f"{self.name}_{suffix}",
            en=f"{self.en}, {en}",
            zh=f"{self.zh}{zh}",
            unit=unit or self.unit,
            null=null,
            reason=self.reason,
            consent=self.consent,
        )


@dataclass(frozen=True)
class Months:
    """Months side by side.

    Attributes
    ----------
    row : ibis.Table
        One row a customer with any row in the longest window.
    view : View
        Where the block looks from.
    scales : mapping of str to float
        Amount → what its whole numbers are divided by to give its unit.
    """

    row: ibis.Table
    view: View
    scales: Mapping[str, float]

    def value(self, name: str, lag: int) -> NumericColumn:
        """Amount of one month as a whole number, null where not known; ``lag`` 0 is the newest, others are there for monthly amounts."""
        return self.row[f"{name}_{lag}"]

    def total(self, name: str, window: int) -> NumericColumn:
        """Sum of the known months of a window as a whole number, 0 without any."""
        return self.row[f"{name}_total_{window}"]

    def known(self, name: str, window: int) -> NumericColumn:
        """Number of months of a window whose amount is known."""
        return self.row[f"{name}_known_{window}"]

    def zeros(self, name: str, window: int) -> Value:
        """Number of months of a window whose amount, one that is kept by month, is zero."""
        return add_up(self.row[f"{name}_zeros_{end}"] for end in self.view.windows if end <= window)

    def mean(self, name: str, window: int) -> Value:
        """Mean of the known months of a window, in the amount's unit; null without any."""
        return self.total(name, window) / self.known(name, window).nullif(0.0) / self.scales[name]

    def before(self, name: str, window: int) -> tuple[Value, Value]:
        """Sum (a whole number) and number of a window's known months but the newest."""
        return self.total(name, window) - self.total(name, 1), self.known(name, window) - self.known(name, 1)

    def moments(self, name: str, window: int) -> Moments:
        """Moments of a window's known months, from the amount's last known value."""
        ends = [end for _, end in moment_bands(self.view.windows) if end <= window]
        sums = {part: add_up(self.row[f"{name}_{part}_{end}"] for end in ends) for part in ("square", "cross", "lags", "lag_squares")}
        return Moments(off=self.total(name, window) - self.known(name, window) * self.row[f"{name}_last"], **sums)

    def earlier(self, name: str) -> tuple[Value, Value, Value]:
        """Number, mean and variance (n − 1) of the months before the newest, as whole numbers."""
        known, off, square, first = (self.row[f"{name}_{part}"] for part in ("before_known", "before_off", "before_square", "before_last"))
        some = known.nullif(0.0)
        return known, first + off / some, ibis.greatest(square - off * off / some, 0.0) / (known - 1.0).nullif(0.0)

    def season(self, name: str, window: int) -> Value:
        """Movement of everyone's amount: newest month over the window's earlier ones; see `seasons`."""
        return self.row[f"{name}_season_{window}"]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums over known months, with values counted from the last known one: of a bill that never changes all are exactly 0.

    Attributes
    ----------
    off, square, cross : ibis.Value
        Of values, of their squares, of their products with the lag.
    lags, lag_squares : ibis.Value
        Of lags and of their squares.
    """

    off: Value
    square: Value
    cross: Value
    lags: Value
    lag_squares: Value


def with_lag(table: ibis.Table, view: View) -> ibis.Table:
    """Keep the longest window's months and add ``lag``: 0 for the newest month that can be known, 1 for the one before."""
    newest = view.moment.newest_month(view.delay_days)
    # dates first: an engine skips whole parts of a file by them
    inside = table.filter((table.month > add_months(newest, -view.longest)) & (table.month < add_months(newest, 1)))
    inside = inside.mutate(lag=(month_index(newest) - (inside.month.year() * 12 + inside.month.month())).cast("int16"))
    return inside.filter(inside.lag < view.longest)


def side_by_side(
    rows: ibis.Table,
    amounts: Sequence[Amount],
    view: View,
    everybody: ibis.Table,
    compared: Mapping[str, str | None] | None = None,
    **more: Value,
) -> Months:
    """Turn months into columns, and add what features need of them.

    Parameters
    ----------
    rows : ibis.Table
        Table with `with_lag` applied, one row a customer and month.
    amounts : sequence of Amount
        Those of the table's columns that are wanted.
    view : View
        Where the block looks from.
    everybody : ibis.Table
        The same table with everybody's rows.
    compared : mapping of str to str or None, optional
        Amount whose newest month is compared with those before it → another amount to divide it by, month by month, as ``<amount>_rate``.
    **more : ibis.Value
        Further aggregates of ``rows`` by customer, carried along under their names.
    """
    scales = {amount.name: scale_of(rows[amount.name]) * (weight_of(THIRTY_DAYS) if amount.by_day else 1.0) for amount in amounts}
    aggregates: dict[str, Value] = {}
    for amount in amounts:
        aggregates |= months(rows, amount.name, amount.weights(view)) if amount.apart else bands(rows, amount.name, view.windows)
    row = rows.group_by("customer_id").agg(**aggregates, **more)
    first = {name: value for amount in amounts for name, value in band_sums(row, amount.name, view.windows, apart=amount.apart).items()}
    shaped = [amount.name for amount in amounts if amount.shape]
    first |= {f"{name}_last": ibis.coalesce(*(row[f"{name}_{lag}"] for lag in range(view.longest))) for name in shaped}
    for name, divisor in (compared or {}).items():
        first |= compared_months(row, name, divisor, view.longest)
    row = row.mutate(**first)
    # Ibis writes one select into the other wherever it can, with every expression as often as it is used; a join keeps them apart
    if shaped and view.longest > 1:
        weights = {amount.name: amount.weights(view) for amount in amounts if amount.shape}
        row = row.left_join(movements(everybody, weights, view), "customer_id", rname="{name}_moved").drop("customer_id_moved")
    row = row.mutate(**_window_sums(row, scales, shaped, compared or {}, view))
    return Months(row, view, scales)


def _window_sums(
    row: ibis.Table, names: Iterable[str], shaped: Iterable[str], compared: Mapping[str, str | None], view: View
) -> dict[str, Value]:
    columns: dict[str, Value] = {}
    for name in names:
        for window in view.windows:
            for part, sums in (("total", "sum"), ("known", "count")):
                columns[f"{name}_{part}_{window}"] = add_up(row[f"{name}_{sums}_{end}"] for end in view.windows if end <= window)
    for name in shaped:
        columns |= moment_sums(row, name, view.windows)
    for name, divisor in compared.items():
        columns |= earlier_sums(row, f"{name}_rate" if divisor else name, view.longest)
    return columns
