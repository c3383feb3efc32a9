"""Engines that hold and compute tables; the only home of engine packages."""

from custvalue.engines.duckdb import EngineError, connect, run, scalar

__all__ = ["EngineError", "connect", "run", "scalar"]
