"""From tables and a champion to a published night, whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from custvalue import publish
from custvalue.churn import label
from custvalue.config import Config, load_retention_policy
from custvalue.errors import CustValueError, TryAgainError
from custvalue.explain import load_wording
from custvalue.pipeline.effect_in_use import EffectInUse
from custvalue.pipeline.making import campaigns_on, carry_rating, make_night
from custvalue.pipeline.monitoring import look_before_publishing
from custvalue.pipeline.night_content import Keys, Night
from custvalue.pipeline.outcomes import load_outcomes, outcome_lineage
from custvalue.pipeline.ratings import Rated, check_order, keep
from custvalue.pipeline.stages import Reporter, check
from custvalue.sources import SourceTables, allowed_stale

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel, Store


def nightly(
    config: Config,
    as_of: date,
    *,
    store: Store,
    keys: Keys,
    reporter: Reporter,
    standing: Callable[[date], pd.DataFrame] | None = None,
    force: bool = False,
) -> tuple[publish.Published, Night | None]:
    """Score the whole base, make the lists and publish them, or nothing at all.

    Parameters
    ----------
    config, as_of, keys, reporter
        As for `make_night`.
    store : Store
        Holds the champions.
    standing : callable, optional
        Gives what work orders told of customers before a night; see `OrderReader.standing`.
    force : bool
        Add a generation although another run is published for the night.

    Returns
    -------
    published : Published
        The night as readers now see it.
    night : Night or None
        Its content; None when the identical run was published before.

    Raises
    ------
    PublishError
        Another run holds the lock or has published something else for the night.
    CustValueError
        Any refusal on the way; it is recorded for `custvalue nights`, and the last good night stays.
    """
    with publish.lock(config.output):
        try:
            return _nightly(config, as_of, store=store, keys=keys, reporter=reporter, standing=standing, force=force)
        except CustValueError as error:
            publish.record_refusal(config.output, as_of, exit_code=error.exit_code, message=str(error))
            raise


def _nightly(
    config: Config,
    as_of: date,
    *,
    store: Store,
    keys: Keys,
    reporter: Reporter,
    standing: Callable[[date], pd.DataFrame] | None,
    force: bool,
) -> tuple[publish.Published, Night | None]:
    load_wording(config.wording)  # a fault in it is told before the work begins
    tables, freshness = check(config, as_of, reporter=reporter)
    model, stale = store.load("champion"), allowed_stale(freshness)
    outcomes = load_outcomes(config, store, log=reporter.note)
    rated = carry_rating(config, tables, as_of, reporter)
    check_order(config, rated)
    campaigns, orders = campaigns_on(config, as_of), standing(as_of) if standing else None
    for line in filter(None, campaigns.values()):
        reporter.alert(line)
    live = [name for name, missing in campaigns.items() if not missing]
    lineage = _night_inputs(config, as_of, tables, model, keys, rated) | {"campaigns": live, "standing": _standing_digest(orders)}
    lineage |= {"outcomes": outcome_lineage(outcomes)} if outcomes else {}
    lineage |= {"allowed_stale": stale} if stale else {}
    lineage |= EffectInUse.of(load_retention_policy(config.retention_policy), model).lineage
    run_id = publish.run_id(lineage)
    found = publish.find_published(config.output, as_of=as_of, run_id=run_id, force=force, lineage=lineage)
    if found is not None:
        publish.tidy(config.output, found)
        reporter.done("nightly", f"{as_of} was published before by the same run: {found.folder}", run_id=run_id)
        return found, None
    work = publish.Work(config.output, run_id, again=force)
    staging = publish.stage(config.output, run_id)
    try:
        with publish.full_disk_can_wait(config.output):
            night = make_night(
                config,
                as_of,
                staging,
                model=model,
                run_id=run_id,
                keys=keys,
                tables=tables,
                reporter=reporter,
                rated=rated,
                outcomes=outcomes,
                standing=orders,
                live=live,
                stale=stale,
                work=work,
            )
        reporter.start("publish")
        look_before_publishing(config, as_of, staging, model, stale=stale, alert=reporter.alert)
        tables.refuse_changed_files()
        keep(config, rated)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)  # the next run clears what stays; the cause must come through
        if work.folder.exists() and isinstance(error, CustValueError) and not isinstance(error, TryAgainError):
            work.clear()  # the same run would be refused again
        raise
    done = publish.publish(config.output, as_of=as_of, run_id=run_id, staging=staging, lineage=lineage, force=force)
    work.clear()
    reporter.done("nightly", f"{as_of} published, generation {done.generation}, run {run_id}", run_id=run_id)
    return done, replace(night, folder=done.folder)


def _night_inputs(config: Config, as_of: date, tables: SourceTables, model: LoadedModel, keys: Keys, rated: Rated) -> dict[str, Any]:
    """All that decides a night's content; its hash is the run id."""
    return {
        "as_of": as_of.isoformat(),
        "inputs": dict(tables.digests),
        "model": {"name": model.name, "version": model.version, "digest": model.digest},
        "tier_policy": publish.file_digest(config.tier_policy),
        "retention_policy": publish.file_digest(config.retention_policy),
        "wording": publish.digest_files(sorted(config.wording.glob("*.yaml"))),
        "exports": publish.digest_files([path for path in (config.lists.salesforce, config.lists.dynamics) if path]),
        "triggers": publish.file_digest(config.triggers),
        "token_key": _which(keys.token),
        "holdout_key": _which(keys.holdout),
        "rating": {"day": rated.manifest.day.isoformat(), "policy": rated.manifest.policy_version, "digest": rated.manifest.digest},
        "config": config.model_dump(mode="json", include={"name", "currency", "time_zone", "language", "features", "lists"})
        | {"delay_days": dict(config.sources.delay_days)},
        "code": version("custvalue"),
    }


def _which(key: bytes) -> str:
    return hmac.digest(key, b"which key", "sha256").hex()[:8]


def _standing_digest(standing: pd.DataFrame | None) -> str:
    """Tell standings apart; who has none of his customers in an order gives the same as who keeps no orders."""
    if standing is None or standing.empty:
        return ""
    return hashlib.sha256(standing.to_json(orient="records", date_format="iso").encode()).hexdigest()[:16]


def snapshot_outcomes(config: Config, tables: SourceTables, as_of: date, known_at: date) -> pd.DataFrame:
    """Tell what became of the customers active at a night, as known later: ``customer_id`` and ``outcome`` (1 left, 0 stayed).

    Customers who left by another kind or inside the gap are left out, as in training.
    """
    found = label(tables, as_of, known_at, config.churn).to_pandas()
    return pd.DataFrame(found[found.outcome <= 1]).reset_index(drop=True)
