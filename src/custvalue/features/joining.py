"""All blocks joined: one row for each active customer, and the specification of the columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import ibis

from custvalue.config import FeaturesConfig
from custvalue.features import billing, complaints, contracts, payments, profile, usage
from custvalue.features.blocks import Block, View
from custvalue.features.columns import FeatureColumn
from custvalue.features.population import active_customers
from custvalue.sources import Moment

BLOCKS: Mapping[str, Block] = {
    "profile": Block("customers", profile.define),
    "billing": Block("billing", billing.define),
    "usage": Block("usage", usage.define),
    "payments": Block("payments", payments.define),
    "complaints": Block("complaints", complaints.define),
    "contracts": Block("contracts", contracts.define),
}
"""Every feature block; a new one is one file and one line here."""


@dataclass(frozen=True)
class FeatureSet:
    """Features of one moment.

    Attributes
    ----------
    table : ibis.Table
        ``customer_id`` and one column a feature, one row an active customer.
    columns : tuple of FeatureColumn
        Declarations, in the table's order.
    """

    table: ibis.Table
    columns: tuple[FeatureColumn, ...]

    @property
    def spec_hash(self) -> str:
        """SHA-256 of names, kinds and units in order: what a model depends on. Words and reasons may change without a new training."""
        spec = [[column.name, column.kind, column.unit] for column in self.columns]
        return hashlib.sha256(json.dumps(spec).encode()).hexdigest()

    def spec_json(self) -> str:
        """The declarations as canonical JSON."""
        return json.dumps([asdict(column) for column in self.columns], ensure_ascii=False, sort_keys=True)


def build_features(
    tables: Mapping[str, ibis.Table],
    moment: Moment,
    settings: FeaturesConfig,
    *,
    delay_days: Mapping[str, int] | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> FeatureSet:
    """Build the features of every active customer.

    Parameters
    ----------
    tables : mapping of str to ibis.Table
        Contract tables as known at the moment (`SourceTables.known`). A block whose table is absent is switched off.
    moment : Moment
        The as-of moment.
    settings : FeaturesConfig
        Windows and products.
    delay_days : mapping, optional
        Table → days until a row is known; decides which month is the newest.
    log : callable, optional
        Takes one line for each block that is switched off.

    Returns
    -------
    FeatureSet
        The table (not yet computed) and the declarations of its columns.
    """
    joined = active_customers(tables, moment).select("customer_id")
    declared: list[FeatureColumn] = []
    for name, block in BLOCKS.items():
        if block.table not in tables:
            log(f"features: block {name} is off, table {block.table} is not mapped")
            continue
        view = View(moment, settings.windows, settings.products, (delay_days or {}).get(block.table, 0))
        built, columns = block.build(tables[block.table], view)
        # no select between the joins: they compile to one flat join, several times faster than nested ones
        joined = joined.left_join(built, "customer_id", rname=f"{{name}}_of_{name}")
        declared.extend(columns)
    return FeatureSet(joined.select("customer_id", *(column.name for column in declared)), tuple(declared))
