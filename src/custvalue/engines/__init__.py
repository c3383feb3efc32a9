"""Engines that hold and compute tables; the only home of engine packages."""

from collections.abc import Callable, Mapping

from ibis.backends import BaseBackend

from custvalue.engines import duckdb, spark
from custvalue.engines.duckdb import (
    EngineError,
    add_rows,
    batches,
    connect,
    fetch,
    in_background,
    memory_limit,
    resting_collector,
    run,
    scalar,
    within_memory,
    write_parquet,
)
from custvalue.engines.parquet import read_table, read_tables

ENGINES: Mapping[str, Callable[[], BaseBackend]] = {"duckdb": duckdb.connect, "spark": spark.connect}
"""Every engine and how to open it; a new one is one file and one line here."""

__all__ = [
    "ENGINES",
    "EngineError",
    "add_rows",
    "batches",
    "connect",
    "fetch",
    "in_background",
    "memory_limit",
    "read_table",
    "read_tables",
    "resting_collector",
    "run",
    "scalar",
    "within_memory",
    "write_parquet",
]
