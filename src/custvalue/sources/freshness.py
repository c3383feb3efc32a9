"""How far each table reaches at a moment, and whether a feed is late."""

from __future__ import annotations

from dataclasses import dataclass

from custvalue.engines import run, scalar
from custvalue.errors import DataError
from custvalue.sources.contract import CONTRACT
from custvalue.sources.mapping import literal
from custvalue.sources.moment import Moment
from custvalue.sources.tables import SourceTables


@dataclass(frozen=True)
class Freshness:
    """How far a table reaches at a moment."""

    table: str
    rows_known: int
    newest: str
    expected: str
    late: bool


def check_freshness(tables: SourceTables, moment: Moment) -> list[Freshness]:
    """Tell for each table what is known at a moment and, for monthly ones, whether the newest month is there."""
    report = []
    for name in tables.rows:
        declared = CONTRACT[name]
        if declared.event is None:
            continue
        time = "month" if declared.monthly else _local("available_at", tables.zone)
        where = f"WHERE available_at <= TIMESTAMP '{moment.instant.isoformat(sep=' ')}'"
        rows, newest = run(tables.con, f"SELECT count(*), max({time}) FROM contract.{name} {where}")[0]
        expected = moment.newest_month(tables.delay_days.get(name, 0)) if declared.monthly else None
        late = expected is not None and (newest is None or newest < expected)
        report.append(Freshness(name, int(rows), str(newest or "nothing")[:10], f"{expected:%Y-%m}" if expected else "", late))
    return report


def _local(time: str, zone: str) -> str:
    """SQL of a UTC time on the operator's clocks."""
    return f"timezone({literal(zone)}, timezone('UTC', {time}))"


def refuse_stale(tables: SourceTables, moment: Moment) -> list[Freshness]:
    """Check freshness and stop where a run could not be honest.

    Raises
    ------
    DataError
        Nothing is known yet at this moment, or a monthly feed's newest month has not arrived.
    """
    report = check_freshness(tables, moment)
    customers = next(entry for entry in report if entry.table == "customers")
    if not customers.rows_known:
        if not tables.rows["customers"]:
            raise DataError("table customers has no row. Load it, or check what its mapping keeps.")
        first = scalar(tables.con, f"SELECT min({_local('available_at', tables.zone)}) FROM contract.customers")
        raise DataError(f"as_of {moment.day} lies before any data: the first customers are known from {first:%Y-%m-%d}. Take a later date.")
    late = [entry for entry in report if entry.late]
    if late:
        lines = [f"  {entry.table}: newest month {entry.newest[:7]}, expected {entry.expected}" for entry in late]
        raise DataError("\n".join([f"feed(s) late at {moment.day}:", *lines, "Rerun when they have arrived, or set sources.delay_days."]))
    return report
