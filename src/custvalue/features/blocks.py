"""What a block is made of: features with their declarations, computed by one aggregation over one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
from ibis.expr.types import Value

from custvalue.features.columns import FeatureColumn
from custvalue.sources import Moment


@dataclass(frozen=True)
class View:
    """Where a block looks from.

    Attributes
    ----------
    moment : Moment
        The as-of moment.
    windows : tuple of int
        Months to look back over, ascending from 1.
    products : tuple of str
        Products that get a column each.
    delay_days : int
        Days until a row of the block's table is known.
    """

    moment: Moment
    windows: tuple[int, ...]
    products: tuple[str, ...] = ()
    delay_days: int = 0

    @property
    def longest(self) -> int:
        """The longest window, months."""
        return self.windows[-1]


@dataclass(frozen=True)
class Feature:
    """A declared column and the expression that gives it, an aggregate over one customer's rows."""

    column: FeatureColumn
    value: Value


@dataclass(frozen=True)
class Block:
    """One feature block.

    Attributes
    ----------
    table : str
        The contract table it reads.
    define : callable
        ``define(table, view) -> (rows, features)``: the rows to aggregate by customer, and the features.
    """

    table: str
    define: Callable[[ibis.Table, View], tuple[ibis.Table, Sequence[Feature]]]

    def build(self, table: ibis.Table, view: View) -> tuple[ibis.Table, tuple[FeatureColumn, ...]]:
        """Give one row a customer of the table, and the declarations of its columns in order."""
        rows, features = self.define(table, view)
        built = rows.group_by("customer_id").agg(**{feature.column.name: feature.value for feature in features})
        return built, tuple(feature.column for feature in features)


def number(value: Value) -> Value:
    """Cast to float64, the type of every numeric feature."""
    return value.cast("float64")


def divided(numerator: Value, denominator: Value) -> Value:
    """Divide as float64; null where the denominator is zero or null."""
    return number(numerator) / number(denominator).nullif(0.0)
