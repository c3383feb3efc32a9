"""One look at a table, month by month: how many rows, how full and how high each column, how many rows break each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
from ibis.backends.duckdb import Backend

from custvalue.engines import run
from custvalue.engines.duckdb import records
from custvalue.sources.declaration import Table
from custvalue.sources.sql import cast_to, literal, quoted

if TYPE_CHECKING:
    from custvalue.sources.rules import Rule

_LASTS = {"month": "1 MONTH", "day": "1 DAY"}
_LONG_AFTER = 60 * 86_400 * 1_000_000
"""Microseconds after which a row that becomes known only then was probably loaded in bulk."""
PERIOD, LAG, STRANGER = "(period)", "(lag)", "(stranger)"
"""Helper columns: last day of the event's month; microseconds from its end until it is known; is its customer unknown."""
DAY, OVER = '"(day)"', '"(over)"'
"""Columns of `event_days`, quoted."""


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


def event_days(declared: Table, relation: str, *, zone: str, delay_days: int = 0) -> str:
    """SQL of each `DAY` that events of a relation have, and when it is `OVER`: reading clocks is dear, so not once a row."""
    event = quoted(str(declared.event))
    over = event_instant(declared, zone=zone, delay_days=delay_days)
    return f"SELECT {event} AS {DAY}, {over} AS {OVER} FROM (SELECT DISTINCT {event} FROM {relation})"


def month_end(day: str) -> str:
    """SQL of the last day of a day's month, which is found several times as fast as the first."""
    return f"last_day({day})"


def with_helpers(con: Backend, declared: Table, *, zone: str, present: Sequence[str], tables: Sequence[str]) -> ibis.Table:
    """Give a contract table with columns that the checks ask of each row: its month, how late it is known, is its customer known."""
    added, relation = [], f"contract.{declared.name}"
    if declared.event:
        event = over = quoted(declared.event)
        if declared.by_name[declared.event].dtype == "DATE":
            relation += f" LEFT JOIN ({event_days(declared, relation, zone=zone)}) ON {event} = {DAY}"
            over = OVER
        added.append(f"epoch_us(available_at) - epoch_us({over}) AS {quoted(LAG)}")
        added.append(f"{month_end(event)} AS {quoted(PERIOD)}")
    if "customer_id" in declared.by_name and declared.name != "customers":
        added.append(f"{_unknown('customer_id', 'customers', 'customer_id')} AS {quoted(STRANGER)}")
    for column in declared.columns:
        if column.refers in tables and column.name in present:
            key = f"{str(column.refers).removesuffix('s')}_id"
            added.append(f"{_unknown(column.name, str(column.refers), key)} AS {quoted(refers_name(column.name))}")
    return con.sql(f"SELECT {', '.join(['*', *added])} FROM {relation}")


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
    return Profile(tuple(row[PERIOD].replace(day=1) for row in dated), tuple(dated), undated[0] if undated else {})


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
    if declared.event:
        lag = table[LAG]
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
