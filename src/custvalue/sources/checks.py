"""Checks of typed tables against the contract: keys, missing values, ranges, allowed texts, freshness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibis.backends.duckdb import Backend

from custvalue.engines import run, scalar
from custvalue.errors import DataError, mask, some
from custvalue.sources.contract import CONTRACT, Column, Table
from custvalue.sources.mapping import literal, quoted
from custvalue.sources.moment import Moment

if TYPE_CHECKING:
    from custvalue.sources.tables import SourceTables


_KEEP_ONE = "Keep one row, or give the newer one a later available_at."


@dataclass(frozen=True)
class Finding:
    """One broken rule: where, what, how many rows, examples (identifiers masked) and the way out."""

    table: str
    column: str
    fault: str
    rows: int
    examples: tuple[str, ...]
    remedy: str

    def __str__(self) -> str:
        shown = f", for example {some(self.examples)}" if self.examples else ""
        return f"{self.table}.{self.column}: {self.fault} in {self.rows:,} row(s){shown}. {self.remedy}"


@dataclass(frozen=True)
class Freshness:
    """How far a table reaches at a moment."""

    table: str
    rows_known: int
    newest: str
    expected: str
    late: bool


def check_table(con: Backend, declared: Table) -> tuple[list[Finding], bool]:
    """Check one typed table.

    Returns
    -------
    findings : list of Finding
        Broken rules.
    revised : bool
        Whether some key comes again with a later ``available_at``.
    """
    relation = f"contract.{declared.name}"
    present = {row[0] for row in run(con, f"DESCRIBE {relation}")}
    findings = []
    for column in declared.columns:
        if column.name in present:
            findings += [f for f in (_check(con, declared, column, *rule) for rule in _rules(column)) if f]
    key = ", ".join(quoted(name) for name in declared.key)
    versioned = f"{key}, available_at" if declared.event else key
    doubles = _grouped_twice(con, relation, versioned, declared.key[0])
    if doubles[0]:
        findings.append(
            Finding(
                declared.name,
                "+".join(declared.key),
                "key comes twice",
                *doubles,
                "Keep one row, or give the newer one a later available_at.",
            )
        )
    revised = bool(declared.event) and _grouped_twice(con, relation, key, declared.key[0])[0] > 0
    return findings, revised


def _rules(column: Column) -> list[tuple[str, str, str]]:
    """Give (condition of a bad row, fault, remedy) for each rule of a column."""
    name = quoted(column.name)
    rules = []
    if not column.nullable:
        empty = f" OR {name} = ''" if column.dtype == "VARCHAR" else ""
        rules.append((f"{name} IS NULL{empty}", "value missing", "Fill it, or leave the row out in the mapping."))
    if column.minimum is not None:
        rules.append((f"{name} < {column.minimum}", f"value below {column.minimum:g}", "Mend the feed."))
    if column.allowed:
        texts = ", ".join(literal(text) for text in column.allowed)
        rules.append((f"{name} NOT IN ({texts})", "unknown text", f"Map it to one of {', '.join(column.allowed)}."))
    if column.name == "month":
        rules.append((f"{name} <> date_trunc('month', {name})", "not the first day of a month", "Use date_trunc('month', …)."))
    return rules


def _check(con: Backend, declared: Table, column: Column, bad: str, fault: str, remedy: str) -> Finding | None:
    relation, key = f"contract.{declared.name}", quoted(declared.key[0])
    rows = int(scalar(con, f"SELECT count(*) FROM {relation} WHERE {bad}"))
    if not rows:
        return None
    if column.name == declared.key[0]:  # a row is shown by its key, and this one has none
        return Finding(declared.name, column.name, fault, rows, (), remedy)
    shown = run(con, f"SELECT {key}, {quoted(column.name)} FROM {relation} WHERE {bad} ORDER BY ALL LIMIT 3")
    examples = tuple(f"{mask(k)}: {'nothing' if value in (None, '') else value}" for k, value in shown)
    return Finding(declared.name, column.name, fault, rows, examples, remedy)


def _grouped_twice(con: Backend, relation: str, columns: str, shown: str) -> tuple[int, tuple[str, ...]]:
    grouped = f"SELECT {quoted(shown)} AS k, count(*) AS n FROM {relation} GROUP BY {columns} HAVING count(*) > 1"
    rows, examples = run(con, f"SELECT coalesce(sum(n), 0), list(k ORDER BY k)[1:3] FROM ({grouped})")[0]
    return int(rows), tuple(mask(example) for example in examples or ())


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
