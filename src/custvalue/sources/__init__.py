"""The data contract, its checks, the readers, and the as-of cut."""

from custvalue.sources.contract import CONTRACT
from custvalue.sources.declaration import Column, Table
from custvalue.sources.findings import ContractError, Finding, Severity, TableReport
from custvalue.sources.freshness import Freshness, StaleError, allowed_stale, check_freshness, refuse_stale, with_freshness
from custvalue.sources.moment import Moment, add_months, month_index
from custvalue.sources.opening import open_tables
from custvalue.sources.tables import SourceTables, cut

__all__ = [
    "CONTRACT",
    "Column",
    "ContractError",
    "Finding",
    "Freshness",
    "Moment",
    "Severity",
    "SourceTables",
    "StaleError",
    "Table",
    "TableReport",
    "add_months",
    "allowed_stale",
    "check_freshness",
    "cut",
    "month_index",
    "open_tables",
    "refuse_stale",
    "with_freshness",
]
