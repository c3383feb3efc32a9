"""Rows of a Parquet file as a PostgreSQL COPY takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv


def column_type(kind: pa.DataType) -> Any:
    """Give the SQLAlchemy type of a column; text for whatever has no better one."""
    from sqlalchemy import ARRAY, BigInteger, Boolean, Date, DateTime, Double, Text

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return ARRAY(type(column_type(kind.value_type)))
    checks: tuple[tuple[Any, Any], ...] = (
        (pa.types.is_boolean, Boolean()),
        (pa.types.is_integer, BigInteger()),
        (pa.types.is_floating, Double()),
        (pa.types.is_decimal, Double()),
        (pa.types.is_date, Date()),
        (pa.types.is_timestamp, DateTime()),
    )
    return next((found for check, found in checks if check(kind)), Text())


def as_csv(batch: pa.RecordBatch, constants: Mapping[str, Any], *, whole: Collection[str] = ()) -> bytes:
    """Write rows as CSV, the constants first; null is an empty field and an empty text a quoted one, as COPY reads them.

    Parameters
    ----------
    batch : RecordBatch
        The rows.
    constants : mapping
        Column → the value of every row.
    whole : collection of str
        Columns that the database keeps as whole numbers; pandas turns them into floating ones where a value is missing.
    """
    given = [pa.repeat(pa.scalar(value), batch.num_rows) for value in constants.values()]
    own = [_plain(column, whole=name in whole) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    sink = pa.BufferOutputStream()
    rows = pa.RecordBatch.from_arrays([*given, *own], names=[*constants, *batch.schema.names])
    csv.write_csv(rows, sink, csv.WriteOptions(include_header=False))
    return bytes(sink.getvalue())


def _plain(column: pa.Array, *, whole: bool) -> pa.Array:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.array([None if row is None else _array(row) for row in column.to_pylist()], pa.string())
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode()
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    return column.cast(pa.int64()) if whole and pa.types.is_floating(kind) else column


def _array(values: Iterable[object]) -> str:
    """Write an array literal; every text is quoted, so that none is taken for NULL or for the array's own signs."""
    return "{" + ",".join(_element(value) for value in values) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
