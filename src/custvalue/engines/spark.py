"""Spark: the engine where one machine is not enough."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from custvalue.engines.duckdb import EngineError
from custvalue.errors import TryAgainError

if TYPE_CHECKING:
    from ibis.backends.pyspark import Backend

_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""For a master on this machine: nothing listens outside, and small data are not cut into hundreds of parts."""

_SESSION = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
"""Stored times are UTC; without ANSI a sum that overflows DECIMAL would become null instead of an error."""

_JOINS = {"spark.sql.autoBroadcastJoinThreshold": "-1", "spark.buffer.pageSize": "1m"}
"""A side that is broadcast is collected by the driver first; and whatever is joined here has been cut by the same key already, so that
dozens of sorts run in one stage, each of which holds a page at least."""


HOW_TO_INSTALL = (
    "Install the extra with `pip install 'custvalue[spark]'`, and Java 17 or newer (on Debian: apt install openjdk-17-jre-headless) "
    "or set JAVA_HOME."
)


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
    TryAgainError
        The master cannot be reached, or refuses the settings.
    """
    if part := missing_part():
        raise EngineError(f"Spark needs {part}, which is not here. {HOW_TO_INSTALL}")
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("custvalue").master(master)
    wanted = (_LOCAL if master.startswith("local") else {}) | _JOINS | dict(settings or {}) | _SESSION
    for name, value in wanted.items():
        builder = builder.config(name, value)
    ibis.options.sql.fuse_selects = False  # as for DuckDB: Spark's optimiser merges nested SELECTs itself
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    with plain_errors(f"master {master}"):
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)


def runs() -> bool:
    """Tell whether a session runs in this process, which `connect` would join."""
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession() is not None


def view_parts(con: Backend, name: str, rows: ibis.Table, *, key: str, count: int, numbers: Collection[int]) -> ibis.Table:
    """Name the rows of some parts, as `map_parts` cuts them; the same name again stands for other parts in every expression.

    Parameters
    ----------
    con : Backend
        The session.
    name : str
        Of the view.
    rows : ibis.Table
        All rows.
    key : str
        Column whose hash tells the part.
    count : int
        Parts in all.
    numbers : collection of int
        Those that are wanted.
    """
    from pyspark.sql import functions as F  # noqa: N812

    frame = con._session.sql(str(con.compile(rows)))
    if len(numbers) < count:
        frame = frame.filter(F.pmod(F.hash(key), F.lit(count)).isin(sorted(numbers)))
    frame.createOrReplaceTempView(name)
    return con.table(name)


def map_parts(
    con: Backend, expression: ibis.Table, function: Callable[[int, pa.Table], Mapping[str, Any]], told: pa.Schema, *, key: str, count: int
) -> list[dict[str, Any]]:
    """Apply a function to an expression's rows, part by part, where Spark has them; only what it tells comes back.

    Parameters
    ----------
    con : Backend
        The session.
    expression : ibis.Table
        The rows.
    function : callable
        ``function(number, rows) -> row of told``. It is sent to the workers, and called once more where one is lost. Rows come by key, in
        the types of the expression's schema; parts without rows are left out.
    told : pyarrow.Schema
        What the function tells of each part.
    key : str
        Column whose hash tells the part.
    count : int
        Parts in all.

    Raises
    ------
    EngineError
        Spark refused the statement.
    TryAgainError
        Spark gave the job up.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = expression.schema().to_pyarrow()

    def apply(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        rows = _table(batches, schema)
        if context is not None and rows.num_rows:
            yield pa.RecordBatch.from_pylist([dict(function(context.partitionId(), rows))], schema=told)

    with plain_errors():
        frame = con._session.sql(str(con.compile(expression))).repartition(count, key).sortWithinPartitions(key)
        return [row.asDict() for row in frame.mapInArrow(apply, from_arrow_schema(told)).collect()]


@contextmanager
def plain_errors(what: str = "job") -> Iterator[None]:
    """Tell in plain words when Spark refuses or gives up; what Python code raised in a worker passes through.

    Raises
    ------
    EngineError
        Spark refused a statement.
    TryAgainError
        It gave up, with the cause that it names.
    """
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException, PySparkRuntimeError, PythonException

    try:
        yield
    except PythonException:
        raise
    except (Py4JError, PySparkRuntimeError) as error:
        raise TryAgainError(
            f"Spark, {what}: given up. {_first_line(error)} What was finished stays: look at the driver's and executors' logs and at "
            "`spark` in the config, and run the command again."
        ) from error
    except PySparkException as error:
        raise EngineError(_first_line(error)) from error


def _table(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Put batches together in the types of a schema; Spark tells times with their zone, UTC."""
    found = list(batches)
    return pa.Table.from_batches(found).select(schema.names).cast(schema) if found else schema.empty_table()


def _first_line(error: Exception) -> str:
    java = getattr(error, "java_exception", None)
    text = str(java.getMessage() if java is not None else error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
