"""DuckDB, embedded: the engine of one machine."""

from __future__ import annotations

import gc
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

from custvalue.errors import CustValueError

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
def in_background(con: Backend) -> Iterator[Callable[[ibis.Table], Future[pa.Table]]]:
    """Give a function that computes expressions one after another beside the caller.

    Writing the statement of a wide expression takes Python as long as DuckDB takes to run it, so the next one is written meanwhile.
    Python's collector of cycles rests inside: it would walk the millions of small objects of an expression again and again. Temporary
    tables of the connection are not seen.

    Yields
    ------
    callable
        ``compute(expression) -> Future[pyarrow.Table]``; its errors are those of `run`.
    """
    cursor = con.con.cursor()
    cursor.execute("SET TimeZone = 'UTC'")

    def fetch(sql: str) -> pa.Table:
        try:
            return cursor.execute(sql).to_arrow_table()
        except duckdb.Error as error:
            raise EngineError(_told(error)) from error

    collecting = gc.isenabled()
    gc.disable()
    try:
        with ThreadPoolExecutor(max_workers=1) as worker:
            yield lambda expression: worker.submit(fetch, str(con.compile(expression)))
    finally:
        cursor.close()
        if collecting:
            gc.enable()


def run(con: Backend, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement and fetch its rows.

    Raises
    ------
    EngineError
        With the engine's first line of explanation and the cause that a later one names, but no line of data.
    """
    try:
        return [tuple(row) for row in con.raw_sql(sql).fetchall()]
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise EngineError(_told(error)) from error


def records(con: Backend, expression: ibis.Table) -> list[dict[str, Any]]:
    """Run an Ibis expression of few rows and fetch them as column → value; the errors are those of `run`."""
    return [dict(zip(expression.columns, row, strict=True)) for row in run(con, con.compile(expression))]


def _told(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = lines[:1] + [line for line in lines[1:] if _CAUSE.match(line)]
    return " ".join(told) or type(error).__name__


def scalar(con: Backend, sql: str) -> Any:
    """Run a statement that gives one value."""
    return run(con, sql)[0][0]
