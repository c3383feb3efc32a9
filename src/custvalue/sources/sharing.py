"""Checked tables handed to another engine: large Parquet read where it lies, all else written out once in the contract's types."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from custvalue.config import Config
from custvalue.engines import read_table, run, scalar, write_parquet
from custvalue.sources.contract import CONTRACT, RESTRICTED
from custvalue.sources.files import TableFiles, find_contract_files
from custvalue.sources.tables import SourceTables

_ROW_GROUP = 500_000


def share_tables(tables: SourceTables, config: Config, con: BaseBackend, folder: Path) -> dict[str, ibis.Table]:
    """Give the dated contract tables on another engine, as they were checked.

    Parquet files that are read where they lie (`SourceTables.files`), and whose rows all carry their ``available_at``, are read there by
    the other engine too. Texts, mapped tables, small files and tables that were set right are written out first.

    Parameters
    ----------
    tables, config : SourceTables, Config
        What was opened, and from where.
    con : BaseBackend
        The other engine.
    folder : Path
        For what is written, on a disk that every worker of the engine reaches.

    Returns
    -------
    dict
        Table → its Ibis table with the columns that were checked, not cut yet; restricted tables and those without events are left out.
    """
    found = {} if config.sources.mapping else find_contract_files(config.sources.folder)
    shared = {}
    for name in (name for name in tables.rows if CONTRACT[name].event and name not in RESTRICTED):
        columns = [row[0] for row in run(tables.con, f"DESCRIBE contract.{name}")]
        path = _in_place(tables, name, found.get(name), columns)
        if path is None:
            path = folder / f"{name}.parquet"
            write_parquet(tables.con, f"SELECT * FROM contract.{name}", path, row_group=_ROW_GROUP)
        types = CONTRACT[name].types
        shared[name] = read_table(con, path, {column: types[column] for column in columns})
    return shared


def _in_place(tables: SourceTables, name: str, files: TableFiles | None, columns: list[str]) -> Path | None:
    """Give the file or folder where any engine finds the very rows that were checked; None where it would not."""
    if files is None or any(path not in tables.files for path in files.paths):
        return None
    if any(finding.check == "early" for report in tables.reports if report.table == name for finding in report.findings):
        return None  # the moment of becoming known was set right
    path = _root(files)
    schemas = {pq.read_schema(each).remove_metadata() for each in files.paths}
    if path is None or len(schemas) > 1 or not _plain(schemas.pop(), columns):
        return None
    gaps = scalar(tables.con, f"SELECT count(*) - count(available_at) FROM ({files.select})")
    return None if gaps else path


def _root(files: TableFiles) -> Path | None:
    """Give the file, or the folder that holds the parts and nothing else that an engine would read."""
    if not files.parts:
        return files.paths[0]
    root = next(each for each in files.paths[0].parents if each.name in (*CONTRACT, *(f"{table}.parquet" for table in CONTRACT)))
    others = [path for path in root.rglob("*") if path.is_file() and not any(part[0] in "_." for part in path.relative_to(root).parts)]
    return root if set(others) == set(files.paths) else None


def _plain(schema: pa.Schema, columns: list[str]) -> bool:
    """Tell whether every engine reads these columns alike."""
    return all(name in schema.names and not _odd(schema.field(name).type) for name in columns)


def _odd(kind: pa.DataType) -> bool:
    signed = pa.types.is_signed_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind) or pa.types.is_decimal128(kind)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    time = pa.types.is_timestamp(kind) and kind.unit in ("ms", "us")
    return not (signed or text or time or kind in (pa.float32(), pa.float64()))
