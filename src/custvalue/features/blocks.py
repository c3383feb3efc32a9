"""What a block is made of: features with their declarations, computed customer by customer from a table and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis
from ibis.expr.types import Value

from custvalue.features.columns import FeatureColumn
from custvalue.sources import Moment

RECENT_MONTHS = 3
"""Facts that need one short window, a share of the bill say, look back over at most so many months."""


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
    tables : mapping of str to ibis.Table
        The further tables that the block names in ``needs``, as known at the moment; those that are not mapped are absent.
    delays : mapping of str to int
        Days until a row of a further table is known; 0 where it is not named.
    complaint_categories : tuple of str
        Complaint categories that get a column each.
    departing_categories : tuple of str
        Complaint categories that announce a departure; no feature counts them.
    """

    moment: Moment
    windows: tuple[int, ...]
    products: tuple[str, ...] = ()
    delay_days: int = 0
    tables: Mapping[str, ibis.Table] = field(default_factory=dict)
    delays: Mapping[str, int] = field(default_factory=dict)
    complaint_categories: tuple[str, ...] = ()
    departing_categories: tuple[str, ...] = ()

    @property
    def longest(self) -> int:
        """The longest window, months."""
        return self.windows[-1]

    @property
    def recent(self) -> int:
        """The longest window of at most three months."""
        return max(window for window in self.windows if window <= RECENT_MONTHS)


@dataclass(frozen=True)
class Feature:
    """A declared column and the expression that gives it: an aggregate over one customer's rows, or a value of his single row."""

    column: FeatureColumn
    value: Value


@dataclass(frozen=True)
class Block:
    """One feature block.

    Attributes
    ----------
    table : str
        The contract table it reads; without it the block is off.
    define : callable
        ``define(table, view) -> (rows, features)``: the rows to aggregate by ``customer_id``, and the features.
    needs : tuple of str
        Further tables, which ``define`` finds in ``view.tables`` where they are mapped; the features that want an absent one are left out.
    one_row : bool
        The rows that ``define`` gives are one a customer already (several tables aggregated and joined, or months set side by side), and
        its features are values of that row, not aggregates.
    combines : bool
        ``define`` gets the joined columns of all blocks that do not combine, in place of a table's rows, and its features are values of
        that row. It leaves out what wants an absent column, and declares the consent that the columns it reads ask for.
    """

    table: str
    define: Callable[[ibis.Table, View], tuple[ibis.Table, Sequence[Feature]]]
    needs: tuple[str, ...] = ()
    one_row: bool = False
    combines: bool = False

    def build(self, table: ibis.Table, view: View) -> tuple[ibis.Table, tuple[FeatureColumn, ...]]:
        """Give one row a customer of the table, and the declarations of its columns in order."""
        rows, features = self.define(table, view)
        values = {feature.column.name: feature.value for feature in features}
        built = rows.select("customer_id", **values) if self.one_row else rows.group_by("customer_id").agg(**values)
        return built, tuple(feature.column for feature in features)


def number(value: Value) -> Value:
    """Cast to float64, the type of every numeric feature."""
    return value.cast("float64")


def divided(numerator: Value, denominator: Value) -> Value:
    """Divide as float64; null where the denominator is zero or null."""
    return number(numerator) / number(denominator).nullif(0.0)
