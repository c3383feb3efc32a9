"""The first stages, shared by training and the night: check, features, tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import ibis
import pandas as pd

from custvalue.config import UNRATED, Config
from custvalue.engines import within_memory
from custvalue.errors import DataError
from custvalue.features import FeatureColumn, compute_features
from custvalue.pipeline.carrying import carried_rating
from custvalue.pipeline.rating_join import join_rating
from custvalue.pipeline.ratings import Rated
from custvalue.publish.manifests import published_dates
from custvalue.sources import Freshness, SourceTables, allowed_stale, open_tables, refuse_stale
from custvalue.tiers import TierPolicy, tier_table


class Reporter(Protocol):
    """Who hears of progress: the terminal, a log, a test."""

    def start(self, step: str) -> None:
        """Begin a step."""

    def note(self, text: str) -> None:
        """Tell one fact inside a step."""

    def alert(self, text: str) -> None:
        """Tell loudly of something that somebody should look at."""

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
    """Tiers of one moment.

    Attributes
    ----------
    rated : Rated
        The rating that holds, and the fitted policy that made it.
    frame : DataFrame
        By customer_id, one row an active customer: what `TierPolicy.assign` gave on the rating's day, and the care priority of the moment.
    """

    rated: Rated
    frame: pd.DataFrame

    @property
    def policy(self) -> TierPolicy:
        """The fitted policy."""
        return self.rated.policy


def check(config: Config, as_of: date | None, *, reporter: Reporter) -> tuple[SourceTables, list[Freshness]]:
    """Open the tables, check them against the contract and, with a date, their freshness.

    Raises
    ------
    DataError
        The contract is broken, or a feed is late and the config does not let it pass.
    """
    reporter.start("check")
    tables = open_tables(config, log=reporter.note)
    freshness = []
    if as_of:
        last_good = max((day for day in published_dates(config.output) if day < as_of), default=None)
        freshness = refuse_stale(tables, tables.moment(as_of), last_good_night=last_good)
    if stale := allowed_stale(freshness):
        reporter.note(f"late, and allowed to be: {stale}")
    months = [entry for entry in freshness if entry.expected]
    latest = f"; newest month {max(entry.newest for entry in months)[:7]}" if months else ""
    total = sum(tables.rows.values())
    age = {entry.table: (as_of - entry.reaches).days for entry in freshness if as_of and entry.reaches}
    text = f"contract holds: {len(tables.rows)} tables, {total:,} rows{latest}"
    reporter.done("check", text, rows=dict(tables.rows), **({"age_days": age} if age else {}))
    return tables, freshness


def build_features_at(config: Config, as_of: date, *, reporter: Reporter, tables: SourceTables | None = None) -> Features:
    """Build the features of every active customer.

    Raises
    ------
    DataError
        The contract is broken, a feed is late, or nobody is active.
    TryAgainError
        The engine's memory does not suffice.
    """
    tables = tables or check(config, as_of, reporter=reporter)[0]
    reporter.start("features")
    known, moment, delays = tables.known(as_of), tables.moment(as_of), tables.delay_days
    with within_memory(tables.con, "features"):
        built = compute_features(tables.con, known, moment, config.features, delay_days=delays, revised=tables.revised, log=reporter.note)
        frame = built.table.order_by("customer_id").to_pandas()
    if frame.empty:
        raise DataError(f"no customer is active at {as_of}. Check joined_on, status and departures, or take another date.")
    reporter.done("features", f"{len(built.columns)} columns for {len(frame):,} active customers", customers=len(frame))
    return Features(tables, built.table, frame, built.columns, built.spec_hash, built.spec_json())


def assign_tiers(config: Config, as_of: date, features: Features, *, reporter: Reporter, rated: Rated | None = None) -> Tiers:
    """Give every active customer the tier of the rating that holds at a moment; nothing is stored.

    Parameters
    ----------
    config, as_of, features, reporter
        What is known of the customers at the moment.
    rated : Rated, optional
        The rating that holds; by default `carried_rating` finds it.

    Raises
    ------
    ConfigError
        The policy asks for a feature that the tables do not give, or its content changed under the same version.
    DataError
        A stored rating is damaged.
    TryAgainError
        The engine's memory does not suffice.
    """
    reporter.start("tiers")
    with within_memory(features.tables.con, "tiers"):
        rated = rated or carried_rating(config, features.tables, as_of, features=features.table, log=reporter.note)
        frame = _tonight(rated, features)
    sizes = frame.tier.value_counts()
    text = ", ".join(f"{tier} {sizes.get(tier, 0):,}" for tier in (*rated.policy.tiers, UNRATED))
    day = "" if rated.manifest.day == as_of else f", rated {rated.manifest.day}"
    reporter.done("tiers", f"policy {rated.policy.label}{day}: {text}", policy=rated.policy.label, rated=rated.manifest.day.isoformat())
    return Tiers(rated, frame)


def _tonight(rated: Rated, features: Features) -> pd.DataFrame:
    columns = [name for name in rated.table.column_names if name != "rated_on"]
    names = {name: name for name in columns if name not in ("customer_id", "care_priority")}
    joined = join_rating(features.table, ibis.memtable(rated.table), rated.policy, names)
    return pd.DataFrame(joined.select(columns).order_by("customer_id").to_pyarrow().to_pandas())


def tiers_by_size(scores: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Base and revenue by tier, from ``customer_id``, ``tier`` and ``arpu``; see `tiers.tier_table`."""
    return tier_table(scores, scores, order=order, metric="arpu")
