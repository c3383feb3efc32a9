"""Opening an operator's tables: found or mapped, typed, checked against the contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ibis.backends.duckdb import Backend

from custvalue.config import Config, SourceMapping, load_mapping
from custvalue.engines import connect, run, within_memory
from custvalue.errors import ConfigError, DataError, some
from custvalue.sources.checks import check_table
from custvalue.sources.contract import CONTRACT, REQUIRED
from custvalue.sources.files import TableFiles, file_digests, find_contract_files, mark_files
from custvalue.sources.findings import Severity, TableReport, refuse_errors
from custvalue.sources.mapping import load_raw_inputs, mapped_select, without_credentials
from custvalue.sources.tables import SourceTables
from custvalue.sources.typed import create_table, drop_columns, known_from_event

Log = Callable[[str], None]
COPY_BELOW = 32 * 2**20
"""Parquet files of a table up to so many bytes are copied into memory, where they are read faster; larger ones are read where they lie."""


def open_tables(config: Config, *, log: Log = lambda _: None, copy_below: int = COPY_BELOW) -> SourceTables:
    """Open, map, type and check all of a config's tables.

    Parameters
    ----------
    config : Config
        Folder, mapping, delays, limits, time zone.
    log : callable, optional
        Hears what was switched off, repaired, or should be looked at.
    copy_below : int, optional
        Bytes up to which a table's Parquet files are copied into memory.

    Raises
    ------
    ConfigError
        The mapping file is wrong.
    DataError
        A table or column is missing, or a value has the wrong type.
    ContractError
        The tables cannot be believed; all findings at once.
    TryAgainError
        The engine's memory does not suffice.
    """
    _refuse_unknown_tables(config)
    con = connect(memory_limit=config.sources.memory_limit, spill=config.workspace / ".spill")
    with within_memory(con, "check"):
        return _opened(con, config, log, copy_below)


def _opened(con: Backend, config: Config, log: Log, copy_below: int) -> SourceTables:
    con.raw_sql("CREATE SCHEMA contract")
    con.raw_sql("CREATE SCHEMA raw")
    mapping = load_mapping(config.sources.mapping, environ=config.sources.variables) if config.sources.mapping else None
    found, digests = _find(con, config, mapping)
    if missing := [name for name in REQUIRED if name not in found]:
        raise DataError(
            f"required table(s) missing: {', '.join(missing)}. Found {some(sorted(found), 20) or 'none'} in "
            f"{config.sources.folder}. Add the file(s) or map them with `sources.mapping`."
        )
    files = {name: source for name, source in found.items() if isinstance(source, TableFiles)}
    in_place = [name for name, source in found.items() if create_table(con, CONTRACT[name], source, config, copy_below=copy_below)]
    reports, revised = _check(con, list(found), config)
    tables = SourceTables(
        con=con,
        rows={report.table: report.rows for report in reports},
        revised=frozenset(revised),
        delay_days=config.sources.delay_days,
        digests=digests | _mapping_digest(mapping),
        caveats=mapping.caveats if mapping else (),
        zone=config.time_zone,
        reports=tuple(reports),
        checks=config.sources.checks,
        files=mark_files(path for name in in_place for path in files[name].paths),
    )
    refuse_errors(reports)
    _repair(con, reports, config)
    _tell(con, reports, log)
    return tables


def _refuse_unknown_tables(config: Config) -> None:
    named = {"delay_days": list(config.sources.delay_days), "checks.tables": list(config.sources.checks.tables)}
    for where, names in named.items():
        if unknown := [name for name in names if name not in CONTRACT]:
            raise ConfigError(f"sources.{where}: {some(unknown)} is no contract table; these are: {', '.join(CONTRACT)}.")


def _find(con: Backend, config: Config, mapping: SourceMapping | None) -> tuple[Mapping[str, TableFiles | str], dict[str, str]]:
    """Give the files, or the SELECT, of each table, and the digest of each file and foreign table read."""
    folder = config.sources.folder
    if mapping is None:
        tables = find_contract_files(folder)
        return tables, file_digests((path for found in tables.values() for path in found.paths), folder)
    where = str(config.sources.mapping)
    unknown = [name for name in mapping.tables if name not in CONTRACT]
    if unknown:
        raise ConfigError(f"{where}: {some(unknown)} is no contract table; these are: {', '.join(CONTRACT)}.")
    files, foreign = load_raw_inputs(con, mapping, folder, mapping_file=Path(where))
    selects = {name: mapped_select(name, table, where) for name, table in mapping.tables.items()}
    return selects, file_digests(files, folder) | foreign


def _check(con: Backend, names: list[str], config: Config) -> tuple[list[TableReport], set[str]]:
    reports, revised = [], set()
    for name in names:
        report, has_revisions = check_table(con, name, config, tables=names)
        reports.append(report)
        revised |= {name} if has_revisions else set()
    return reports, revised


def _repair(con: Backend, reports: Iterable[TableReport], config: Config) -> None:
    """Set right what a reader would otherwise meet; rows of strangers drop out where tables are joined."""
    for report in reports:
        repairs = [finding for finding in report.findings if finding.severity is Severity.REPAIR]
        if empty := [finding.column for finding in repairs if finding.check == "empty"]:
            drop_columns(con, CONTRACT[report.table], empty)
        if any(finding.check == "early" for finding in repairs):
            known_from_event(con, CONTRACT[report.table], zone=config.time_zone)


def _tell(con: Backend, reports: list[TableReport], log: Log) -> None:
    names = [report.table for report in reports]
    if absent := [name for name in CONTRACT if name not in names]:
        log(f"tables not mapped, switched off: {', '.join(absent)}")
    if unmapped := [f"{name} ({', '.join(columns)})" for name in names if (columns := _unmapped(con, name))]:
        log(f"columns not mapped, their features are off: {'; '.join(unmapped)}")
    for report in reports:
        for finding in report.findings:
            log(f"{finding.severity}: {finding}")


def _unmapped(con: Backend, name: str) -> list[str]:
    present = {row[0] for row in run(con, f"DESCRIBE contract.{name}")}
    return [column.name for column in CONTRACT[name].columns if column.name not in present]


def _mapping_digest(mapping: SourceMapping | None) -> dict[str, str]:
    if mapping is None:
        return {}
    text = without_credentials(json.dumps(mapping.model_dump(mode="json"), sort_keys=True))
    return {"(mapping)": hashlib.sha256(text.encode()).hexdigest()}
