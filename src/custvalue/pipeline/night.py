"""From tables and a champion to a published night, whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue import publish
from custvalue.churn import label
from custvalue.config import Config, RetentionPolicyConfig, load_retention_policy
from custvalue.errors import ConfigError, CustValueError
from custvalue.explain import load_wording
from custvalue.features import current_customers
from custvalue.lists import FORMATS, check_labels, directory_entries, list_rows
from custvalue.pipeline.outcomes import check_features, load_outcomes, outcome_lineage, score_outcomes
from custvalue.pipeline.ratings import Rated, carried_rating, check_order, keep
from custvalue.pipeline.reasons import NightReasons, explain_everyone
from custvalue.pipeline.stages import Features, Reporter, Tiers, assign_tiers, build_features_at, check
from custvalue.retention import Ranking, rank, sensitivity
from custvalue.sources import SourceTables
from custvalue.wording import load_catalogue

if TYPE_CHECKING:
    from custvalue.tracking import LoadedModel, Store

_FACTS_OF_CUSTOMER = ("manager_id", "marketing_consent")
_PUBLISHED = {"score": "tier_score", "valid_from": "tier_valid_from", "valid_until": "tier_valid_until", "reason_code": "tier_reason"}
"""Columns of a rating as a night publishes them."""


@dataclass(frozen=True)
class Night:
    """One night's content before it is written.

    Attributes
    ----------
    features : Features
        What is known of each active customer.
    tiers : Tiers
        What each is worth to keep.
    scores : DataFrame
        One row a customer, as published: probability, tier, value, decision, lineage.
    ranking : Ranking
        Who is listed and why others are not.
    rows : DataFrame
        The listed customers as a manager sees them, with reasons in both languages.
    sensitivity : dict
        The lists' net value where the save rate is half and double.
    reasons : NightReasons
        Why each customer's risk is what it is, and what that adds up to.
    """

    features: Features
    tiers: Tiers
    scores: pd.DataFrame
    ranking: Ranking
    rows: pd.DataFrame
    sensitivity: Mapping[str, float]
    reasons: NightReasons


def make_night(
    config: Config,
    as_of: date,
    *,
    model: LoadedModel,
    run_id: str,
    token_key: bytes,
    tables: SourceTables,
    reporter: Reporter,
    rated: Rated | None = None,
    outcomes: Mapping[str, LoadedModel] | None = None,
) -> Night:
    """Score every active customer and choose tonight's contacts, with reasons for each.

    The tiers are those of `rated`, or of the rating that holds on the night. Customers are ranked by the main outcome's `model`; what the
    champions of `outcomes` (see `load_outcomes`) foretell stands beside it.

    Raises
    ------
    ModelError
        The model was trained on other features than the config now builds.
    """
    features = build_features_at(config, as_of, reporter=reporter, tables=tables)
    outcomes = outcomes or {}
    for each in (model, *outcomes.values()):
        check_features(config, features, each)
    policy = load_retention_policy(config.retention_policy)
    catalogue = load_wording(config.wording)
    check_labels(catalogue)
    tiers = assign_tiers(config, as_of, features, reporter=reporter, rated=rated)
    reporter.start("score")
    scored = _score(config, features, tiers, as_of, model, outcomes, policy)
    told = ", ".join(f"{each.name} v{each.version}" for each in (model, *outcomes.values()))
    reporter.done("score", f"{len(scored):,} customers by {told}", model_version=model.version)
    reporter.start("explain")
    reasons = explain_everyone(features, scored, model.bundle, catalogue, currency=config.currency, as_of=as_of)
    reporter.done("explain", f"reasons of {reasons.table.num_rows:,} customers, wording {catalogue.edition}", wording=catalogue.edition)
    reporter.start("lists")
    managers = tables.known(as_of).get("managers")
    ranking = rank(scored, policy=policy, managers=managers.to_pandas() if managers is not None else None, as_of=as_of, log=reporter.note)
    rows = _explained_rows(features, ranking, reasons, as_of, token_key)
    lineage: dict[str, Any] = {
        "as_of": as_of,
        "run_id": run_id,
        "model_name": model.name,
        "model_version": model.version,
        "model_id": model.digest,
        "feature_spec_hash": features.spec_hash,
        "tier_policy": tiers.policy.label,
        "retention_policy": policy.label,
        "wording": catalogue.edition,
        "code_version": version("custvalue"),
    }
    if outcomes:
        lineage["outcome_models"] = ", ".join(f"{each.name} v{each.version}" for each in outcomes.values())
    considered = ranking.considered.drop(columns=["marketing_consent"], errors="ignore")
    worth = f"net value {ranking.listed.net_value.sum():,.0f} {config.currency}"
    reporter.done("lists", f"{len(rows):,} contacts on {rows.manager_id.nunique()} list(s), {worth}", **ranking.counts)
    for column, value in lineage.items():
        considered[column] = value
    return Night(features, tiers, considered, ranking, rows, sensitivity(ranking.listed, policy), reasons)


def _score(
    config: Config,
    features: Features,
    tiers: Tiers,
    as_of: date,
    model: LoadedModel,
    outcomes: Mapping[str, LoadedModel],
    policy: RetentionPolicyConfig,
) -> pd.DataFrame:
    metric, facts = policy.value.metric, features.frame
    if metric not in facts.columns:
        raise ConfigError(f"{config.retention_policy}: value.metric {metric!r} is no feature here. Take one of revenue_mean_*m.")
    tables = features.tables
    customers = current_customers(tables.known(as_of)["customers"], tables.moment(as_of))
    own = customers.select("customer_id", *(c for c in _FACTS_OF_CUSTOMER if c in customers.columns)).to_pandas()
    rated = tiers.frame.rename(columns=_PUBLISHED)[["customer_id", "tier", *_PUBLISHED.values(), "care_priority"]]
    scored = facts[["customer_id"]].assign(probability=model.bundle.predict_proba(facts), arpu=facts[metric])
    scored = scored.join(score_outcomes(config, facts, scored.probability, outcomes, policy))
    return scored.merge(rated, on="customer_id", validate="1:1").merge(own, on="customer_id", validate="1:1")


def _explained_rows(features: Features, ranking: Ranking, reasons: NightReasons, as_of: date, token_key: bytes) -> pd.DataFrame:
    facts = features.frame.set_index("customer_id").loc[ranking.listed.customer_id].reset_index()
    directory = directory_entries(features.tables.restricted("directory"), list(ranking.listed.customer_id))
    base_rate = float(ranking.considered.probability.mean())
    said = reasons.of(list(ranking.listed.customer_id))
    return list_rows(ranking.listed, facts, said, directory, as_of=as_of, token_key=token_key, base_rate=base_rate)


def write_lists(folder: Path, night: Night, config: Config, as_of: date) -> list[Path]:
    """Write one workbook a manager into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue(config.wording)
    paths = []
    for manager, rows in night.rows.groupby("manager_id", sort=True):
        shown = rows.assign(reasons=rows[f"reasons_{config.language}"])
        for suffix, write in FORMATS.items():
            paths.append(folder / f"{safe_name(str(manager))}.{suffix}")
            write(
                paths[-1],
                shown,
                manager=str(manager),
                as_of=as_of,
                language=config.language,
                currency=config.currency,
                catalogue=catalogue,
            )
    return paths


def safe_name(text: str) -> str:
    """Give a file name that a manager's id cannot lead out of its folder, and that no other manager's id shares."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
    return safe if safe and safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def nightly(
    config: Config, as_of: date, *, store: Store, token_key: bytes, reporter: Reporter, force: bool = False
) -> tuple[publish.Published, Night | None]:
    """Score the whole base, make the lists and publish them, or nothing at all.

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
            return _nightly(config, as_of, store=store, token_key=token_key, reporter=reporter, force=force)
        except CustValueError as error:
            publish.record_refusal(config.output, as_of, exit_code=error.exit_code, message=str(error))
            raise


def _nightly(
    config: Config, as_of: date, *, store: Store, token_key: bytes, reporter: Reporter, force: bool
) -> tuple[publish.Published, Night | None]:
    load_wording(config.wording)  # a fault in it is told before the work begins
    tables, _ = check(config, as_of, reporter=reporter)
    model = store.load("champion")
    outcomes = load_outcomes(config, store, log=reporter.note)
    reporter.start("tiers")
    rated = carried_rating(config, tables, as_of, log=reporter.note)
    check_order(config, rated)
    if not rated.kept:
        reporter.done("tiers", f"{rated.manifest.day}: {rated.manifest.rows:,} customers rated by {rated.policy.label}")
    lineage = _night_inputs(config, as_of, tables, model, token_key, rated)
    if outcomes:
        lineage["outcomes"] = outcome_lineage(outcomes)
    run_id = publish.run_id(lineage)
    found = publish.find_published(config.output, as_of=as_of, run_id=run_id, force=force, lineage=lineage)
    if found is not None:
        reporter.done("nightly", f"{as_of} was published before by the same run: {found.folder}", run_id=run_id)
        return found, None
    night = make_night(
        config,
        as_of,
        model=model,
        run_id=run_id,
        token_key=token_key,
        tables=tables,
        reporter=reporter,
        rated=rated,
        outcomes=outcomes,
    )
    reporter.start("publish")
    staging = publish.stage(config.output, run_id)
    try:
        _write_scores(staging / "scores.parquet", night.scores)
        night.rows.to_parquet(staging / "lists.parquet", index=False)
        write_lists(staging / "lists", night, config, as_of)
        night.reasons.save(staging, load_catalogue(config.wording), language=config.language, tiers=night.tiers.policy.tiers)
        tables.refuse_changed_files()
        keep(config, rated)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)  # the next run clears what stays; the cause must come through
        raise
    done = publish.publish(config.output, as_of=as_of, run_id=run_id, staging=staging, lineage=lineage, force=force)
    reporter.done("nightly", f"{as_of} published, generation {done.generation}, run {run_id}", run_id=run_id)
    return done, night


def _write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write the scores; a column of dates keeps its type where no customer has one."""
    table = pa.Table.from_pandas(scores, preserve_index=False)
    for place, field in enumerate(table.schema):
        if field.name in _PUBLISHED.values() and pa.types.is_null(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.date32()))
    pq.write_table(table, path)


def _night_inputs(config: Config, as_of: date, tables: SourceTables, model: LoadedModel, token_key: bytes, rated: Rated) -> dict[str, Any]:
    """All that decides a night's content; its hash is the run id."""
    return {
        "as_of": as_of.isoformat(),
        "inputs": dict(tables.digests),
        "model": {"name": model.name, "version": model.version, "digest": model.digest},
        "tier_policy": publish.file_digest(config.tier_policy),
        "retention_policy": publish.file_digest(config.retention_policy),
        "wording": publish.digest_files(sorted(config.wording.glob("*.yaml"))),
        "token_key": hmac.digest(token_key, b"which key", "sha256").hex()[:8],
        "rating": {"day": rated.manifest.day.isoformat(), "policy": rated.manifest.policy_version, "digest": rated.manifest.digest},
        "config": config.model_dump(mode="json", include={"name", "currency", "time_zone", "language", "features"})
        | {"delay_days": dict(config.sources.delay_days)},
        "code": version("custvalue"),
    }


def snapshot_outcomes(config: Config, tables: SourceTables, as_of: date, known_at: date) -> pd.DataFrame:
    """Tell what became of the customers active at a night, as known later: ``customer_id`` and ``outcome`` (1 left, 0 stayed).

    Customers who left by another kind or inside the gap are left out, as in training.
    """
    found = label(tables, as_of, known_at, config.churn).to_pandas()
    return pd.DataFrame(found[found.outcome <= 1]).reset_index(drop=True)
