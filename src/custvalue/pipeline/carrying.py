"""The rating that a night carries: its period's, or where there is none the one that is due."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import ibis

from custvalue.config import Config
from custvalue.errors import ConfigError, DataError
from custvalue.pipeline.ratings import Rated, current_policy, rate_day, rating_store, tier_folder
from custvalue.pipeline.tiering import Log
from custvalue.sources import SourceTables, refuse_stale
from custvalue.tiers import RatingManifest, TierPolicy, needed_columns
from custvalue.tiers.schedule import rating_period


def carried_rating(config: Config, tables: SourceTables, as_of: date, *, features: ibis.Table | None = None, log: Log) -> Rated:
    """Give the rating that holds on a night: the period's, or where there is none the one that is due, not stored.

    The day that is due is the first one of the period on which every feed had arrived: it does not depend on which night of the period
    asks first.

    Parameters
    ----------
    config, tables, log
        As for `rate_day`.
    as_of : date
        The night.
    features : ibis.Table, optional
        All features of the night; they are not built again where the night itself is the day that is due.

    Raises
    ------
    ConfigError, DataError
        As for `rate_day` and `current_policy`.
    """
    policy = current_policy(config)
    period, store = rating_period(policy.config.rating, as_of), rating_store(config, policy)
    manifest = store.latest(before=as_of + timedelta(days=1))
    if manifest is not None and manifest.day >= period:
        return Rated(_policy_of(config, policy, manifest, log), manifest, store.read(manifest.day), kept=True)
    day = first_whole_day(tables, period, as_of) or as_of
    ready = day == as_of and not needed_columns(policy.config).ids
    return rate_day(config, tables, day, policy=policy, facts=features if ready else None, log=log)


def first_whole_day(tables: SourceTables, first: date, last: date) -> date | None:
    """Give the first day on which no feed was late; None where there is none."""
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        with suppress(DataError):
            refuse_stale(tables, tables.moment(day))
            return day
    return None


def _policy_of(config: Config, policy: TierPolicy, manifest: RatingManifest, log: Log) -> TierPolicy:
    """Give the policy that made a rating; a new version begins at its own first rating."""
    if manifest.policy_version == policy.label:
        return policy
    path = tier_folder(config) / f"{manifest.policy_version}.json"
    log(f"tiers are those that {manifest.policy_version} gave on {manifest.day}; {policy.label} begins at the next rating")
    try:
        return TierPolicy.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ConfigError) as error:
        raise DataError(
            f"{path}: {manifest.policy_version} rated {manifest.day}, and cannot be read ({error}). Restore the file, or run "
            f"`custvalue tiers --as-of {manifest.day} --replay` to rate by {policy.label}."
        ) from error
