"""An operator's tables, opened, typed and checked against the contract, then cut at a moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import Config, SourceMapping, load_mapping
from custvalue.engines import EngineError, connect, run
from custvalue.errors import ConfigError, DataError, mask, some
from custvalue.sources import checks
from custvalue.sources.contract import CONTRACT, REQUIRED, RESTRICTED, Table
from custvalue.sources.mapping import (
    count_rows,
    file_select,
    find_contract_files,
    literal,
    load_raw_inputs,
    mapped_select,
    quoted,
    refuse_bad_casts,
    with_search_path,
)
from custvalue.sources.moment import Moment

Log = Callable[[str], None]
_NO_CHANCE = 100
"""So many rows without one known customer are no accident."""
_LASTS = {"month": "1 MONTH", "day": "1 DAY"}


@dataclass(frozen=True)
class SourceTables:
    """All tables of one operator, as the contract wants them.

    Attributes
    ----------
    con : Backend
        The engine that holds them, in schema ``contract``.
    rows : mapping
        Table → number of rows.
    revised : frozenset
        Tables where a key comes again with a later ``available_at``.
    delay_days : mapping
        Table → days until a row is known, as configured.
    digests : mapping
        File, relative to the data folder → SHA-256 of its bytes; foreign table → of its rows.
    caveats : tuple of str
        What the mapping's author wants every reader of a report to know.
    zone : str
        The operator's time zone.
    """

    con: Backend
    rows: Mapping[str, int]
    revised: frozenset[str]
    delay_days: Mapping[str, int]
    digests: Mapping[str, str]
    caveats: tuple[str, ...]
    zone: str

    @property
    def training_digests(self) -> dict[str, str]:
        """Digests of what a model may have been trained on: all but files named after a restricted table."""
        return {name: digest for name, digest in self.digests.items() if PurePath(name).name.split(".")[0] not in RESTRICTED}

    def moment(self, as_of: date) -> Moment:
        """Midnight of a day in the operator's zone."""
        return Moment(as_of, self.zone)

    def known(self, as_of: date) -> dict[str, ibis.Table]:
        """Every unrestricted table as the warehouse knew it at ``as_of`` 00:00; see `cut`."""
        moment = self.moment(as_of)
        return {
            name: cut(self.con.table(name, database="contract"), CONTRACT[name], moment, revised=name in self.revised)
            for name in self.rows
            if name not in RESTRICTED
        }

    def restricted(self, name: str) -> ibis.Table | None:
        """Return a restricted table, for lists and page alone; None where it is not mapped."""
        return self.con.table(name, database="contract") if name in self.rows else None


def cut(table: ibis.Table, declared: Table, moment: Moment, *, revised: bool) -> ibis.Table:
    """Keep what was known at a moment: rows, their latest version, and no value that only the future held.

    Parameters
    ----------
    table : ibis.Table
        A contract table with ``available_at`` (UTC), or a reference table without one.
    declared : Table
        Its declaration.
    moment : Moment
        The as-of moment.
    revised : bool
        Whether a key may come again; only then is the latest version looked for.

    Returns
    -------
    ibis.Table
        The same columns without ``available_at``, and without those whose moment of becoming known is not mapped.
    """
    if declared.event is None:
        return table
    instant = ibis.literal(moment.instant).cast("timestamp(6)")
    seen = table.filter(table.available_at <= instant)
    if revised:
        newest = ibis.row_number().over(group_by=declared.key, order_by=ibis.desc("available_at"))
        seen = seen.mutate(version=newest).filter(lambda t: t.version == 0).drop("version")
    later = {column.name: column.hidden_until for column in declared.columns if column.hidden_until and column.name in seen.columns}
    hidden = {
        name: ibis.ifelse(seen[until] <= instant, seen[name], ibis.null(seen[name].type()))
        for name, until in later.items()
        if until in seen.columns
    }
    return seen.mutate(**hidden).drop("available_at", *(name for name in later if name not in hidden))


def open_tables(config: Config, *, log: Log = lambda _: None) -> SourceTables:
    """Open, map, type and check all of a config's tables.

    Raises
    ------
    ConfigError
        The mapping file is wrong.
    DataError
        A table or column is missing, a value has the wrong type, a key is missing or double, or a value is out of
        range; all findings at once.
    """
    con = connect()
    con.raw_sql("CREATE SCHEMA contract")
    con.raw_sql("CREATE SCHEMA raw")
    mapping = load_mapping(config.sources.mapping) if config.sources.mapping else None
    selects, digests = _selects(con, config, mapping)
    if missing := [name for name in REQUIRED if name not in selects]:
        raise DataError(
            f"required table(s) missing: {', '.join(missing)}. Found {some(sorted(selects), 20) or 'none'} in "
            f"{config.sources.folder}. Add the file(s) or map them with `sources.mapping`."
        )
    for name, select in selects.items():
        _create_table(con, CONTRACT[name], select, config)
    findings, revised = [], set()
    for name in selects:
        table_findings, has_revisions = checks.check_table(con, CONTRACT[name])
        findings.extend(table_findings)
        revised |= {name} if has_revisions else set()
    if findings:
        raise DataError("\n".join(["the data break the contract:", *(f"  {finding}" for finding in findings)]))
    if absent := [name for name in CONTRACT if name not in selects]:
        log(f"tables not mapped, switched off: {', '.join(absent)}")
    if unmapped := [f"{name} ({', '.join(columns)})" for name in selects if (columns := _unmapped(con, CONTRACT[name]))]:
        log(f"columns not mapped, their features are off: {'; '.join(unmapped)}")
    for name in selects:
        if "customer_id" in CONTRACT[name].by_name and name != "customers":
            _tell_strangers(con, name, log)
    return SourceTables(
        con=con,
        rows={name: count_rows(con, f"contract.{name}") for name in selects},
        revised=frozenset(revised),
        delay_days=config.sources.delay_days,
        digests=digests | _mapping_digest(mapping),
        caveats=mapping.caveats if mapping else (),
        zone=config.time_zone,
    )


def _selects(con: Backend, config: Config, mapping: SourceMapping | None) -> tuple[dict[str, str], dict[str, str]]:
    """Give the SELECT of each table, and the digest of each file and foreign table read."""
    folder = config.sources.folder
    if mapping is None:
        found = find_contract_files(folder)
        return {name: file_select(path) for name, path in found.items()}, _file_digests(found.values(), folder)
    where = str(config.sources.mapping)
    unknown = [name for name in mapping.tables if name not in CONTRACT]
    if unknown:
        raise ConfigError(f"{where}: {some(unknown)} is no contract table; these are: {', '.join(CONTRACT)}.")
    files, foreign = load_raw_inputs(con, mapping, folder, mapping_file=Path(where))
    selects = {name: mapped_select(name, table, where) for name, table in mapping.tables.items()}
    return selects, _file_digests(files, folder) | foreign


def _create_table(con: Backend, declared: Table, select: str, config: Config) -> None:
    """Type a table's columns and add ``available_at``."""
    source = f"raw_{declared.name}"
    where = f"table {declared.name}"
    try:
        with_search_path(con, f"CREATE TEMP TABLE {source} AS {select}")
    except EngineError as error:
        raise DataError(f"{where}: cannot be read: {error}") from error
    types = {row[0]: row[1] for row in run(con, f"DESCRIBE {source}")}
    if absent := [c.name for c in declared.columns if c.required and c.name not in types]:
        raise DataError(f"{where}: required column(s) missing: {', '.join(absent)}. It has {some(types, 20)}.")
    wanted = {c.name: c.dtype for c in declared.columns if c.name in types}
    if "available_at" in types and declared.event:
        wanted["available_at"] = "TIMESTAMP"
    for name, dtype in wanted.items():
        if types[name] != dtype and dtype != "VARCHAR":
            refuse_bad_casts(con, source, quoted(name), dtype, f"{where}, column {name}")
    parts = [f"CAST({quoted(name)} AS {dtype}) AS {quoted(name)}" for name, dtype in wanted.items() if name != "available_at"]
    if declared.event:
        parts.append(_available_at(declared, "available_at" in wanted, config))
    run(con, f"CREATE TABLE contract.{declared.name} AS SELECT {', '.join(parts)} FROM {source}")
    run(con, f"DROP TABLE {source}")


def _tell_strangers(con: Backend, name: str, log: Log) -> None:
    """Count rows whose customer is not in customers; a table of strangers only has its ids written in another way."""
    strangers, rows, example = run(
        con,
        f"SELECT count(*) FILTER (stranger), count(*), min(customer_id) FILTER (stranger) FROM (SELECT customer_id, "
        f"customer_id NOT IN (SELECT customer_id FROM contract.customers) AS stranger FROM contract.{name})",
    )[0]
    if strangers == rows >= _NO_CHANCE:
        raise DataError(
            f"{name}.customer_id: none of {rows:,} row(s) is in customers, for example {mask(example)}. Write ids the same way in both."
        )
    if strangers:
        log(f"{name}: {strangers:,} row(s) of customers that are not in customers are left out")


def _unmapped(con: Backend, declared: Table) -> list[str]:
    present = {row[0] for row in run(con, f"DESCRIBE contract.{declared.name}")}
    return [column.name for column in declared.columns if column.name not in present]


def _available_at(declared: Table, given: bool, config: Config) -> str:
    """SQL of a row's ``available_at``: as delivered, else event time plus the configured delay, in UTC."""
    column = declared.by_name[str(declared.event)]
    event = f"CAST({quoted(column.name)} AS {column.dtype})"
    if column.name in _LASTS:
        event = f"({event} + INTERVAL {_LASTS[column.name]})"
    event += f" + INTERVAL {int(config.sources.delay_days.get(declared.name, 0))} DAY"
    if column.dtype == "DATE":  # after the delay, so that it counts local days also when the clocks change
        event = f"CAST(timezone({literal(config.time_zone)}, CAST({event} AS TIMESTAMP)) AS TIMESTAMP)"
    known = f"coalesce(CAST(available_at AS TIMESTAMP), {event})" if given else event
    return f"{known} AS available_at"


def _file_digests(files: Iterable[Path], folder: Path) -> dict[str, str]:
    digests = {}
    for path in files:
        with path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _mapping_digest(mapping: SourceMapping | None) -> dict[str, str]:
    if mapping is None:
        return {}
    text = json.dumps(mapping.model_dump(mode="json"), sort_keys=True)
    return {"(mapping)": hashlib.sha256(text.encode()).hexdigest()}
