"""The contract as pandera schemas: the rules that a single row must keep, each an expression on the engine where the rows lie.

pandera alone would scan the table once a rule and, for a rule that fails, pull a whole column into pandas. Its checks are expressions,
so `custvalue.sources.profile` counts the rows that break each of them in one scan, and fetches three examples of those that do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from custvalue.sources.contract import CONTRACT
from custvalue.sources.declaration import Column, Table

with warnings.catch_warnings():
    # where PySpark is installed, pandera loads its pandas interface, which warns of pandas 3; nothing here uses it
    warnings.simplefilter("ignore", FutureWarning)
    import pandera.ibis as pandera
    from pandera.api.ibis.types import IbisData

_TYPES = {"VARCHAR": "string", "TIMESTAMP": "timestamp(6)", "BIGINT": "int64", "DOUBLE": "float64"}
_FEW = 3


@dataclass(frozen=True)
class Rule:
    """One rule of one column, ready to be counted and shown.

    Attributes
    ----------
    check, column : str
        Name of the rule (``missing``, ``range``, ``allowed``, ``month``, ``order``) and the column it is about.
    fault, remedy : str
        What is wrong with a row that breaks it, and the way out.
    broken : BooleanColumn
        Which rows break it.
    """

    check: str
    column: str
    fault: str
    remedy: str
    broken: ir.BooleanColumn


def contract_schema(name: str) -> pandera.DataFrameSchema:
    """Give a contract table as a pandera schema, for checking any Ibis table against it.

    Each `pandera.Check` carries the rule's name, its fault as title and its remedy as description.

    Examples
    --------
    >>> sorted(contract_schema("departures").columns)
    ['customer_id', 'kind', 'left_on']
    """
    declared = CONTRACT[name]
    columns = {column.name: _column_schema(column) for column in declared.columns}
    return pandera.DataFrameSchema(columns, name=name)


def rules(declared: Table, table: ibis.Table) -> list[Rule]:
    """Give the rules of the columns that a table has."""
    schema = contract_schema(declared.name)
    found = []
    for name, column in schema.columns.items():
        for check in column.checks if name in table.columns else ():
            if (check.statistics or {}).get("other", name) not in table.columns:
                continue
            kept = check(table, name).check_output
            found.append(Rule(str(check.name), name, str(check.title), str(check.description), ~kept))
    return found


def examples_of(rule: Rule, table: ibis.Table, key: str) -> ibis.Table:
    """Give key and value of the first few rows that break a rule."""
    return table.filter(rule.broken).select(key=table[key], value=table[rule.column]).order_by("key", "value").limit(_FEW)


def _column_schema(column: Column) -> pandera.Column:
    dtype = ibis.dtype(_TYPES.get(column.dtype, column.dtype.lower()))
    return pandera.Column(dtype, checks=_checks(column), nullable=True, required=column.required)


def _checks(column: Column) -> list[pandera.Check]:
    checks = []
    if not column.nullable:
        checks.append(
            _check(_given(column), "missing", "value missing", "Fill it, or leave the row out in the mapping.", missing_is_bad=True)
        )
    if (least := column.minimum) is not None:
        checks.append(_check(lambda value: value >= least, "range", f"value below {least:g}", "Mend the feed."))
    if (most := column.maximum) is not None:
        checks.append(_check(lambda value: value <= most, "range", f"value above {most:g}", "Mend the feed."))
    if texts := column.allowed:
        checks.append(_check(lambda value: value.isin(texts), "allowed", "unknown text", f"Map it to one of {', '.join(texts)}."))
    if column.name == "month":
        checks.append(_check(lambda value: value.day() == 1, "month", "not the first day of a month", "Use date_trunc('month', …)."))
    if column.not_before is not None:
        checks.append(_not_before(column.not_before))
    return checks


def _given(column: Column) -> Callable[[ir.Column], ir.BooleanColumn]:
    if column.dtype == "VARCHAR":
        return lambda value: value.notnull() & (value != "")
    return lambda value: value.notnull()


def _check(
    kept: Callable[[ir.Column], ir.BooleanColumn], name: str, fault: str, remedy: str, *, missing_is_bad: bool = False
) -> pandera.Check:
    def of_column(data: IbisData) -> ir.BooleanColumn:
        return kept(data.table[data.key])

    return pandera.Check(of_column, name=name, title=fault, description=remedy, ignore_na=not missing_is_bad)


def _not_before(other: str) -> pandera.Check:
    def in_order(data: IbisData) -> ir.BooleanColumn:
        return (data.table[data.key] >= data.table[other]) | data.table[other].isnull()

    remedy = "Mend the feed: the two columns may be swapped, or one of them in local time."
    return pandera.Check(in_order, name="order", title=f"lies before {other}", description=remedy, statistics={"other": other})
