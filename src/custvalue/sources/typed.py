"""Typed contract tables: a view over Parquet files that have the contract's types, a table in memory otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ibis.backends.duckdb import Backend

from custvalue.config import Config
from custvalue.engines import EngineError, run, scalar
from custvalue.errors import DataError, some
from custvalue.sources.declaration import MONEY, Table
from custvalue.sources.files import TableFiles
from custvalue.sources.mapping import with_search_path
from custvalue.sources.profile import DAY, OVER, event_days, event_instant
from custvalue.sources.sql import cast_to, literal, quoted, refuse_bad_casts

_SMALL_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"}
_LOSSLESS: Mapping[str, set[str]] = {
    "BIGINT": _SMALL_INTEGERS,
    "DOUBLE": _SMALL_INTEGERS | {"FLOAT"},
    "TIMESTAMP": {"DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"},
    MONEY: _SMALL_INTEGERS,
}
"""Type → types that convert to it without a check."""
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def create_table(con: Backend, declared: Table, source: TableFiles | str, config: Config, *, copy_below: int) -> bool:
    """Make ``contract.<table>`` with typed columns and ``available_at``.

    Parameters
    ----------
    con : Backend
        The engine.
    declared : Table
        What the table must be.
    source : TableFiles or str
        Its files, or the SELECT that a mapping gives.
    config : Config
        Delays and time zone.
    copy_below : int
        Larger Parquet files whose columns convert without loss are read where they lie.

    Returns
    -------
    bool
        Whether the table is a view over its files.
    """
    where = f"table {declared.name}"
    try:
        relation = _relation(con, declared, source)
        types = {row[0]: row[1] for row in run(con, f"DESCRIBE SELECT * FROM {relation}")}
    except EngineError as error:
        raise DataError(f"{where}: cannot be read: {error}") from error
    if absent := [c.name for c in declared.columns if c.required and c.name not in types]:
        raise DataError(f"{where}: required column(s) missing: {', '.join(absent)}. It has {some(types, 20)}.")
    wanted = {name: dtype for name, dtype in declared.types.items() if name in types}
    try:
        for name in (lossy := [name for name, dtype in wanted.items() if not _lossless(types[name], dtype)]):
            refuse_bad_casts(con, relation, quoted(name), wanted[name], f"{where}, column {name}")
        in_place = isinstance(source, TableFiles) and source.parquet and not lossy and source.size > copy_below
        columns, known = _columns(con, declared, relation, types, wanted, config)
        select = f"SELECT {', '.join(columns)} FROM {known}"
        run(con, f"CREATE {'VIEW' if in_place else 'TABLE'} contract.{declared.name} AS {select}")
        run(con, f"DROP TABLE IF EXISTS raw_{declared.name}")
    except EngineError as error:
        raise DataError(f"{where}: cannot be read: {error}") from error
    return in_place


def _relation(con: Backend, declared: Table, source: TableFiles | str) -> str:
    """Give what stands behind FROM: Parquet files are read when they are needed, texts and mappings once."""
    if isinstance(source, TableFiles) and source.parquet:
        return f"({source.select})"
    with_search_path(con, f"CREATE TEMP TABLE raw_{declared.name} AS {source.select if isinstance(source, TableFiles) else source}")
    return f"raw_{declared.name}"


def _columns(
    con: Backend, declared: Table, relation: str, types: Mapping[str, str], wanted: Mapping[str, str], config: Config
) -> tuple[list[str], str]:
    """Give the typed columns, and the relation to take them from: beside the source's rows the moment when each event's day is over."""
    parts = [f"{_typed(name, types[name], wanted[name])} AS {quoted(name)}" for name in wanted if name != "available_at"]
    if not declared.event:
        return parts, relation
    given = _typed("available_at", types["available_at"], "TIMESTAMP") if "available_at" in wanted else ""
    # a plain column lets the engine skip parts of the file by their statistics
    if given and not scalar(con, f"SELECT count(*) - count(available_at) FROM {relation}"):
        return [*parts, f"{given} AS available_at"], relation
    delay = config.sources.delay_days.get(declared.name, 0)
    known = event_instant(declared, zone=config.time_zone, delay_days=delay)
    if declared.by_name[declared.event].dtype == "DATE":
        days = f"raw.{quoted(f'(days of {declared.name})')}"
        run(con, f"CREATE TABLE {days} AS {event_days(declared, relation, zone=config.time_zone, delay_days=delay)}")
        relation, known = f"{relation} LEFT JOIN {days} ON {quoted(declared.event)} = {DAY}", OVER
    return [*parts, f"{f'coalesce({given}, {known})' if given else known} AS available_at"], relation


def _typed(name: str, dtype: str, wanted: str) -> str:
    if dtype == wanted:
        return quoted(name)
    return cast_to(quoted(name), wanted) if dtype == "VARCHAR" else f"CAST({quoted(name)} AS {wanted})"


def _lossless(dtype: str, wanted: str) -> bool:
    if dtype == wanted or wanted == "VARCHAR" or dtype in _LOSSLESS.get(wanted, ()):
        return True
    decimal = _DECIMAL.fullmatch(dtype)
    return decimal is not None and wanted == MONEY and int(decimal[2]) <= 4 and int(decimal[1]) - int(decimal[2]) <= 14


def drop_columns(con: Backend, declared: Table, columns: Iterable[str]) -> None:
    """Leave columns out of a contract table."""
    _remake(con, declared, f"* EXCLUDE ({', '.join(map(quoted, columns))})")


def known_from_event(con: Backend, declared: Table, *, zone: str) -> None:
    """Let no row be known before its event is over."""
    _remake(con, declared, f"* REPLACE (greatest(available_at, {event_instant(declared, zone=zone)}) AS available_at)")


def _remake(con: Backend, declared: Table, columns: str) -> None:
    name = f"contract.{declared.name}"
    found = run(con, f"SELECT sql FROM duckdb_views() WHERE schema_name = 'contract' AND view_name = {literal(declared.name)}")
    if found:
        own = found[0][0].partition(" AS ")[2].rstrip(";\n")
        run(con, f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM ({own})")
    else:
        run(con, f"CREATE OR REPLACE TABLE {name} AS SELECT {columns} FROM {name}")
