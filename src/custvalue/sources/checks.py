"""Checks of typed tables against the contract: keys, missing values, ranges, allowed texts."""

from __future__ import annotations

from dataclasses import dataclass

from ibis.backends.duckdb import Backend

from custvalue.engines import run, scalar
from custvalue.errors import mask, some
from custvalue.sources.contract import Column, Table
from custvalue.sources.mapping import literal, quoted

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
                _KEEP_ONE,
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
