"""Small pieces of SQL: names, texts, conversions that lose nothing unnoticed."""

from __future__ import annotations

from ibis.backends.duckdb import Backend

from custvalue.engines import run
from custvalue.errors import DataError, hide_numbers, some


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def cast_to(expression: str, dtype: str, *, attempt: bool = False) -> str:
    """SQL that converts to a type; times become UTC, also from a text with an offset, which DuckDB's plain cast would pass over."""
    cast = "TRY_CAST" if attempt else "CAST"
    if dtype == "TIMESTAMP":
        return f"CAST({cast}({expression} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"{cast}({expression} AS {dtype})"


def refuse_bad_casts(con: Backend, relation: str, expression: str, dtype: str, where: str) -> None:
    """Stop if values of an expression do not convert to a type without loss of meaning.

    Raises
    ------
    DataError
        With the number of bad values and three examples.
    """
    bad = f"v IS NOT NULL AND {cast_to('v', dtype, attempt=True)} IS NULL"
    if dtype in ("BIGINT", "INTEGER"):
        bad = f"({bad}) OR TRY_CAST(v AS DOUBLE) <> TRY_CAST(v AS {dtype})"
    count, examples = run(
        con,
        f"SELECT count(*), list(DISTINCT v ORDER BY v)[1:3] FROM (SELECT {expression} AS v FROM {relation}) WHERE {bad}",
    )[0]
    if count:
        kind = {"DATE": "dates (YYYY-MM-DD)", "TIMESTAMP": "times (YYYY-MM-DD HH:MM:SS)"}.get(dtype, dtype)
        told = some(hide_numbers(repr(value)) for value in examples)
        raise DataError(f"{where}: {count:,} value(s) are not {kind}: {told}. Mend the file, or convert the column in the mapping.")
