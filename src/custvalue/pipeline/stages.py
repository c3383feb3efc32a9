"""The first stages, shared by training and the night: check, features, tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import ibis
import pandas as pd
import pyarrow as pa

from custvalue import publish
from custvalue.config import UNRATED, Config, load_retention_policy
from custvalue.errors import DataError
from custvalue.features import FeatureColumn, build_features
from custvalue.sources import Freshness, SourceTables, open_tables, refuse_stale
from custvalue.tiers import TierPolicy, tier_table


class Reporter(Protocol):
    """Who hears of progress: the terminal, a log, a test."""

    def start(self, step: str) -> None:
        """Begin a step."""

    def note(self, text: str) -> None:
        """Tell one fact inside a step."""

    def done(self, step: str, text: str, **facts: Any) -> None:
        """End a step: a sentence for people, facts for machines."""


@dataclass(frozen=True)
class Features:
    """Features of every customer active at one moment.

    Attributes
    ----------
    tables : SourceTables
        The operator's tables.
    table : ibis.Table
        ``customer_id`` and the feature columns, computed, on the engine.
    frame : DataFrame
        The same, by customer_id.
    columns : tuple of FeatureColumn
        Declarations of the feature columns.
    spec_hash, spec_json : str
        The declarations' hash and JSON.
    """

    tables: SourceTables
    table: ibis.Table
    frame: pd.DataFrame
    columns: tuple[FeatureColumn, ...]
    spec_hash: str
    spec_json: str


@dataclass(frozen=True)
class Tiers:
    """Tiers of one moment: the fitted policy and what it assigns, by customer_id."""

    policy: TierPolicy
    frame: pd.DataFrame


def check(config: Config, as_of: date | None, *, reporter: Reporter) -> tuple[SourceTables, list[Freshness]]:
    """Open the tables, check them against the contract and, with a date, their freshness.

    Raises
    ------
    DataError
        The contract is broken, or a feed is late.
    """
    reporter.start("check")
    tables = open_tables(config, log=reporter.note)
    freshness = refuse_stale(tables, tables.moment(as_of)) if as_of else []
    months = [entry for entry in freshness if entry.expected]
    latest = f"; newest month {max(entry.newest for entry in months)[:7]}" if months else ""
    total = sum(tables.rows.values())
    reporter.done("check", f"contract holds: {len(tables.rows)} tables, {total:,} rows{latest}", rows=dict(tables.rows))
    return tables, freshness


def build_features_at(config: Config, as_of: date, *, reporter: Reporter, tables: SourceTables | None = None) -> Features:
    """Build the features of every active customer.

    Raises
    ------
    DataError
        The contract is broken, a feed is late, or nobody is active.
    """
    tables = tables or check(config, as_of, reporter=reporter)[0]
    reporter.start("features")
    built = build_features(tables.known(as_of), tables.moment(as_of), config.features, delay_days=tables.delay_days, log=reporter.note)
    table = tables.con.create_table("features", built.table, temp=True, overwrite=True)
    frame = table.order_by("customer_id").to_pandas()
    if frame.empty:
        raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
    reporter.done("features", f"{len(built.columns)} columns for {len(frame):,} active customers", customers=len(frame))
    return Features(tables, table, frame, built.columns, built.spec_hash, built.spec_json())


def assign_tiers(config: Config, as_of: date, features: Features, *, reporter: Reporter) -> Tiers:
    """Give every active customer a tier; the policy's cuts are fitted once and stored under the output folder.

    Raises
    ------
    ConfigError
        The policy asks for a feature that the tables do not give, or its content changed under the same version.
    """
    reporter.start("tiers")
    policy = TierPolicy.from_yaml(config.tier_policy)
    policy = policy.fit_once(features.table, as_of=as_of, folder=config.output / "tiers", log=reporter.note)
    previous = _previous_tiers(config, features.tables.known(as_of), as_of)
    assigned = policy.assign(features.table, as_of=as_of, previous=previous, log=reporter.note)
    frame = assigned.order_by("customer_id").to_pandas()
    frame["valid_from"] = pd.to_datetime(frame["valid_from"]).dt.date
    sizes = frame.tier.value_counts()
    text = ", ".join(f"{tier} {sizes.get(tier, 0):,}" for tier in (*policy.tiers, UNRATED))
    reporter.done("tiers", f"policy {policy.label}: {text}", policy=policy.label)
    return Tiers(policy, frame)


def _previous_tiers(config: Config, known: Mapping[str, ibis.Table], as_of: date) -> ibis.Table | None:
    """Tiers as they stood before the day: from the tier history, else from the last published night."""
    if "tier_history" in known:
        history = known["tier_history"].filter(lambda t: t.valid_from < as_of)
        newest = ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("valid_from"))
        latest = history.mutate(nth=newest).filter(lambda t: t.nth == 0)
        return latest.select("customer_id", "tier", "valid_from")
    night = last_night_before(config, as_of)
    if night is None:
        return None
    scores = publish.read_published(config.output, night.as_of)
    previous = scores[["customer_id", "tier", "tier_valid_from"]].rename(columns={"tier_valid_from": "valid_from"})
    return ibis.memtable(pa.Table.from_pandas(previous, preserve_index=False))


def last_night_before(config: Config, as_of: date) -> publish.Night | None:
    """Find the newest published night before a day."""
    earlier = [night for night in publish.nights(config.output) if night.status == "published" and night.as_of < as_of]
    return earlier[-1] if earlier else None


def tiers_by_size(config: Config, features: Features, tiers: Tiers) -> pd.DataFrame:
    """Base and revenue by tier; see `tiers.tier_table`."""
    metric = load_retention_policy(config.retention_policy).value.metric
    return tier_table(tiers.frame, features.frame, order=tiers.policy.tiers, metric=metric)
