"""DuckDB, embedded: the engine of one machine."""

from __future__ import annotations

import errno
import gc
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from custvalue.errors import CustValueError, TryAgainError

# DuckDB tells what is wrong with a CSV after a copy of the line, which may hold identifiers.
_CAUSE = re.compile("Expected Number of Columns|Invalid unicode|Value with unterminated quote")


class EngineError(CustValueError):
    """The engine refused a statement; the caller says which table or file it was about."""


def connect(*, memory_limit: str | None = None, spill: Path | None = None) -> Backend:
    """Open an empty in-memory database whose session works in UTC.

    Parameters
    ----------
    memory_limit : str, optional
        For example ``4GB``; by default four fifths of the machine's memory.
    spill : Path, optional
        Folder for what does not fit into memory; made when it is needed, in a folder that exists, and emptied when the connection closes.
    """
    # Ibis spends nearly half of a wide statement's compilation on nesting fewer SELECTs, which DuckDB's own optimiser does anyway.
    ibis.options.sql.fuse_selects = False
    con = ibis.duckdb.connect()
    if memory_limit is not None:
        con.raw_sql(f"SET memory_limit = '{memory_limit}'")
    if spill is not None:
        con.raw_sql("SET temp_directory = '{}'".format(str(spill).replace("'", "''")))
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("SET enable_progress_bar = false")
    con.raw_sql("SET preserve_insertion_order = false")  # who needs an order asks for it; keeping one takes memory
    return con


@contextmanager
def in_background(con: Backend, step: str = "snapshots") -> Iterator[Callable[[ibis.Table], Future[pa.Table]]]:
    """Give a function that computes expressions one after another beside the caller.

    Writing the statement of a wide expression takes Python as long as DuckDB takes to run it, so the next one is written meanwhile.
    Temporary tables of the connection are not seen.

    Parameters
    ----------
    con : Backend
        The connection.
    step : str
        What is computed, for the message where memory does not suffice; see `within_memory`.

    Yields
    ------
    callable
        ``compute(expression) -> Future[pyarrow.Table]``; its errors are those of `run`.
    """
    cursor = con.con.cursor()
    cursor.execute("SET TimeZone = 'UTC'")

    try:
        with resting_collector(), within_memory(con, step), ThreadPoolExecutor(max_workers=1) as worker:
            yield lambda expression: worker.submit(_fetch, cursor, str(con.compile(expression)))
    finally:
        cursor.close()


@contextmanager
def resting_collector() -> Iterator[None]:
    """Rest Python's collector of cycles: it would walk the millions of small objects of a wide expression again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def run(con: Backend, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement and fetch its rows.

    Raises
    ------
    EngineError
        With the engine's first line of explanation and the cause that a later one names, but no line of data.
    duckdb.OutOfMemoryException
        Memory did not suffice; `within_memory` tells of it.
    """
    try:
        return [tuple(row) for row in con.raw_sql(sql).fetchall()]
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise EngineError(_told(error)) from error


def fetch(con: Backend, sql: str) -> pa.Table:
    """Run one statement and fetch its rows as Arrow; the errors are those of `run`."""
    return _fetch(con.con, sql)


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    try:
        return connection.execute(sql).to_arrow_table()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise EngineError(_told(error)) from error


def batches(con: Backend, sql: str, rows: int = 1_000_000) -> Iterator[pa.RecordBatch]:
    """Run one statement and give its rows a batch at a time, holding no more; the errors are those of `run`, at any batch."""
    try:
        yield from con.con.execute(sql).to_arrow_reader(rows)
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise EngineError(_told(error)) from error


def records(con: Backend, expression: ibis.Table) -> list[dict[str, Any]]:
    """Run an Ibis expression of few rows and fetch them as column → value; the errors are those of `run`."""
    return [dict(zip(expression.columns, row, strict=True)) for row in run(con, con.compile(expression))]


@contextmanager
def within_memory(con: Backend, step: str) -> Iterator[None]:
    """Tell in plain words when the engine's memory does not suffice for a step.

    Raises
    ------
    TryAgainError
        With the limit, and what to do.
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException, OSError, EngineError) as error:
        cause = error.__cause__ if isinstance(error, EngineError) else error
        if not isinstance(cause, duckdb.OutOfMemoryException) and os.strerror(errno.ENOSPC) not in str(cause):
            raise
        limit, folder = (scalar(con, f"SELECT current_setting('{name}')") for name in ("memory_limit", "temp_directory"))
        raise TryAgainError(
            f"{step}: memory of {limit} and what may be written to disk ({folder or 'no folder given'}) do not suffice for the engine. "
            "Raise `sources.memory_limit`, free disk in that folder, and run the command again."
        ) from error


def memory_limit(con: Backend) -> int:
    """Most memory that the engine takes, bytes."""
    return int(scalar(con, "SELECT parse_formatted_bytes(current_setting('memory_limit'))"))


def add_rows(con: Backend, table: str, select: str, *, new: bool) -> None:
    """Append the rows of a SELECT to a temporary table, or make a new one of them; errors are those of `run`."""
    run(con, f'{"CREATE OR REPLACE TEMP TABLE" if new else "INSERT INTO"} "{table}" {"AS" if new else ""} {select}')


def write_parquet(con: Backend, select: str, path: Path, *, row_group: int) -> None:
    """Write the rows of a SELECT into a Parquet file, in a folder that is made; errors are those of `run`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = str(path).replace("'", "''")
    run(con, f"COPY ({select}) TO '{target}' (FORMAT parquet, ROW_GROUP_SIZE {row_group})")


def _told(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = lines[:1] + [line for line in lines[1:] if _CAUSE.match(line)]
    return " ".join(told) or type(error).__name__


def scalar(con: Backend, sql: str) -> Any:
    """Run a statement that gives one value."""
    return run(con, sql)[0][0]
