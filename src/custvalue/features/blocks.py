"""What a block is made of: features with their declarations, computed customer by customer from a table and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.base import Base
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
    base : Base
        The whole base, with the block's table and those that it names in ``needs``; those that are not mapped are absent.
    customers : ibis.Table
        Whose features are built: current rows of customers in service, all of them or some.
    delays : mapping of str to int
        Days until a row of a further table is known; 0 where it is not named.
    complaint_categories : tuple of str
        Complaint categories that get a column each.
    departing_categories : tuple of str
        Complaint categories that announce a departure; no feature counts them.
    """

    moment: Moment
    windows: tuple[int, ...]
    base: Base
    customers: ibis.Table
    products: tuple[str, ...] = ()
    delay_days: int = 0
    delays: Mapping[str, int] = field(default_factory=dict)
    complaint_categories: tuple[str, ...] = ()
    departing_categories: tuple[str, ...] = ()

    def rows(self, table: str, facts: ibis.Table | None = None) -> ibis.Table:
        """Rows of a table that belong to the customers whose features are built.

        Parameters
        ----------
        table : str
            The block's table or one that it names in ``needs``.
        facts : ibis.Table, optional
            At most one row a customer, whose columns each of his rows gets; null for who has none.
        """
        rows, customers = self.base.tables[table], self.customers.select("customer_id")
        if facts is None:
            return rows.semi_join(customers, "customer_id")
        told = customers.left_join(facts, "customer_id").drop("customer_id_right")
        return rows.inner_join(told, "customer_id")

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
        ``define(table, view) -> (rows, features)``: the rows to aggregate by ``customer_id``, and the features. The table has the rows of
        the customers whose features are built.
    needs : tuple of str
        Further tables, which ``define`` finds in ``view.base.tables`` where they are mapped; the features that want an absent one are left
        out.
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

    def build(self, rows: ibis.Table, features: Sequence[Feature]) -> ibis.Table:
        """Give one row a customer who has any, with the features given, from the rows that ``define`` gave."""
        values = {feature.column.name: feature.value for feature in features}
        return rows.select("customer_id", **values) if self.one_row else rows.group_by("customer_id").agg(**values)


def number(value: Value) -> Value:
    """Cast to float64, the type of every numeric feature."""
    return value.cast("float64")


def only(value: Value, where: BooleanValue) -> Value:
    """Give a value where something is true, else null: what an aggregate of some of the rows adds up.

    A CASE, and not the aggregate's FILTER: for each of those DuckDB slices the rows once, which takes it twice as long.
    """
    return ibis.ifelse(where, value, ibis.null(value.type()))


def divided(numerator: Value, denominator: Value) -> Value:
    """Divide as float64; null where the denominator is zero or null."""
    return number(numerator) / number(denominator).nullif(0.0)
