"""Ratings kept: where the tiers of a day start from, and the rating of one day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa

from custvalue import publish
from custvalue.config import Config
from custvalue.errors import ConfigError, DataError, PublishError
from custvalue.pipeline.tiering import Log, forget, rate, tier_facts
from custvalue.sources import SourceTables
from custvalue.tiers import RatingManifest, RatingStore, TierPolicy
from custvalue.tiers.rating import digest


@dataclass(frozen=True)
class Rated:
    """A rating and what it came from.

    Attributes
    ----------
    policy : TierPolicy
        Fitted.
    manifest : RatingManifest
        Its day, lineage and digest.
    table : pyarrow.Table
        One row a customer, columns as in `tiers.rating.SCHEMA`.
    kept : bool
        It was in the store before; False where it was computed now.
    facts : ibis.Table, optional
        What it was made of, where it was computed now and the facts are still there.
    by_tier : DataFrame, optional
        What `tiers.tier_table` gives for it, where it was counted.
    """

    policy: TierPolicy
    manifest: RatingManifest
    table: pa.Table
    kept: bool
    facts: ibis.Table | None = None
    by_tier: pd.DataFrame | None = None


@dataclass(frozen=True)
class Start:
    """Where a rating starts from.

    Attributes
    ----------
    origin : str
        ``rating``, ``tier_history`` or ``nothing``.
    tiers : ibis.Table, optional
        The tiers before, one row a customer.
    manifest : RatingManifest, optional
        Of the rating before.
    """

    origin: str
    tiers: ibis.Table | None = None
    manifest: RatingManifest | None = None


def rating_store(config: Config, policy: TierPolicy) -> RatingStore:
    """Give the store of a policy's ratings, all its versions, under the output folder."""
    return RatingStore(tier_folder(config) / policy.config.name / "ratings")


def current_policy(config: Config, *, before: date | None = None) -> TierPolicy:
    """Read the config's policy, with its cuts where they were found earlier, and make sure that its ratings hang together.

    Parameters
    ----------
    config : Config
        Whose policy.
    before : date, optional
        Look at the ratings before this day alone, because the others are made again.

    Raises
    ------
    ConfigError
        The file is faulty, or this version was used with another content or other cuts.
    DataError
        A rating is damaged, was removed, made out of order, or made by a policy of another name.
    """
    policy, folder = TierPolicy.from_yaml(config.tier_policy), tier_folder(config)
    if (folder / f"{policy.label}.json").exists():
        policy = policy.load(folder)
    store = rating_store(config, policy)
    for day in (day for day in store.days() if before is None or day < before):
        found = store.manifest(day)
        if found.policy_version.rpartition("-v")[0] != policy.config.name:
            raise DataError(
                f"{store.folder}: the rating of {day} was made by {found.policy_version}, but this folder is for {policy.config.name}. "
                "Put its files back where they came from, or choose another output folder."
            )
        if found.policy_version == policy.label and found.policy_hash != policy_hash(policy):
            raise ConfigError(
                f"{config.tier_policy}: {policy.label} rated {day} with another content or other cuts, and a version never changes. "
                f"Restore the YAML and {folder / policy.label}.json, or raise the version."
            )
    store.check_links(before=before)
    return policy


def previous_rating(config: Config, policy: TierPolicy, day: date) -> tuple[RatingManifest, RatingStore] | None:
    """Find the newest rating before a day, of whatever policy; of two on one day that of this policy."""
    own = rating_store(config, policy)
    others = [RatingStore(path) for path in sorted(tier_folder(config).glob("*/ratings")) if path != own.folder]
    found = [(manifest, store) for store in (own, *others) if (manifest := store.latest(before=day)) is not None]
    return max(found, key=lambda pair: pair[0].day, default=None)


def starting_point(config: Config, tables: SourceTables, policy: TierPolicy, day: date, *, log: Log) -> Start:
    """Find the tiers as they stood before a day.

    That is the newest earlier rating under the output folder, which may be one of the policy in force before; else the operator's own
    ``tier_history``; else nothing.
    """
    earlier = previous_rating(config, policy, day)
    if earlier is not None:
        manifest, store = earlier
        if manifest.policy_version != policy.label:
            log(f"{policy.label} takes over the tiers that {manifest.policy_version} gave on {manifest.day}")
        return Start("rating", tables.con.read_parquet(store.path(manifest.day)), manifest)
    known = tables.known(day)
    if "tier_history" not in known:
        return Start("nothing")
    history = known["tier_history"]
    announced = history.filter(history.valid_from >= day).count().to_pyarrow().as_py()
    if announced:
        log(f"tier_history: {announced:,} row(s) begin on {day} or later and are not yet anybody's tier")
    earlier_rows = history.filter(history.valid_from < day)
    newest = ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("valid_from"))
    latest = earlier_rows.mutate(nth=newest).filter(lambda t: t.nth == 0)
    return Start(
        "tier_history", latest.select(*(c for c in ("customer_id", "tier", "valid_from", "policy_version") if c in latest.columns))
    )


def rate_day(config: Config, tables: SourceTables, day: date, *, policy: TierPolicy, facts: ibis.Table | None = None, log: Log) -> Rated:
    """Rate one day from what came before it; `keep` stores the result.

    Raises
    ------
    ConfigError
        The policy asks for a feature that the tables do not give.
    DataError
        Nobody is active, or the tiers before are damaged.
    """
    start = starting_point(config, tables, policy, day, log=log)
    own = facts if facts is not None else tier_facts(config, tables, day, [policy], log=log)
    try:
        fitted, table = rate(policy, own, day, previous=start.tiers, log=log)
    finally:
        if facts is None:
            forget(tables, own)
    before = start.manifest
    manifest = RatingManifest(
        day=day,
        policy_version=fitted.label,
        policy_hash=policy_hash(fitted),
        inputs=inputs_digest(config, tables),
        started_from=start.origin,
        previous=before.day if before else None,
        previous_version=before.policy_version if before else None,
        previous_digest=before.digest if before else None,
        rows=table.num_rows,
        digest=digest(table),
    )
    return Rated(fitted, manifest, table, kept=False)


def keep(config: Config, rated: Rated, *, again: bool = False) -> Rated:
    """Store a rating and its policy's cuts; what is stored already stays as it is.

    Raises
    ------
    ConfigError
        The version is stored with other cuts.
    PublishError
        The day, or a later one, is rated already, and `again` is not given; or another process writes.
    TryAgainError
        The disk is full.
    """
    if rated.kept:
        return rated
    if not again:
        check_order(config, rated)
    rated.policy.save(tier_folder(config))
    store, day = rating_store(config, rated.policy), rated.manifest.day
    before = _digest_of(store, day)
    manifest = store.write(day, rated.table, rated.manifest, again=again)
    return replace(rated, manifest=manifest, kept=manifest.digest == before)


def _digest_of(store: RatingStore, day: date) -> str | None:
    try:
        return store.manifest(day).digest if day in store.days() else None
    except DataError:
        return None


def check_order(config: Config, rated: Rated) -> None:
    """Refuse a rating that is older than one that is stored; raises PublishError."""
    store, day = rating_store(config, rated.policy), rated.manifest.day
    later = [other for other in store.days() if other > day]
    if later and day not in store.days():
        raise PublishError(
            f"{store.folder}: {later[0]} is rated already, and would have to start from {day}. "
            f"To rate {day} and every later day again, run `custvalue tiers --as-of {day} --replay`."
        )


def policy_hash(policy: TierPolicy) -> str:
    """SHA-256 of a policy's content and cuts."""
    cuts = {rule: dict(cuts) for rule, cuts in (policy.cuts or {}).items()}
    return hashlib.sha256(json.dumps([policy.content_hash, cuts]).encode()).hexdigest()


def inputs_digest(config: Config, tables: SourceTables) -> str:
    """Hash all that decides a rating but the policy and the tiers before."""
    return publish.run_id(
        {
            "tables": dict(tables.digests),
            "settings": config.model_dump(mode="json", include={"time_zone", "features"}),
            "delay_days": dict(config.sources.delay_days),
            "code": version("custvalue"),
        }
    )


def tier_folder(config: Config) -> Path:
    """Folder of the policies' cuts and ratings."""
    return config.output / "tiers"
