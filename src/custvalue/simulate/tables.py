"""Which table is built by whom."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import pyarrow as pa

from custvalue.simulate.contracts import contracts_table
from custvalue.simulate.daily import daily_tables
from custvalue.simulate.dealings import complaints_table
from custvalue.simulate.events import events_table
from custvalue.simulate.grades import tier_history_table
from custvalue.simulate.monthly import billing_table, payments_table, usage_table
from custvalue.simulate.outcomes import contacts_table, drivers_table, states_table
from custvalue.simulate.register import customers_table, departures_table, directory_table, managers_table
from custvalue.simulate.surveys import surveys_table
from custvalue.simulate.world import World

Build = Callable[[World], pa.Table | Iterable[pa.Table]]

TABLES: Mapping[str, Build] = {
    "customers": customers_table,
    "billing": billing_table,
    "usage": usage_table,
    "daily": daily_tables,
    "payments": payments_table,
    "complaints": complaints_table,
    "surveys": surveys_table,
    "contracts": contracts_table,
    "events": events_table,
    "contacts": contacts_table,
    "departures": departures_table,
    "tier_history": tier_history_table,
    "managers": managers_table,
    "directory": directory_table,
}
"""Tables of the data contract, built shard by shard; a builder gives one table, or several that are one after the other."""

SHARED = ("managers",)
"""Tables that are the same for every shard."""

TRUTH: Mapping[str, Build] = {"states": states_table, "drivers": drivers_table}
"""What only a test may know; kept in a folder of its own."""


def built_tables(world: World, *, first: bool, only: Collection[str] | None = None) -> Iterable[tuple[str, pa.Table]]:
    """Build every table of a shard, or only some, the truth's under ``truth/``; those that shards share only for the first one."""
    for name, build in {**TABLES, **{f"truth/{name}": build for name, build in TRUTH.items()}}.items():
        if (only is not None and name not in only) or (name in SHARED and not first):
            continue
        built = build(world)
        for table in [built] if isinstance(built, pa.Table) else built:
            yield name, table
