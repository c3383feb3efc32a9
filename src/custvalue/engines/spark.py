"""Spark: the engine where one machine is not enough."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import ibis

from custvalue.engines.duckdb import EngineError

if TYPE_CHECKING:
    from ibis.backends.pyspark import Backend

_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""For a master on this machine: nothing listens outside, and small data are not cut into hundreds of parts."""

_SESSION = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
"""Stored times are UTC; without ANSI a sum that overflows DECIMAL would become null instead of an error."""


def missing_part() -> str | None:
    """Name what this machine lacks for Spark: the Python package or Java; None where nothing is."""
    if find_spec("pyspark") is None:
        return "pyspark"
    home = os.environ.get("JAVA_HOME")
    return None if shutil.which("java", path=f"{home}/bin" if home else None) else "Java"


def connect(*, master: str = "local[2]", settings: Mapping[str, str] | None = None) -> Backend:
    """Open a Spark session that works in UTC and refuses to overflow, or join the one that runs in this process.

    Parameters
    ----------
    master : str
        Where Spark runs; ``local[2]`` is two threads of this process. A session that runs already stays where it is.
    settings : mapping of str to str, optional
        Further Spark settings; they win over those made here, but for the two that results depend on (UTC, ANSI).

    Raises
    ------
    EngineError
        ``pyspark`` or Java is missing.
    """
    if part := missing_part():
        raise EngineError(
            f"Spark needs {part}, which is not here. Install the extra with `pip install 'custvalue[spark]'`, and Java 17 or newer "
            "(on Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME."
        )
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("custvalue").master(master)
    wanted = (_LOCAL if master.startswith("local") else {}) | dict(settings or {}) | _SESSION
    for name, value in wanted.items():
        builder = builder.config(name, value)
    ibis.options.sql.fuse_selects = False  # as for DuckDB: Spark's optimiser merges nested SELECTs itself
    return ibis.pyspark.connect(builder.getOrCreate())
