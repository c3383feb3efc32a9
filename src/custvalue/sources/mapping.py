"""From raw files and foreign tables to SELECTs that give contract tables."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePath

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import SourceMapping
from custvalue.config.sources import RawInput, TableMapping, Unpivot
from custvalue.engines import EngineError, run
from custvalue.errors import ConfigError, DataError, some
from custvalue.sources.contract import CONTRACT
from custvalue.sources.files import file_select, refuse_broken_gzip
from custvalue.sources.sql import cast_to, literal, quoted, refuse_bad_casts

_FILE_BACKENDS = ("sqlite", "duckdb")
_CREDENTIALS = re.compile(r"(://[^/@\s]*:)[^/@\s]*@")


def load_raw_inputs(con: Backend, mapping: SourceMapping, folder: Path, *, mapping_file: Path) -> tuple[list[Path], dict[str, str]]:
    """Make a view (or, for a foreign backend, a table) in schema ``raw`` for each input of the mapping.

    Returns
    -------
    files : list of Path
        The files that were named, for digests.
    foreign : dict
        Input → digest of the rows that a backend gave.

    Raises
    ------
    ConfigError
        A cast names a column that the input lacks, or a path is not relative.
    DataError
        A file is absent or unreadable, a backend cannot be reached, a value does not convert.
    """
    files: list[Path] = []
    foreign: dict[str, str] = {}
    for name, source in mapping.inputs.items():
        where = f"{mapping_file.name}: input {name}"
        if source.backend is not None:
            _copy_foreign_table(con, source, name, where)
            foreign[name] = _rows_digest(con, f"raw.{quoted(name)}")
            continue
        select = str(source.sql)
        if source.path is not None:
            found = _matching(folder, source.path, where)
            if not found:
                remedy = "Put the file there, or mend `path` or `sources.folder`."
                raise DataError(f"{where}: no file {source.path} in {folder}. {remedy}")
            for path in found:
                refuse_broken_gzip(path, where)
            files.extend(found)
            select = file_select(folder / source.path)
        try:
            _create_input(con, name, select, source, where)
        except EngineError as error:
            raise DataError(f"{where}: {source.path or 'its SELECT'} cannot be read: {error}") from error
    return files, foreign


def _matching(folder: Path, pattern: str, where: str) -> list[Path]:
    if not pattern or PurePath(pattern).is_absolute():
        raise ConfigError(f"{where}: path {pattern!r} must be a file or a pattern relative to `sources.folder`.")
    return sorted(folder.glob(pattern))


def _create_input(con: Backend, name: str, select: str, source: RawInput, where: str) -> None:
    if source.sql is not None:
        with_search_path(con, f"CREATE TABLE raw.{quoted(name)} AS {select}")
        return
    if source.cast:
        text = f"raw.{quoted(name + ' as text')}"
        run(con, f"CREATE VIEW {text} AS {select}")
        select = _cast_select(con, text, source.cast, where)
    # text files are parsed once; Parquet is read where and when it is needed
    kind = "VIEW" if str(source.path).endswith(".parquet") else "TABLE"
    run(con, f"CREATE {kind} raw.{quoted(name)} AS {select}")


def with_search_path(con: Backend, sql: str) -> None:
    """Run a statement in which raw inputs go by their bare names."""
    run(con, "SET search_path = 'raw'")
    try:
        run(con, sql)
    finally:
        run(con, "SET search_path = 'main'")


def _cast_select(con: Backend, view: str, cast: dict[str, str], where: str) -> str:
    names = [row[0] for row in run(con, f"DESCRIBE {view}")]
    if unknown := [column for column in cast if column not in names]:
        raise ConfigError(f"{where}: cast names {some(unknown)}, but the columns are {some(names, 12)}.")
    for column, dtype in cast.items():
        refuse_bad_casts(con, view, quoted(column), dtype, f"{where}, column {column}")
    parts = [f"{cast_to(quoted(c), cast[c])} AS {quoted(c)}" if c in cast else quoted(c) for c in names]
    return f"SELECT {', '.join(parts)} FROM {view}"


def _copy_foreign_table(con: Backend, source: RawInput, name: str, where: str) -> None:
    scheme, _, place = str(source.backend).partition("://")
    file = Path(place.partition("?")[0])
    if scheme in _FILE_BACKENDS and not file.is_file():  # connecting would leave an empty database there
        raise DataError(f"{where}: no file {file}. Put it there, or mend `backend`.")
    try:
        foreign = ibis.connect(str(source.backend))
        con.create_table(name, foreign.table(str(source.table)).to_pyarrow(), database="raw")
    except Exception as error:  # every backend has its own errors; all of them mean the same to the user
        raise DataError(f"{where}: table {source.table} of the backend cannot be read: {without_credentials(str(error))}") from error


def without_credentials(text: str) -> str:
    """Take passwords out of addresses."""
    return _CREDENTIALS.sub(r"\1***@", text)


def _rows_digest(con: Backend, relation: str) -> str:
    """SHA-256 over the number of rows and the sums of their MD5 halves: the order in which a backend gives rows does not count."""
    halves = ", ".join(f"sum(CAST(md5_number_{half}(CAST(t AS VARCHAR)) AS HUGEINT))" for half in ("lower", "upper"))
    parts = run(con, f"SELECT count(*), {halves} FROM {relation} AS t")[0]
    return hashlib.sha256("-".join(map(str, parts)).encode()).hexdigest()


def mapped_select(table: str, mapping: TableMapping, where: str) -> str:
    """SELECT that gives a contract table's columns (still untyped) from raw inputs."""
    if unknown := [c for c in _targets(mapping) if c not in CONTRACT[table].by_name and c != "available_at"]:
        raise ConfigError(
            f"{where}: table {table} has no column {some(unknown)}; the contract has {', '.join(CONTRACT[table].by_name)}, available_at."
        )
    if mapping.sql is not None:
        return mapping.sql.strip().rstrip(";")
    if not _targets(mapping):
        return f"SELECT * FROM {quoted(str(mapping.from_))} WHERE {mapping.where or 'true'}"
    plain = {target: quoted(source) for target, source in mapping.rename.items()} | mapping.columns
    source = quoted(str(mapping.from_))
    months = [_month_columns(mapping.unpivot, table, day) for day in mapping.unpivot.months] if mapping.unpivot else [{}]
    select = " UNION ALL ".join(_select(plain | columns, source) for columns in months)
    return f"SELECT * FROM ({select}) WHERE {mapping.where}" if mapping.where else select


def _targets(mapping: TableMapping) -> list[str]:
    return [*mapping.rename, *mapping.columns, *(mapping.unpivot.columns if mapping.unpivot else ())]


def _month_columns(unpivot: Unpivot, table: str, day: str) -> dict[str, str]:
    month = {"month": f"DATE {literal(day)}"} if CONTRACT[table].monthly else {}
    patterns = {target: pattern.replace("{month}", f"DATE {literal(day)}") for target, pattern in unpivot.columns.items()}
    return month | {target: pattern.replace("{}", unpivot.months[day]) for target, pattern in patterns.items()}


def _select(columns: dict[str, str], source: str) -> str:
    parts = ", ".join(f"{expression} AS {quoted(target)}" for target, expression in columns.items())
    return f"SELECT {parts} FROM {source}"
