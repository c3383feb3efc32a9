"""Tables in Parquet, opened where they lie on any engine, each column in the type that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ibis
from ibis.backends import BaseBackend
from ibis.backends.sql.datatypes import DuckDBType


def read_tables(con: BaseBackend, folder: Path, types: Mapping[str, Mapping[str, str]]) -> dict[str, ibis.Table]:
    """Open ``<table>.parquet``, a file or a folder of parts, of every table that is there.

    Nothing is read but the files' schemas; a value that does not fit its type is refused by the engine when it is met.

    Parameters
    ----------
    con : BaseBackend
        The engine, as one of `ENGINES` opens it.
    folder : Path
        Where the files are, on a disk that every worker of the engine reaches.
    types : mapping
        Table → column → SQL type (``DECIMAL(18,4)``, ``TIMESTAMP``, …). Columns that are not named here, and files of other tables, are
        left out; named ones that a file lacks are too.

    Returns
    -------
    dict
        Table → its Ibis table; times are UTC without a zone.
    """
    found = {name: folder / f"{name}.parquet" for name in types}
    return {name: read_table(con, path, types[name]) for name, path in found.items() if path.exists()}


def read_table(con: BaseBackend, path: Path, types: Mapping[str, str]) -> ibis.Table:
    """Open one Parquet file, or a folder of parts, with the columns named here; see `read_tables`."""
    table = con.read_parquet(path)
    kept = {name: table[name].cast(DuckDBType.from_string(dtype)) for name, dtype in types.items() if name in table.columns}
    return table.select(**kept)
