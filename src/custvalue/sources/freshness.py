"""How far each table reaches at a moment, and whether a feed is late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from custvalue.engines import run, scalar
from custvalue.errors import DataError
from custvalue.sources.contract import CONTRACT
from custvalue.sources.declaration import Table
from custvalue.sources.findings import ContractError, Finding, Severity, TableReport, allow
from custvalue.sources.moment import Moment
from custvalue.sources.sql import literal
from custvalue.sources.tables import SourceTables

_LOOK_BACK = 90
"""Days over which a table's usual rhythm is taken."""
_RHYTHM = 20
"""A rhythm is one of at least so many days with rows."""
_SILENCE = 3
"""Days of silence that are never too many; more than twice the longest usual silence are."""


@dataclass(frozen=True)
class Freshness:
    """How far a table reaches at a moment.

    Attributes
    ----------
    table : str
        Contract name.
    rows_known : int
        Rows known then.
    newest : str
        Newest month of a monthly table; of another the day on which its newest row became known.
    expected : str
        The month that a monthly table should have reached, empty for others.
    late : bool
        Whether it falls short.
    due : str
        For a table with a daily rhythm, the day since which a row should have come.
    waiting_until : str
        When the rows of a late month that are there become known, if any are.
    """

    table: str
    rows_known: int
    newest: str
    expected: str
    late: bool
    due: str = ""
    waiting_until: str = ""


def check_freshness(tables: SourceTables, moment: Moment) -> list[Freshness]:
    """Tell for each table what is known at a moment, and whether its newest month, or the rows of the last days, are there."""
    declared = [CONTRACT[name] for name in tables.rows]
    return [_monthly(tables, table, moment) if table.monthly else _dated(tables, table, moment) for table in declared if table.event]


def _monthly(tables: SourceTables, declared: Table, moment: Moment) -> Freshness:
    name, instant = declared.name, f"TIMESTAMP '{moment.instant.isoformat(sep=' ')}'"
    rows, newest = run(tables.con, f"SELECT count(*), max(month) FROM contract.{name} WHERE available_at <= {instant}")[0]
    expected = moment.newest_month(tables.delay_days.get(name, 0))
    late = newest is None or newest < expected
    waiting = ""
    if late:
        waits = f"SELECT min({_local('available_at', tables.zone)}) FROM contract.{name} WHERE month = DATE '{expected}'"
        waiting = str(scalar(tables.con, waits) or "")[:16]
    return Freshness(name, int(rows), str(newest or "nothing")[:10], f"{expected:%Y-%m}", late, waiting_until=waiting)


def _dated(tables: SourceTables, declared: Table, moment: Moment) -> Freshness:
    day = f"CAST({_local('available_at', tables.zone)} AS DATE)"
    known = f"FROM contract.{declared.name} WHERE available_at <= TIMESTAMP '{moment.instant.isoformat(sep=' ')}'"
    rows, newest = run(tables.con, f"SELECT count(*), max({day}) {known}")[0]
    report = Freshness(declared.name, int(rows), str(newest or "nothing"), "", late=False)
    if not (declared.steady or declared.daily) or newest is None:
        return report
    arrivals = run(
        tables.con, f"SELECT DISTINCT {day} AS day {known} AND {day} > DATE '{newest - timedelta(days=_LOOK_BACK)}' ORDER BY day"
    )
    due = _due([row[0] for row in arrivals], moment.day, tables.delay_days.get(declared.name, 0))
    return report if due is None else replace(report, due=str(due), late=newest < due)


def _due(arrivals: list[date], day: date, delay_days: int) -> date | None:
    """Give the day since which a row should have come; None where the table has no rhythm."""
    if len(arrivals) < _RHYTHM:
        return None
    silence = max((after - before).days for before, after in pairwise(arrivals))
    return day - timedelta(days=max(_SILENCE, 2 * silence) + delay_days)


def _local(time: str, zone: str) -> str:
    """SQL of a UTC time on the operator's clocks."""
    return f"timezone({literal(zone)}, timezone('UTC', {time}))"


def refuse_stale(tables: SourceTables, moment: Moment) -> list[Freshness]:
    """Check freshness and stop where a run could not be honest.

    Raises
    ------
    DataError
        Nothing is known yet at this moment.
    ContractError
        A monthly feed's newest month has not arrived, or a daily one has fallen silent, and `late` is not allowed for it.
    """
    report = check_freshness(tables, moment)
    customers = next(entry for entry in report if entry.table == "customers")
    if not customers.rows_known:
        if not tables.rows["customers"]:
            raise DataError("table customers has no row. Load it, or check what its mapping keeps.")
        first = scalar(tables.con, f"SELECT min({_local('available_at', tables.zone)}) FROM contract.customers")
        raise DataError(f"as_of {moment.day} lies before any data: the first customers are known from {first:%Y-%m-%d}. Take a later date.")
    reports = with_freshness(tables, report)
    late = [f for r in reports for f in r.findings if f.check == "late" and f.severity is Severity.ERROR]
    if late:
        lines = [f"  {finding.table}: {finding.fault}" for finding in late]
        remedy = "Rerun when they have arrived, or set sources.delay_days; a known outage can be allowed as `late` in sources.checks."
        raise ContractError("\n".join([f"feed(s) late at {moment.day}:", *lines, remedy]), reports)
    return report


def with_freshness(tables: SourceTables, freshness: Iterable[Freshness]) -> list[TableReport]:
    """Give the tables' reports with what is known of their freshness."""
    by_table = {entry.table: entry for entry in freshness}
    return [_with_freshness(tables, report, by_table.get(report.table)) for report in tables.reports]


def _with_freshness(tables: SourceTables, report: TableReport, entry: Freshness | None) -> TableReport:
    if entry is None:
        return report
    if not (entry.expected or entry.due):
        return replace(report, newest=entry.newest)
    found = [_late(entry)] if entry.late else []
    return report.with_freshness(entry.newest, entry.expected or entry.due, allow(found, tables.checks.allowed(entry.table)))


def _late(entry: Freshness) -> Finding:
    if entry.expected:
        fault = f"newest month {entry.newest[:7]}, expected {entry.expected}"
        if entry.waiting_until:
            fault += f" (there, but known from {entry.waiting_until} on)"
    else:
        fault = f"nothing new since {entry.newest}, expected something after {entry.due}"
    remedy = "Rerun when it has arrived, or set sources.delay_days."
    return Finding(entry.table, "available_at", "late", Severity.ERROR, fault, 0, (), remedy)
