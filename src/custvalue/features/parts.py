"""Features computed part by part of the customers, so that a large base needs no more memory than a small one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import FeaturesConfig
from custvalue.engines import add_rows, memory_limit, resting_collector, write_parquet
from custvalue.features.base import Base
from custvalue.features.joining import FeatureSet, features_of
from custvalue.sources import Moment

_LARGEST = 100_000
"""Customers of a part at most: larger parts save no time."""

_BYTES = 16 * 2**10
"""Memory that a customer of a part takes, half as much again as measured with the columns of all tables."""

_SHARE = 0.5
"""Share of the engine's memory for a part; the rest holds what is kept of the whole base, and the result."""

_ROW_GROUP = 50_000
"""Rows of a row group in Parquet: every thread holds one of hundreds of columns while it writes."""


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
    """Compute the features of every active customer on the embedded engine.

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
    into : Path, optional
        Folder, made here, for one Parquet file a part; by default the result is the temporary table ``features``.
    at_once : int, optional
        Customers of a part; by default as many as the engine's memory bears.

    Returns
    -------
    FeatureSet
        The table, computed, and the declarations of its columns.
    """
    kept = {name: table.cache() if name in revised else table for name, table in tables.items()}
    base = Base.of(kept, moment, keep=lambda table: table.cache())
    size = at_once or max(1, min(_LARGEST, int(_SHARE * memory_limit(con)) // _BYTES))
    nth = ibis.row_number().over(order_by="customer_id")
    numbered = base.active.mutate(part=nth // size).cache()
    parts = 1 + (numbered.part.max().execute() or 0)
    part = con.create_table("feature_customers", schema=base.active.schema(), temp=True, overwrite=True)
    with resting_collector():
        built = features_of(part, base, moment, settings, delay_days=delay_days, log=log)
        select = str(con.compile(built.table))
    for number in range(parts):
        con.create_table("feature_customers", numbered.filter(numbered.part == number).drop("part"), temp=True, overwrite=True)
        if into is None:
            add_rows(con, "features", select, new=number == 0)
        else:
            write_parquet(con, select, into / f"part-{number:03d}.parquet", row_group=_ROW_GROUP)
    con.drop_table("feature_customers")
    return replace(built, table=con.table("features") if into is None else con.read_parquet(into))
