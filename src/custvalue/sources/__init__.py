"""The data contract, its checks, the readers, and the as-of cut."""

from custvalue.sources.checks import Finding
from custvalue.sources.contract import CONTRACT, Column, Table
from custvalue.sources.freshness import Freshness, check_freshness, refuse_stale
from custvalue.sources.moment import Moment, add_months, month_index
from custvalue.sources.tables import SourceTables, cut, open_tables

__all__ = [
    "CONTRACT",
    "Column",
    "Finding",
    "Freshness",
    "Moment",
    "SourceTables",
    "Table",
    "add_months",
    "check_freshness",
    "cut",
    "month_index",
    "open_tables",
    "refuse_stale",
]
