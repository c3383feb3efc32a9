"""All blocks joined: one row for each active customer, and the specification of the columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import ibis
from ibis.expr.types import Value

from custvalue.config import FeaturesConfig
from custvalue.features import (
    billing,
    complaints,
    contacts,
    contracts,
    daily,
    events,
    household,
    lifecycle,
    payments,
    profile,
    ratios,
    surveys,
    usage,
)
from custvalue.features.base import Base
from custvalue.features.blocks import Block, Feature, View
from custvalue.features.columns import FeatureColumn
from custvalue.sources import Moment

BLOCKS: Mapping[str, Block] = {
    "profile": Block("customers", profile.define, needs=("billing",), one_row=True),
    "billing": Block("billing", billing.define, one_row=True),
    "usage": Block("usage", usage.define, one_row=True),
    "payments": Block("payments", payments.define),
    "complaints": Block("complaints", complaints.define),
    "contracts": Block("contracts", contracts.define),
    "daily": Block("daily", daily.define, needs=("billing",), one_row=True),
    "surveys": Block("surveys", surveys.define),
    "events": Block("events", events.define),
    "contacts": Block("contacts", contacts.define),
    "household": Block("customers", household.define, needs=("billing", "complaints", "departures"), one_row=True),
    "ratios": Block("billing", ratios.define, combines=True),
    "lifecycle": Block("customers", lifecycle.define, combines=True),
}
"""Every feature block; a new one is one file and one line here."""

Defined = tuple[ibis.Table, Sequence[Feature]]
"""What a block defines: the rows to aggregate, and the features."""


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
    only: Collection[str] | None = None,
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
    only : collection of str, optional
        Names of the features that are wanted: a statement for a few columns is written in a fraction of the time that all of them take.
        Names that the tables do not give are left out.
    log : callable, optional
        Takes one line for each block that is switched off.

    Returns
    -------
    FeatureSet
        The table (not yet computed) and the declarations of its columns.
    """
    base = Base.of(tables, moment)
    return features_of(base.active, base, moment, settings, delay_days=delay_days, only=only, log=log)


def features_of(
    customers: ibis.Table,
    base: Base,
    moment: Moment,
    settings: FeaturesConfig,
    *,
    delay_days: Mapping[str, int] | None = None,
    only: Collection[str] | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> FeatureSet:
    """Build the features of some of the base's customers in service.

    Parameters
    ----------
    customers : ibis.Table
        Their current rows, as in `Base.active`.
    base : Base
        The whole base.
    moment, settings, delay_days, only, log
        As for `build_features`.
    """

    def view_of(block: Block) -> View:
        read = {block.table, *block.needs}
        return View(
            moment,
            settings.windows,
            base=replace(base, tables={name: table for name, table in base.tables.items() if name in read}),
            customers=customers,
            products=settings.products,
            delay_days=(delay_days or {}).get(block.table, 0),
            delays=delay_days or {},
            complaint_categories=settings.complaint_categories,
            departing_categories=settings.departing_categories,
        )

    defined: dict[str, Defined] = {}
    for name, block in BLOCKS.items():
        if block.combines:
            continue
        if block.table not in base.tables:
            log(f"features: block {name} is off, table {block.table} is not mapped")
            continue
        view = view_of(block)
        defined[name] = block.define(view.rows(block.table), view)
    combining = [block for block in BLOCKS.values() if block.combines and block.table in base.tables]
    joined, kept = _joined(defined, customers, log)
    combined = [feature for block in combining for feature in block.define(joined, view_of(block))[1]]
    if only is not None:
        combined = [feature for feature in combined if feature.column.name in only]
        if not combined:  # those read any column, the others their own
            joined, kept = _joined(_named(defined, only), customers, log)
        kept = [column for column in kept if column.name in only]
    values = {column.name: joined[column.name] for column in kept} | {feature.column.name: feature.value for feature in combined}
    return FeatureSet(joined.select("customer_id", **values), (*kept, *(feature.column for feature in combined)))


def _named(defined: Mapping[str, Defined], only: Collection[str]) -> dict[str, Defined]:
    """Keep the features of some names, and the blocks that have any."""
    found = {name: (rows, [one for one in features if one.column.name in only]) for name, (rows, features) in defined.items()}
    return {name: (rows, features) for name, (rows, features) in found.items() if features}


def _joined(defined: Mapping[str, Defined], active: ibis.Table, log: Callable[[str], None]) -> tuple[ibis.Table, list[FeatureColumn]]:
    """Build the blocks, join them to the active customers, and keep the columns that consent allows."""
    declared = [feature.column for _, features in defined.values() for feature in features]
    asked = {column.consent for column in declared if column.consent}
    given = sorted(asked & set(active.columns))
    for consent in sorted(asked - set(given)):
        count = sum(column.consent == consent for column in declared)
        log(f"features: {count} column(s) are off, customers.{consent} is not mapped")
    kept = [column for column in declared if not column.consent or column.consent in given]
    joined = active.select("customer_id", *given)
    for name, (rows, features) in defined.items():
        table = BLOCKS[name].build(rows, features)
        # no select between the joins: they compile to one flat join, several times faster than nested ones
        joined = joined.left_join(table, "customer_id", rname=f"{{name}}_of_{name}")
    return joined.select("customer_id", **{column.name: _consented(joined, column) for column in kept}), kept


def _consented(joined: ibis.Table, column: FeatureColumn) -> Value:
    value = joined[column.name]
    return value if column.consent is None else ibis.ifelse(joined[column.consent], value, ibis.null(value.type()))
