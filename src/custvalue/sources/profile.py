"""One look at a table, month by month: how many rows, how full and how high each column, how many rows break each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
from ibis.backends.duckdb import Backend

from custvalue.engines import run
from custvalue.engines.duckdb import records
from custvalue.sources.declaration import Table
from custvalue.sources.sql import cast_to, literal, quoted

if TYPE_CHECKING:
    from custvalue.sources.rules import Rule

_LASTS = {"month": "1 MONTH", "day": "1 DAY"}
_LONG_AFTER = 60 * 86_400
"""Seconds after which a row that becomes known only then was probably loaded in bulk."""
PERIOD, EVENT, STRANGER, CONTENT = "(period)", "(event)", "(stranger)", "(content)"


@dataclass(frozen=True)
class Profile:
    """A table's months, oldest first; rows without an event time stand under no month.

    Attributes
    ----------
    months : tuple of date
        Months that have rows.
    by_month : tuple of mapping
        For each of them, measure → value.
    undated : mapping
        The same measures of rows without an event time; empty where there are none.
    """

    months: tuple[date, ...]
    by_month: tuple[Mapping[str, Any], ...]
    undated: Mapping[str, Any]

    def total(self, measure: str) -> int:
        """Sum a count over all months."""
        return sum(int(entry.get(measure) or 0) for entry in (*self.by_month, self.undated))

    def extremes(self, least: str, most: str) -> tuple[Any, Any]:
        """Smallest and largest over all months; None where there is no row."""
        entries = [entry for entry in (*self.by_month, self.undated) if entry.get(least) is not None]
        return (min(entry[least] for entry in entries), max(entry[most] for entry in entries)) if entries else (None, None)

    @property
    def newest(self) -> str:
        """Day or month of the newest event."""
        found = [entry["newest"] for entry in self.by_month if entry.get("newest") is not None]
        return str(max(found))[:10] if found else ""


def event_instant(declared: Table, *, zone: str, delay_days: int = 0) -> str:
    """SQL of the moment a row's event is over, in UTC, plus a number of local days."""
    column = declared.by_name[str(declared.event)]
    event = cast_to(quoted(column.name), column.dtype)
    if column.name in _LASTS:
        event = f"({event} + INTERVAL {_LASTS[column.name]})"
    event += f" + INTERVAL {int(delay_days)} DAY"
    if column.dtype == "DATE":  # after the delay, so that it counts local days also when the clocks change
        event = f"CAST(timezone({literal(zone)}, CAST({event} AS TIMESTAMP)) AS TIMESTAMP)"
    return event


def _rough_event(declared: Table, zone: str) -> str:
    """SQL of a row's event end in UTC; converting each row between zones costs more than all other measures together.

    Where the zone's clocks have not changed since 2000 its offset is subtracted, which is wrong for older dates alone.
    """
    offsets = {datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for year in range(2000, 2040) for month in (1, 4, 7, 10)}
    column = declared.by_name[str(declared.event)]
    if len(offsets) > 1 or column.dtype != "DATE":
        return event_instant(declared, zone=zone)
    (offset,) = offsets
    seconds = int(offset.total_seconds()) if offset else 0
    lasts = f" + INTERVAL {_LASTS[column.name]}" if column.name in _LASTS else ""
    return f"CAST({quoted(column.name)}{lasts} AS TIMESTAMP) - INTERVAL {seconds} SECOND"


def with_helpers(con: Backend, declared: Table, *, zone: str, present: Sequence[str], tables: Sequence[str]) -> ibis.Table:
    """Give a contract table with columns that the checks ask of each row: its month, the instant of its event, is its customer known."""
    added = []
    if declared.event:
        event = quoted(declared.event)
        added.append(f"{_rough_event(declared, zone)} AS {quoted(EVENT)}")
        month = event if declared.monthly else f"CAST(date_trunc('month', {event}) AS DATE)"
        added.append(f"{month} AS {quoted(PERIOD)}")
        if len(declared.key) == 1:  # rows with an id of their own can be loaded again under another
            content = [name for name in present if name not in (*declared.key, "available_at")]
            added.append(f"hash({', '.join(map(quoted, content))}) AS {quoted(CONTENT)}")
    if "customer_id" in declared.by_name and declared.name != "customers":
        added.append(f"{_unknown('customer_id', 'customers', 'customer_id')} AS {quoted(STRANGER)}")
    for column in declared.columns:
        if column.refers in tables and column.name in present:
            key = f"{str(column.refers).removesuffix('s')}_id"
            added.append(f"{_unknown(column.name, str(column.refers), key)} AS {quoted(refers_name(column.name))}")
    return con.sql(f"SELECT {', '.join(['*', *added])} FROM contract.{declared.name}")


def refers_name(column: str) -> str:
    """Name of the helper column that tells whether a reference leads nowhere."""
    return f"({column} unknown)"


def _unknown(column: str, table: str, key: str) -> str:
    name = quoted(column)
    return f"({name} IS NOT NULL AND {name} NOT IN (SELECT {key} FROM contract.{table} WHERE {key} IS NOT NULL))"


def take_profile(con: Backend, declared: Table, table: ibis.Table, broken: Sequence[Rule]) -> Profile:
    """Measure a table in one scan.

    Parameters
    ----------
    con : Backend
        The engine.
    declared : Table
        The table's declaration.
    table : ibis.Table
        The table `with_helpers`.
    broken : sequence of Rule
        Rules whose broken rows are counted, as measures ``rule 0``, ``rule 1`` …
    """
    measures = _measures(declared, table) | {f"rule {i}": rule.broken.sum() for i, rule in enumerate(broken)}
    grouped = table.group_by(PERIOD) if PERIOD in table.columns else table.group_by(**{PERIOD: ibis.null("date")})
    rows = records(con, grouped.agg(**measures))
    dated = sorted((row for row in rows if row[PERIOD] is not None), key=lambda row: row[PERIOD])
    undated = [row for row in rows if row[PERIOD] is None]
    return Profile(tuple(row[PERIOD] for row in dated), tuple(dated), undated[0] if undated else {})


def _measures(declared: Table, table: ibis.Table) -> dict[str, ibis.Value]:
    own = [column for column in declared.columns if column.name in table.columns]
    found: dict[str, ibis.Value] = {"rows": table.count()}
    for column in own:
        value = table[column.name]
        found[f"filled {column.name}"] = value.count()
        if column.measured:
            found[f"sum {column.name}"] = value.abs().sum()
            found[f"moved {column.name}"] = (value != 0).sum()
    for helper in (STRANGER, *(refers_name(column.name) for column in own)):
        if helper in table.columns:
            found[f"count {helper}"] = table[helper].sum()
    if CONTENT in table.columns:
        found["distinct"] = table[CONTENT].approx_nunique()
    if declared.event:
        lag = table.available_at.epoch_seconds() - table[EVENT].epoch_seconds()
        found |= {"early": (lag < 0).sum(), "earliest": lag.min(), "least early": lag.max(where=lag < 0), "bulk": (lag > _LONG_AFTER).sum()}
        found["newest"] = table[declared.event].max()
    if declared.daily:
        found["days"] = table.day.nunique()
    return found


def stranger_example(con: Backend, declared: Table) -> Any:
    """Give one customer who is not in customers."""
    return run(con, f"SELECT min(customer_id) FROM contract.{declared.name} WHERE {_unknown('customer_id', 'customers', 'customer_id')}")[
        0
    ][0]
