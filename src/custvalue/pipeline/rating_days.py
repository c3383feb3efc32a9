"""Rating many days, one after another: a backfill, or a replay of what was rated before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from custvalue.config import Config
from custvalue.errors import ConfigError
from custvalue.pipeline.carrying import first_whole_day
from custvalue.pipeline.ratings import (
    Rated,
    current_policy,
    inputs_digest,
    keep,
    policy_hash,
    previous_rating,
    rate_day,
    rating_store,
)
from custvalue.pipeline.tiering import Log, forget, tier_facts
from custvalue.sources import SourceTables, refuse_stale
from custvalue.tiers import RatingStore, TierPolicy
from custvalue.tiers.schedule import next_rating_day, rating_days


def _silent(_: str) -> None:
    """Drop a log line: which blocks are off was told on the first day."""


def rate_days(
    config: Config,
    tables: SourceTables,
    as_of: date,
    *,
    since: date | None = None,
    again: bool = False,
    also: Iterable[str] = (),
    log: Log,
) -> Iterator[Rated]:
    """Rate a day, or every day that was due since another, and store each; hold `publish.lock` meanwhile.

    Parameters
    ----------
    config, tables, log
        As for `rate_day`.
    as_of : date
        The day; with `since`, the last one.
    since : date, optional
        Rate every day on which the policy rates from here on.
    again : bool
        Also rate every later day that was rated again, and put the results in place of the old ones.
    also : iterable of str
        Further columns of the facts, for whoever looks at the tiers.

    Yields
    ------
    Rated
        One a day; ``kept`` where the very same was stored before. The facts of a day are dropped when the next one comes.

    Raises
    ------
    ConfigError
        The policy rates on no day between the two.
    PublishError
        A day is rated with another result, or a later one is rated, and `again` is not given.
    DataError
        A feed had not arrived on one of the days, or as for `rate_day`.
    """
    policy = current_policy(config, before=(since or as_of) if again else None)
    store = rating_store(config, policy)
    days = [as_of] if since is None else _days_due(tables, policy, store, since, as_of, log=log)
    if not days:
        raise ConfigError(f"{policy.label} rates on no day from {since} to {as_of}. Give an earlier --from.")
    if again:
        days = sorted({*days, *(day for day in store.days() if day >= days[0])})
    for place, day in enumerate(days, start=1):
        refuse_stale(tables, tables.moment(day))
        rated = None if again else _unchanged(config, tables, policy, store, day)
        if rated is None:
            facts = tier_facts(config, tables, day, [policy], also=also, log=log if place == 1 else _silent)
            rated = keep(config, rate_day(config, tables, day, policy=policy, facts=facts, log=log), again=again)
            rated = replace(rated, facts=facts)
        policy = rated.policy
        log(f"{day}: {rated.manifest.rows:,} customers rated by {policy.label} ({place} of {len(days)})")
        yield rated
        if rated.facts is not None and place < len(days):
            forget(tables, rated.facts)


def _days_due(tables: SourceTables, policy: TierPolicy, store: RatingStore, since: date, until: date, *, log: Log) -> list[date]:
    """List a rating day for every period that begins in a span: those that are there, else the first on which every feed had arrived."""
    due: list[date] = []
    for begins in rating_days(policy.config.rating, since, until):
        ends = min(next_rating_day(policy.config.rating, begins) - timedelta(days=1), until)
        rated = [day for day in store.days() if begins <= day <= ends]
        day = None if rated else first_whole_day(tables, begins, ends)
        if not rated and day is None:
            log(f"no rating from {begins} to {ends}: a feed was late on every one of these days")
        due += rated or ([day] if day else [])
    return due


def _unchanged(config: Config, tables: SourceTables, policy: TierPolicy, store: RatingStore, day: date) -> Rated | None:
    """Give the stored rating of a day if it was made from just what there is now, so that making it again would change nothing."""
    if day not in store.days():
        return None
    manifest, before = store.manifest(day), previous_rating(config, policy, day)
    start = (before[0].day, before[0].digest) if before else (None, None)
    same = (manifest.inputs, manifest.policy_hash) == (inputs_digest(config, tables), policy_hash(policy))
    if not same or start != (manifest.previous, manifest.previous_digest):
        return None
    return Rated(policy, manifest, store.read(day), kept=True)
