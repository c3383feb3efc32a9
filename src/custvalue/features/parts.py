"""Features computed part by part of the customers, so that a large base needs no more memory than a small one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import FeaturesConfig
from custvalue.engines import add_rows, memory_limit, resting_collector, write_parquet
from custvalue.features.base import Base, as_it_is
from custvalue.features.joining import FeatureSet, features_of
from custvalue.sources import Moment

_LARGEST = 100_000
"""Customers of a part at most: larger parts save no time."""

_BYTES = 16 * 2**10
"""Memory that a customer of a part takes, half as much again as measured with the columns of all tables."""

_SHARE = 0.5
"""Share of the engine's memory for a part; the rest holds what is kept of the whole base, and the result."""

_PART = "feature_customers"

_ROW_GROUP = 50_000
"""Rows of a row group in Parquet: every thread holds one of hundreds of columns while it writes."""


class FeatureParts:
    """The features of every active customer on the embedded engine, some customers at a time.

    What all parts need of the whole base is computed once. Parts are ranges of ``customer_id``: where files lie in that order, a part
    reads its own row groups alone.

    Parameters
    ----------
    con : Backend
        The engine that holds the tables.
    tables, moment, settings, delay_days, log
        As for `build_features`.
    revised : collection of str
        Tables where a key may come again: their latest versions are looked for once.
    at_once : int, optional
        Customers of a part; by default as many as the engine's memory bears.
    only : collection of str, optional
        As for `build_features`.

    Attributes
    ----------
    built : FeatureSet
        The features of the part that was opened last; its table is an expression.
    customers : ibis.Table
        The current rows of the same customers, as in `Base.active`.
    base : Base
        The whole base, for what is built beside the features.
    size, total, count : int
        Customers of a part at most, of all parts, and number of parts (at least one, which may be empty).
    """

    def __init__(
        self,
        con: Backend,
        tables: Mapping[str, ibis.Table],
        moment: Moment,
        settings: FeaturesConfig,
        *,
        delay_days: Mapping[str, int] | None = None,
        revised: Collection[str] = (),
        at_once: int | None = None,
        only: Collection[str] | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        kept = {name: _kept(table) if name in revised else table for name, table in tables.items()}
        base = replace(Base.of(kept, moment, keep=lambda table: table.cache()), keep=_kept)
        self._con, self.base = con, base
        self.size = at_once or max(1, min(_LARGEST, int(_SHARE * memory_limit(con)) // _BYTES))
        self.total = int(base.active.count().execute())
        ids = base.active.select("customer_id", nth=ibis.row_number().over(order_by="customer_id"))
        starts = ids.filter(ids.nth > 0, ids.nth % self.size == 0).order_by("nth").customer_id
        self._starts = ["", *starts.to_pyarrow().to_pylist()]
        self.count = len(self._starts)
        self.customers = con.create_table(_PART, schema=base.active.schema(), temp=True, overwrite=True)
        with resting_collector():
            # a single part with few columns has no use for all that others would share
            shared = base if only is None or self.count > 1 else replace(base, keep=as_it_is)
            self.built = features_of(self.customers, shared, moment, settings, delay_days=delay_days, only=only, log=log)

    def open(self, number: int) -> None:
        """Make `built` and `customers` those of a part, counted from 0."""
        own = self.base.active
        own = own.filter(own.customer_id >= self._starts[number])
        if number + 1 < self.count:
            own = own.filter(own.customer_id < self._starts[number + 1])
        self._con.create_table(_PART, own, temp=True, overwrite=True)

    def close(self) -> None:
        """Drop the part's customers."""
        self._con.drop_table(_PART, force=True)


def _kept(table: ibis.Table) -> ibis.Table:
    """Compute a table once; in the order of customers, so that a part reads its own rows alone here, too."""
    return (table.order_by("customer_id") if "customer_id" in table.columns else table).cache()


def compute_features(
    con: Backend,
    tables: Mapping[str, ibis.Table],
    moment: Moment,
    settings: FeaturesConfig,
    *,
    delay_days: Mapping[str, int] | None = None,
    revised: Collection[str] = (),
    into: Path | None = None,
    at_once: int | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> FeatureSet:
    """Compute the features of every active customer on the embedded engine, part by part.

    Parameters
    ----------
    con, tables, moment, settings, delay_days, revised, at_once, log
        As for `FeatureParts`.
    into : Path, optional
        Folder, made here, for one Parquet file a part; by default the result is the temporary table ``features``.

    Returns
    -------
    FeatureSet
        The table, computed, and the declarations of its columns.
    """
    parts = FeatureParts(con, tables, moment, settings, delay_days=delay_days, revised=revised, at_once=at_once, log=log)
    with resting_collector():
        select = str(con.compile(parts.built.table))
    for number in range(parts.count):
        parts.open(number)
        if into is None:
            add_rows(con, "features", select, new=number == 0)
        else:
            write_parquet(con, select, into / f"part-{number:03d}.parquet", row_group=_ROW_GROUP)
    parts.close()
    return replace(parts.built, table=con.table("features") if into is None else con.read_parquet(into))
