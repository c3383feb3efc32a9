"""Which table is built by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from custvalue.simulate.dealings import complaints_table, contracts_table
from custvalue.simulate.monthly import billing_table, payments_table, states_table, usage_table
from custvalue.simulate.register import customers_table, departures_table, directory_table, managers_table
from custvalue.simulate.world import World

TABLES: Mapping[str, Callable[[World], pa.Table]] = {
    "customers": customers_table,
    "billing": billing_table,
    "usage": usage_table,
    "payments": payments_table,
    "complaints": complaints_table,
    "contracts": contracts_table,
    "departures": departures_table,
    "managers": managers_table,
    "directory": directory_table,
}
"""Tables of the data contract."""

TRUTH: Mapping[str, Callable[[World], pa.Table]] = {"states": states_table}
"""What only a test may know; kept in a folder of its own."""
