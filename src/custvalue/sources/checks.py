"""Checks of typed tables where they lie: rules of single rows, keys, references, and each table's own history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import Config
from custvalue.config.sources import CheckLimits
from custvalue.engines import EngineError, run
from custvalue.engines.duckdb import records
from custvalue.errors import DataError, hide_numbers, mask
from custvalue.sources.contract import CONTRACT
from custvalue.sources.declaration import Table
from custvalue.sources.findings import Finding, Severity, TableReport, allow
from custvalue.sources.history import ENOUGH, check_history
from custvalue.sources.keys import check_keys, check_repeats
from custvalue.sources.profile import STRANGER, Profile, refers_name, stranger_example, take_profile, with_helpers

if TYPE_CHECKING:
    from custvalue.sources.rules import Rule  # pandera takes a second to load

_ODD = 10
"""So many rows that contradict themselves are set right or noted, whatever their share."""
_HISTORY_CHECKS = 5


def check_table(con: Backend, name: str, config: Config, *, tables: Sequence[str]) -> tuple[TableReport, bool]:
    """Check one typed table of schema ``contract``: one scan for all rules, one for its keys.

    Parameters
    ----------
    con : Backend
        The engine.
    name : str
        Contract table.
    config : Config
        Time zone and limits.
    tables : sequence of str
        All tables that are there.

    Returns
    -------
    report : TableReport
        What was found.
    revised : bool
        Whether some key comes again with a later ``available_at``.

    Raises
    ------
    DataError
        The file breaks off or is damaged where its rows are read.
    """
    try:
        return _check_table(con, CONTRACT[name], config, tables)
    except EngineError as error:
        raise DataError(f"table {name}: cannot be read: {error}") from error


def _check_table(con: Backend, declared: Table, config: Config, tables: Sequence[str]) -> tuple[TableReport, bool]:
    from custvalue.sources.rules import rules

    present = [row[0] for row in run(con, f"DESCRIBE contract.{declared.name}")]
    table = with_helpers(con, declared, zone=config.time_zone, present=present, tables=tables)
    row_rules = rules(declared, table)
    profile = take_profile(con, declared, table, row_rules)
    rows, limits = profile.total("rows"), config.sources.checks.limits(declared.name)
    doubles, revised = check_keys(con, declared, rows)
    found = [
        *_broken_rules(con, declared, table, row_rules, profile, limits),
        *doubles,
        *check_repeats(con, declared, present, profile),
        *_early(declared, profile, limits, config.time_zone),
        *_bulk(declared, profile),
        *_strangers(con, declared, profile, limits),
        *_dangling(declared, profile),
        *_empty_columns(declared, profile),
        *check_history(declared, profile, limits),
    ]
    if declared.name == "departures":
        found += _left_before_joined(con, rows, limits)
    found = allow(found, config.sources.checks.allowed(declared.name))
    looked_at = len(row_rules) + len(present) + 1 + (_HISTORY_CHECKS if declared.event else 0)
    return TableReport(declared.name, rows, profile.newest, looked_at, tuple(found)), revised


def _many(rows: int, of: int, limits: CheckLimits) -> bool:
    return rows > max(_ODD, limits.odd_rows * of)


def _broken_rules(
    con: Backend, declared: Table, table: ibis.Table, row_rules: Sequence[Rule], profile: Profile, limits: CheckLimits
) -> Iterator[Finding]:
    from custvalue.sources.rules import examples_of

    for place, rule in enumerate(row_rules):
        rows = profile.total(f"rule {place}")
        if not rows:
            continue
        shown: tuple[str, ...] = ()
        if rule.column != declared.key[0]:  # a row is shown by its key, and this one has none
            few = records(con, examples_of(rule, table, declared.key[0]))
            shown = tuple(f"{mask(row['key'])}: {'nothing' if row['value'] in (None, '') else hide_numbers(row['value'])}" for row in few)
        noted = rule.check == "order" and not _many(rows, profile.total("rows"), limits)
        severity = Severity.WARN if noted else Severity.ERROR
        yield Finding(declared.name, rule.column, rule.check, severity, rule.fault, rows, shown, rule.remedy)


def _early(declared: Table, profile: Profile, limits: CheckLimits, zone: str) -> Iterator[Finding]:
    """Rows known before they happened: nobody can know a bill of a month that is not over."""
    rows = profile.total("early")
    if declared.announced or not rows:
        return
    fault = f"known before {declared.event} is over"
    if not _many(rows, profile.total("rows"), limits):
        yield Finding(declared.name, "available_at", "early", Severity.REPAIR, fault, rows, (), "They count as known from then on.")
        return
    earliest, _ = profile.extremes("earliest", "earliest")
    _, least = profile.extremes("least early", "least early")
    told = f"by {_hours(least)} to {_hours(earliest)} hours" if least != earliest else f"by {_hours(earliest)} hours, all of them"
    local = f" Times must be UTC: the operator's zone is {zone}." if -earliest <= _widest_offset(zone) * 1_000_000 else ""
    remedy = f"Convert available_at and {declared.event} in the mapping, or allow `early` for this table in sources.checks with the reason."
    yield Finding(declared.name, "available_at", "early", Severity.ERROR, f"{fault}, {told}", rows, (), f"{remedy}{local}")


def _hours(microseconds: int | None) -> str:
    return f"{-(microseconds or 0) / 3_600_000_000:.4g}"


def _widest_offset(zone: str) -> float:
    offsets = [datetime(2024, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    return max(abs(offset.total_seconds()) for offset in offsets if offset is not None)


def _bulk(declared: Table, profile: Profile) -> Iterator[Finding]:
    rows = profile.total("bulk")
    if not declared.announced and rows > max(ENOUGH, profile.total("rows") / 2):
        fault = "known only two months or more after it happened"
        remedy = "If available_at is the day of a bulk load, leave it out and set sources.delay_days: no earlier snapshot sees them."
        yield Finding(declared.name, "available_at", "bulk", Severity.WARN, fault, rows, (), remedy)


def _strangers(con: Backend, declared: Table, profile: Profile, limits: CheckLimits) -> Iterator[Finding]:
    """Rows whose customer is not in customers; a table of strangers only has its ids written in another way."""
    rows, of = profile.total(f"count {STRANGER}"), profile.total("rows")
    if not rows:
        return
    shown = (mask(stranger_example(con, declared)),)
    if rows < ENOUGH or rows <= limits.strangers * of:
        fault = "customer is not in customers"
        yield Finding(declared.name, "customer_id", "strangers", Severity.REPAIR, fault, rows, shown, "They are left out.")
        return
    fault = f"{'none' if rows == of else f'only {of - rows:,}'} of {of:,} row(s) is in customers"
    remedy = "Write ids the same way in both, load all customers, or raise `strangers` in sources.checks."
    yield Finding(declared.name, "customer_id", "strangers", Severity.ERROR, fault, 0, shown, remedy)


def _dangling(declared: Table, profile: Profile) -> Iterator[Finding]:
    for column in declared.columns:
        if rows := profile.total(f"count {refers_name(column.name)}"):
            remedy = "Look for rows that were not delivered; they are treated as unknown."
            fault = f"names none of {column.refers}"
            yield Finding(declared.name, column.name, "reference", Severity.WARN, fault, rows, (), remedy)


def _empty_columns(declared: Table, profile: Profile) -> Iterator[Finding]:
    rows = profile.total("rows")
    for column in declared.columns:
        measured = any(f"filled {column.name}" in entry for entry in (*profile.by_month, profile.undated))
        if measured and column.nullable and rows >= ENOUGH and not profile.total(f"filled {column.name}"):
            fault = "holds no value"
            yield Finding(
                declared.name, column.name, "empty", Severity.REPAIR, fault, rows, (), "It counts as not mapped; its features are off."
            )


def _left_before_joined(con: Backend, of: int, limits: CheckLimits) -> Iterator[Finding]:
    rows, examples = run(
        con,
        "SELECT count(*), list(d.customer_id ORDER BY d.customer_id)[1:3] FROM contract.departures d JOIN (SELECT customer_id, "
        "min(joined_on) AS joined_on FROM contract.customers GROUP BY customer_id) c USING (customer_id) WHERE d.left_on < c.joined_on",
    )[0]
    if not rows:
        return
    many = _many(rows, of, limits)
    remedy = "Look for swapped or shifted dates, or allow `order` for this table in sources.checks with the reason."
    yield Finding(
        "departures",
        "left_on",
        "order",
        Severity.ERROR if many else Severity.REPAIR,
        "lies before the customer joined",
        rows,
        tuple(mask(example) for example in examples),
        remedy if many else "They count for no period of service.",
    )
