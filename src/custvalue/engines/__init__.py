"""Engines that hold and compute tables; the only home of engine packages."""

from collections.abc import Callable, Mapping

from ibis.backends import BaseBackend

from custvalue.engines import duckdb, spark
from custvalue.engines.duckdb import EngineError, connect, in_background, run, scalar
from custvalue.engines.parquet import read_tables

ENGINES: Mapping[str, Callable[[], BaseBackend]] = {"duckdb": duckdb.connect, "spark": spark.connect}
"""Every engine and how to open it; a new one is one file and one line here."""

__all__ = ["ENGINES", "EngineError", "connect", "in_background", "read_tables", "run", "scalar"]
