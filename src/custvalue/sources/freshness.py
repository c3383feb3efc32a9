"""How far each table reaches at a moment, whether a feed is late, and what an operator lets pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from custvalue.engines import run, scalar
from custvalue.errors import DataError
from custvalue.sources.contract import CONTRACT
from custvalue.sources.declaration import Table
from custvalue.sources.findings import ContractError, Finding, Severity, TableReport, allow
from custvalue.sources.history import ENOUGH, ratio_to_before
from custvalue.sources.moment import Moment, add_months
from custvalue.sources.sql import literal
from custvalue.sources.tables import SourceTables

_LOOK_BACK = 90
"""Days over which a table's usual rhythm is taken."""
_RHYTHM = 20
"""A rhythm is one of at least so many days with rows."""
_SILENCE = 3
"""Days of silence that are never too many; more than twice the longest usual silence are."""
_DAYS = 28
"""Days that the newest day of a daily table is compared with."""


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
    reaches : date, optional
        The last day that it covers; None where nothing is known.
    missing_days : int, optional
        Days between that day and the one it should cover; None where nothing is known, or it is not late.
    thin : str
        What its newest month or day holds, where that is far less than those before it.
    """

    table: str
    rows_known: int
    newest: str
    expected: str
    late: bool
    due: str = ""
    waiting_until: str = ""
    reaches: date | None = None
    missing_days: int | None = None
    thin: str = ""


class StaleError(ContractError):
    """Feeds are late (exit 3).

    Attributes
    ----------
    facts : dict
        For a log: ``table``, ``latest``, ``expected``, ``late_days``, ``last_good_night`` and ``do``, of the feed that is latest; the
        others are named in ``also_late``.
    """

    def __init__(self, late: Sequence[Freshness], reports: Iterable[TableReport], *, moment: Moment, last_good_night: date | None) -> None:
        names = [entry.table for entry in late]
        night = f"the last good night is {last_good_night}" if last_good_night else "no night is published yet"
        allowed = " ".join(f"--allow-stale {name}" for name in names)
        remedy = (
            "Rerun when they have arrived, or set sources.delay_days; a known outage can be allowed as `late` in sources.checks, or for "
            f"this run with {allowed}."
        )
        lines = [f"  {entry.table}: {_fault(entry)}{_days(entry)}" for entry in late]
        super().__init__("\n".join([f"feed(s) late at {moment.day}: {night}.", *lines, remedy]), reports)
        worst = max(late, key=lambda entry: (entry.missing_days is None, entry.missing_days or 0))
        facts: dict[str, Any] = {
            "table": worst.table,
            "latest": worst.newest[:7] if worst.expected else worst.newest,
            "expected": worst.expected or worst.due,
            "late_days": worst.missing_days,
            "last_good_night": str(last_good_night) if last_good_night else None,
            "do": f"rerun when {' and '.join(names)} {'arrives' if len(names) == 1 else 'arrive'}, or {allowed}",
        }
        if others := [name for name in names if name != worst.table]:
            facts["also_late"] = others
        self.facts = facts


def allowed_stale(freshness: Iterable[Freshness]) -> str:
    """Tell which of the feeds that `refuse_stale` let pass were late, for the lineage; empty where none was.

    >>> allowed_stale([Freshness("usage", 9, "2025-11-01", "2025-12", late=True, missing_days=31)])
    'usage (31 days)'
    """
    return ", ".join(f"{entry.table}{_days(entry) or ' (all)'}" for entry in freshness if entry.late)


def _days(entry: Freshness) -> str:
    return "" if entry.missing_days is None else f" ({entry.missing_days} days)"


def check_freshness(tables: SourceTables, moment: Moment) -> list[Freshness]:
    """Tell for each table what is known at a moment, and whether its newest month, or the rows of the last days, are there."""
    declared = [CONTRACT[name] for name in tables.rows]
    return [_monthly(tables, table, moment) if table.monthly else _dated(tables, table, moment) for table in declared if table.event]


def _monthly(tables: SourceTables, declared: Table, moment: Moment) -> Freshness:
    name, known = declared.name, f"available_at <= TIMESTAMP '{moment.instant.isoformat(sep=' ')}'"
    by_month = dict(run(tables.con, f"SELECT month, count(*) FROM contract.{name} WHERE {known} GROUP BY month ORDER BY month"))
    newest = max(by_month, default=None)
    expected = moment.newest_month(tables.delay_days.get(name, 0))
    thin = _thin_month(tables, name, by_month, expected) if newest == expected else ""
    late = newest is None or newest < expected or bool(thin)
    waiting = ""
    if late:
        waits = f"SELECT min({_local('available_at', tables.zone)}) FROM contract.{name} WHERE month = DATE '{expected}' AND NOT {known}"
        waiting = str(scalar(tables.con, waits) or "")[:16]
    entry = Freshness(name, sum(by_month.values()), str(newest or "nothing")[:10], f"{expected:%Y-%m}", late, waiting_until=waiting)
    whole = add_months(newest, -1) if newest and thin else newest
    return _reaching(replace(entry, thin=thin), _last_day(whole) if whole else None, _last_day(expected))


def _last_day(month: date) -> date:
    return add_months(month, 1) - timedelta(days=1)


def _reaching(entry: Freshness, reaches: date | None, should: date) -> Freshness:
    return replace(entry, reaches=reaches, missing_days=(should - reaches).days if entry.late and reaches else None)


def _thin_month(tables: SourceTables, name: str, by_month: dict[date, int], month: date) -> str:
    """Tell of a month of which only a part is known yet, by the measure that `check_history` has for whole tables."""
    before = [rows for other, rows in by_month.items() if other < month]
    ratio = ratio_to_before([float(rows) for rows in (*before, by_month[month])], len(before))
    if ratio is None or ratio >= tables.checks.limits(name).volume_drop or median(before[-6:]) < ENOUGH:
        return ""
    return f"only {by_month[month]:,} row(s) of {month:%Y-%m} are known, {ratio:.0%} of the months before"


def _dated(tables: SourceTables, declared: Table, moment: Moment) -> Freshness:
    known = f"FROM contract.{declared.name} WHERE available_at <= TIMESTAMP '{moment.instant.isoformat(sep=' ')}'"
    # every zone's clocks differ from UTC by whole quarters of an hour, and reading them is dear: once a quarter, not once a row
    quarters = f"SELECT time_bucket(INTERVAL 15 MINUTE, available_at) AS quarter, count(*) AS n {known} GROUP BY quarter"
    by_day = dict(
        run(tables.con, f"SELECT CAST({_local('quarter', tables.zone)} AS DATE) AS day, sum(n) FROM ({quarters}) GROUP BY day ORDER BY day")
    )
    newest = max(by_day, default=None)
    report = Freshness(declared.name, int(sum(by_day.values())), str(newest or "nothing"), "", late=False, reaches=newest)
    if not (declared.steady or declared.daily) or newest is None:
        return report
    arrivals = [day for day in by_day if day > newest - timedelta(days=_LOOK_BACK)]
    delay = tables.delay_days.get(declared.name, 0)
    due = _due(arrivals, moment.day, delay)
    if due is None:
        return report
    thin = _thin_day(tables, declared, moment, known) if declared.daily and newest >= due else ""
    report = replace(report, due=str(due), late=newest < due or bool(thin), thin=thin)
    return _reaching(report, newest, moment.day - timedelta(days=delay))


def _thin_day(tables: SourceTables, declared: Table, moment: Moment, known: str) -> str:
    """Tell of a newest day that holds far fewer rows than the weeks before it: a part of its file."""
    first = moment.day - timedelta(days=_DAYS + tables.delay_days.get(declared.name, 0))
    by_day = run(tables.con, f"SELECT day, count(*) {known} AND day >= DATE '{first}' GROUP BY day ORDER BY day")
    *before, (day, rows) = by_day or [(moment.day, 0)]
    usual = median([count for _, count in before]) if before else 0
    if len(before) < _DAYS // 2 or usual < ENOUGH or rows >= tables.checks.limits(declared.name).volume_drop * usual:
        return ""
    return f"only {rows:,} row(s) of {day} are known, {rows / usual:.0%} of the days before"


def _due(arrivals: list[date], day: date, delay_days: int) -> date | None:
    """Give the day since which a row should have come; None where the table has no rhythm."""
    if len(arrivals) < _RHYTHM:
        return None
    silence = max((after - before).days for before, after in pairwise(arrivals))
    return day - timedelta(days=max(_SILENCE, 2 * silence) + delay_days)


def _local(time: str, zone: str) -> str:
    """SQL of a UTC time on the operator's clocks."""
    return f"timezone({literal(zone)}, timezone('UTC', {time}))"


def refuse_stale(tables: SourceTables, moment: Moment, *, last_good_night: date | None = None) -> list[Freshness]:
    """Check freshness and stop where a run could not be honest.

    Parameters
    ----------
    tables, moment
        What is looked at, and from when.
    last_good_night : date, optional
        Named in the refusal.

    Raises
    ------
    DataError
        Nothing is known yet at this moment.
    StaleError
        A monthly feed's newest month has not arrived or is half there, or a daily one has fallen silent, and `late` is not allowed for it.
    """
    report = check_freshness(tables, moment)
    customers = next(entry for entry in report if entry.table == "customers")
    if not customers.rows_known:
        if not tables.rows["customers"]:
            raise DataError("table customers has no row. Load it, or check what its mapping keeps.")
        first = scalar(tables.con, f"SELECT min({_local('available_at', tables.zone)}) FROM contract.customers")
        raise DataError(f"as_of {moment.day} lies before any data: the first customers are known from {first:%Y-%m-%d}. Take a later date.")
    late = [entry for entry in report if entry.late and "late" not in tables.checks.allowed(entry.table)]
    if late:
        raise StaleError(late, with_freshness(tables, report), moment=moment, last_good_night=last_good_night)
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
    remedy = "Rerun when it has arrived, or set sources.delay_days."
    return Finding(entry.table, "available_at", "late", Severity.ERROR, _fault(entry), 0, (), remedy)


def _fault(entry: Freshness) -> str:
    if entry.thin:
        return entry.thin
    if not entry.expected:
        return f"nothing new since {entry.newest}, expected something after {entry.due}"
    waiting = f" (there, but known from {entry.waiting_until} on)" if entry.waiting_until else ""
    return f"newest month {entry.newest[:7]}, expected {entry.expected}{waiting}"
