"""All blocks joined: one row for each active customer, and the specification of the columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import ibis
import ibis.expr.operations as ops
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
    reads : mapping of str to frozenset of str
        Column → contract tables whose rows it is built from, beside those that tell who is in service.
    """

    table: ibis.Table
    columns: tuple[FeatureColumn, ...]
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)

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
    consents = _consents(defined, customers, log)
    defined = {name: (rows, _allowed(features, consents)) for name, (rows, features) in defined.items()}
    reads = {
        feature.column.name: frozenset({BLOCKS[name].table, *BLOCKS[name].needs} & set(base.tables))
        for name, (_, features) in defined.items()
        for feature in features
    }
    combining = [block for block in BLOCKS.values() if block.combines and block.table in base.tables]
    stand_in = _stand_in(defined, customers)
    combined = [feature for block in combining for feature in block.define(stand_in, view_of(block))[1]]
    if only is not None:
        combined = [feature for feature in combined if feature.column.name in only]
    inputs = {feature.column.name: _columns_read(feature.value) for feature in combined}
    reads |= {name: frozenset().union(*(reads[each] for each in of if each in reads)) for name, of in inputs.items()}
    if only is not None:
        defined = _named(defined, {*only, *(name for of in inputs.values() for name in of)})
    joined, kept = _joined(defined, customers, consents)
    if only is not None:
        kept = [column for column in kept if column.name in only]
    values = {column.name: joined[column.name] for column in kept}
    values |= {each.column.name: each.value.op().replace({stand_in.op(): joined.op()}).to_expr() for each in combined}
    columns = (*kept, *(feature.column for feature in combined))
    return FeatureSet(joined.select("customer_id", **values), columns, {column.name: reads[column.name] for column in columns})


def _consents(defined: Mapping[str, Defined], customers: ibis.Table, log: Callable[[str], None]) -> list[str]:
    """Give the consents that features ask for and the customers' rows hold; tell what those that are absent switch off."""
    asked = [feature.column.consent for _, features in defined.values() for feature in features if feature.column.consent]
    given = sorted(set(asked) & set(customers.columns))
    for consent in sorted(set(asked) - set(given)):
        log(f"features: {asked.count(consent)} column(s) are off, customers.{consent} is not mapped")
    return given


def _allowed(features: Sequence[Feature], consents: Collection[str]) -> list[Feature]:
    return [feature for feature in features if not feature.column.consent or feature.column.consent in consents]


def _stand_in(defined: Mapping[str, Defined], customers: ibis.Table) -> ibis.Table:
    """Give a table of the joined columns' names and types: what combines them is defined before it is known which must be joined."""
    types = {feature.column.name: feature.value.type() for _, features in defined.values() for feature in features}
    return ibis.table({"customer_id": customers.customer_id.type(), **types}, name="features")


def _columns_read(value: Value) -> set[str]:
    return {node.name for node in value.op().find(ops.Field, filter=ops.Value)}


def _named(defined: Mapping[str, Defined], only: Collection[str]) -> dict[str, Defined]:
    """Keep the features of some names, and the blocks that have any."""
    found = {name: (rows, [one for one in features if one.column.name in only]) for name, (rows, features) in defined.items()}
    return {name: (rows, features) for name, (rows, features) in found.items() if features}


def _joined(defined: Mapping[str, Defined], active: ibis.Table, consents: Sequence[str]) -> tuple[ibis.Table, list[FeatureColumn]]:
    """Build the blocks and join them to the active customers; a value that needs a consent is null for who does not give it."""
    kept = [feature.column for _, features in defined.values() for feature in features]
    joined = active.select("customer_id", *consents)
    for name, (rows, features) in defined.items():
        table = BLOCKS[name].build(rows, features)
        # no select between the joins: they compile to one flat join, several times faster than nested ones
        joined = joined.left_join(table, "customer_id", rname=f"{{name}}_of_{name}")
    return joined.select("customer_id", **{column.name: _consented(joined, column) for column in kept}), kept


def _consented(joined: ibis.Table, column: FeatureColumn) -> Value:
    value = joined[column.name]
    return value if column.consent is None else ibis.ifelse(joined[column.consent], value, ibis.null(value.type()))
