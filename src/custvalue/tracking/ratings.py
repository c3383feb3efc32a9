"""Ratings of the base and comparisons of policies, each as one run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from custvalue.tiers import TierPolicy
from custvalue.tiers.measures.migration import direction
from custvalue.tracking import policies, runs
from custvalue.tracking.database import Place
from custvalue.tracking.policies import CURRENT, PROPOSED, PolicyVersion
from custvalue.tracking.policy_record import LOG_FILE, last_move, move_alias, note_rating

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

KIND_TAG = "kind"
RATING, WHAT_IF = "rating", "what-if"
TABLE_FILE, MIGRATION_FILE = "tiers.csv", "migration.csv"
_DIGEST_TAG = "content_digest"
_DAY_TAG = "as_of"


@dataclass(frozen=True)
class TierRating:
    """One day's rating, as counted for the log; nothing in it names a customer.

    Attributes
    ----------
    policy : TierPolicy
        Fitted; what the base was rated under.
    yaml : str
        Its file's text as given.
    day : date
        Of the rating.
    digest : str
        Of the rating's content: the same day and digest again are the same rating.
    by_tier : DataFrame
        tier, customers, share, revenue_share, arpu as `tiers.tier_table` gives.
    previous : date, optional
        Day of the rating before.
    migration : DataFrame, optional
        before, after, customers (and more) as `tiers.measures.migration.migration_table` gives, against the rating before.
    held : mapping
        Reason code → customers who hold a better tier than their score earns.
    flip_rate : float, optional
        Share of customers whose tier was changed and changed back.
    figures, texts : mapping
        Title → figure, and file name → content: the migration matrix, segments, the tier report. Texts that come only later, with the
        same rating, are put beside it.
    """

    policy: TierPolicy
    yaml: str
    day: date
    digest: str
    by_tier: pd.DataFrame
    previous: date | None = None
    migration: pd.DataFrame | None = None
    held: Mapping[str, int] = field(default_factory=dict)
    flip_rate: float | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyComparison:
    """What `custvalue what-if` found, as counted for the log.

    Attributes
    ----------
    policy, against : TierPolicy
        In force and proposed; both fitted.
    policy_yaml, against_yaml : str
        Their files' texts as given.
    day : date
        Of the switch.
    months : int
        Months replayed.
    metrics : mapping
        Name → value; what is not finite is left out.
    texts, figures : mapping
        File name → content (the matrix, the stability table …), and title → figure.
    """

    policy: TierPolicy
    against: TierPolicy
    policy_yaml: str
    against_yaml: str
    day: date
    months: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class LoggedTiers:
    """What logging did.

    Attributes
    ----------
    run_id : str
        The run; an older one where the same was logged before.
    version : PolicyVersion
        The policy's: of a rating what it was made under, of a comparison what it proposes.
    new : bool
        A run was added.
    moved : bool
        The alias `current`, or `proposed`, moved to the version.
    """

    run_id: str
    version: PolicyVersion
    new: bool
    moved: bool


def log_rating(client: MlflowClient, place: Place, name: str, rating: TierRating, *, by: str, now: datetime) -> LoggedTiers:
    """Log a rating once, and move `current` where it is the newest and another version made it; see `Store.log_rating`."""
    version = policies.register(client, place, name, rating.policy, rating.yaml)
    signed = {"at": now.isoformat(), "by": by}
    with place.lock():
        experiment = runs.find_experiment(client, place, name)
        tags = {KIND_TAG: RATING, _DAY_TAG: rating.day.isoformat(), _DIGEST_TAG: rating.digest}
        run_id = _logged_before(client, experiment, tags)
        new = run_id is None
        if run_id is None:
            run_id = _log_rating_run(client, experiment, rating, version, tags)
        elif rating.texts:
            runs.log_files(client, run_id, texts=rating.texts, figures={})
        facts = {"rating": rating.day.isoformat(), "run_id": run_id}
        moved = _is_newest(place, name, rating.day) and move_alias(client, place, CURRENT, version, signed=signed, facts=facts)
        note_rating(place, name, rating.day, rating.digest, signed=signed, facts={"run_id": run_id, "version": version.version})
    return LoggedTiers(run_id, version, new, moved)


def log_what_if(client: MlflowClient, place: Place, name: str, comparison: PolicyComparison, *, by: str, now: datetime) -> LoggedTiers:
    """Log a comparison and point `proposed` at the second policy; see `Store.log_what_if`."""
    ours = policies.register(client, place, name, comparison.policy, comparison.policy_yaml)
    theirs = policies.register(client, place, name, comparison.against, comparison.against_yaml)
    params: dict[str, Any] = {
        "policy": ours.label,
        "policy_version": ours.version,
        "against": theirs.label,
        "against_version": theirs.version,
        _DAY_TAG: comparison.day.isoformat(),
        "months": comparison.months,
    }
    metrics = runs.finite(comparison.metrics)
    tags = {KIND_TAG: WHAT_IF, _DAY_TAG: comparison.day.isoformat(), _DIGEST_TAG: _digest(params, metrics, comparison.texts)}
    run_name = f"{ours.label} → {theirs.label} {comparison.day}"
    with place.lock():
        experiment = runs.find_experiment(client, place, name)
        run_id = _logged_before(client, experiment, tags)
        new = run_id is None
        if run_id is None:
            with runs.running(client, experiment, name=run_name, tags=tags) as run_id:
                runs.log_values(client, run_id, params=params, metrics=metrics)
                runs.log_files(client, run_id, texts=comparison.texts, figures=comparison.figures)
        facts = {_DAY_TAG: comparison.day.isoformat(), "run_id": run_id}
        # A policy that equals the one in force proposes nothing.
        proposes = theirs.version != ours.version
        moved = proposes and move_alias(client, place, PROPOSED, theirs, signed={"at": now.isoformat(), "by": by}, facts=facts)
    return LoggedTiers(run_id, theirs, new, moved)


def _digest(*content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _logged_before(client: MlflowClient, experiment: str, tags: Mapping[str, str]) -> str | None:
    query = " AND ".join(f"tags.{key} = '{value}'" for key, value in tags.items() if key in (KIND_TAG, _DAY_TAG, _DIGEST_TAG))
    query += " AND attributes.status = 'FINISHED'"
    found = client.search_runs([experiment], query, max_results=1)
    return str(found[0].info.run_id) if found else None


def _log_rating_run(client: MlflowClient, experiment: str, rating: TierRating, version: PolicyVersion, tags: Mapping[str, str]) -> str:
    day = rating.day.isoformat()
    params: dict[str, Any] = {"policy": version.label, "policy_version": version.version, _DAY_TAG: day, "rating_digest": rating.digest}
    if rating.previous is not None:
        params["previous_rating"] = rating.previous.isoformat()
    texts = {TABLE_FILE: rating.by_tier.to_csv(index=False), **rating.texts}
    if rating.migration is not None:
        texts[MIGRATION_FILE] = rating.migration.to_csv(index=False)
    with runs.running(client, experiment, name=f"{version.label} {day}", tags={**tags, "policy": version.label}) as run_id:
        runs.log_values(client, run_id, params=params, metrics=runs.finite(_rating_metrics(rating)))
        runs.log_files(client, run_id, texts=texts, figures=rating.figures)
    return run_id


def _rating_metrics(rating: TierRating) -> dict[str, float]:
    metrics: dict[str, float] = {"customers": float(rating.by_tier["customers"].sum())}
    for row in rating.by_tier.to_dict("records"):
        for measure in ("customers", "share", "revenue_share", "arpu"):
            if measure in row:
                metrics[f"{measure}.{row['tier']}"] = float(row[measure])
    if rating.migration is not None:
        order = rating.policy.tiers
        ways = [
            direction(before, after, order) for before, after in zip(rating.migration["before"], rating.migration["after"], strict=True)
        ]
        counted = rating.migration["customers"].groupby(ways).sum().to_dict()
        metrics |= {f"moves.{way}": float(counted.get(way, 0)) for way in ("up", "down", "stays", "renamed")}
    metrics["held"] = float(sum(rating.held.values()))
    metrics |= {f"held.{reason}": float(count) for reason, count in rating.held.items()}
    if rating.flip_rate is not None:
        metrics["flip_rate"] = rating.flip_rate
    return metrics


def _is_newest(place: Place, name: str, day: date) -> bool:
    """Whether a rating is not older than the one that last moved `current`: an old month rated again puts nothing in force."""
    recorded = last_move(place.models / LOG_FILE, name, CURRENT)
    return recorded is None or day.isoformat() >= str(recorded.get("rating", ""))
