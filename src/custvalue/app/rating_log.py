"""Ratings and comparisons of policies in MLflow: logged after they stand and are shown, so that a store that is away costs only the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from custvalue.app.promotion import actor
from custvalue.config import Config
from custvalue.engines.duckdb import connect
from custvalue.errors import CustValueError
from custvalue.pipeline.ratings import rating_store
from custvalue.pipeline.stages import tiers_by_size
from custvalue.pipeline.tier_log import describe_comparison, describe_rating
from custvalue.tiers import RatingManifest, TierPolicy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from custvalue.pipeline import Night, Reporter
    from custvalue.pipeline.comparison import WhatIf
    from custvalue.pipeline.tier_report import TierReport
    from custvalue.tracking import LoggedTiers, Store


@dataclass(frozen=True)
class StandingRating:
    """A stored rating that may have to be logged.

    Attributes
    ----------
    policy, manifest : TierPolicy, RatingManifest
        What made it, and which it is.
    by_tier : DataFrame, optional
        What `tiers.tier_table` gives for it, where it was counted.
    texts : mapping
        File name → content to keep beside it.
    """

    policy: TierPolicy
    manifest: RatingManifest
    by_tier: pd.DataFrame | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


def log_ratings(
    config: Config, ratings: Sequence[StandingRating], *, environ: Mapping[str, str], reporter: Reporter, store: Store | None = None
) -> list[LoggedTiers]:
    """Log those of some stored ratings that were not logged before; a failure is told, and the ratings stand all the same.

    Parameters
    ----------
    config : Config
    ratings : sequence of StandingRating
        Oldest first. One with texts is looked up in MLflow in any case, and they are put beside it.
    environ : mapping
        The process's environment.
    reporter : Reporter
        Hears what was logged, or why nothing was.
    store : Store, optional
        The open model store; else it is opened, which loads MLflow, if there is anything to log.

    Returns
    -------
    list of LoggedTiers
        What was logged now.
    """
    from custvalue.tracking import Store, rating_is_logged

    models, uri = config.workspace / "models", environ.get("MLFLOW_TRACKING_URI")
    left = [
        rating
        for rating in ratings
        if rating.texts or not rating_is_logged(models, uri, config.name, rating.manifest.day, rating.manifest.digest)
    ]
    if not left:
        return []
    reporter.start("log")
    logged: list[LoggedTiers] = []
    try:
        store = store or Store.open(models, tracking_uri=uri, name=config.name, create=True)
        for rating in left:
            logged.append(_log_rating(config, rating, store, environ))
    except (CustValueError, OSError) as error:
        reporter.done("log", f"{len(left) - len(logged)} rating(s) stand, but MLflow has no record of them yet: {error}", error=str(error))
        return logged
    version = logged[-1].version
    moved = " and is now current" if any(each.moved for each in logged) else ""
    reporter.done("log", f"{len(logged)} rating(s) in MLflow; {version.label} is version {version.version} of {version.name}{moved}")
    return logged


def log_night(config: Config, night: Night, as_of: date, *, environ: Mapping[str, str], reporter: Reporter, store: Store) -> None:
    """Log the rating that a published night carries, if MLflow has no record of it; the night stands whatever comes of it."""
    rated = night.rated
    own_day = rated.manifest.day == as_of
    by_tier = tiers_by_size(night.scores("customer_id", "tier", "arpu"), rated.policy.tiers) if own_day else None
    log_ratings(config, [StandingRating(rated.policy, rated.manifest, by_tier)], environ=environ, reporter=reporter, store=store)


def report_texts(report: TierReport) -> dict[str, str]:
    """Give the segments and every table of a tier report as texts by file name."""
    tables = {("total",): report.total, **report.by}
    texts = {f"report_{'_'.join(by)}.csv": str(table.to_csv(index=False)) for by, table in tables.items()}
    return {"segments.json": report.segments.to_json(), **texts}


def _log_rating(config: Config, rating: StandingRating, store: Store, environ: Mapping[str, str]) -> LoggedTiers:
    con = connect(memory_limit=config.sources.memory_limit, spill=config.workspace / ".spill")
    try:
        ratings = rating_store(config, rating.policy)
        text = _policy_text(config, rating.policy)
        told = describe_rating(con, ratings, rating.manifest, rating.policy, text, by_tier=rating.by_tier, texts=rating.texts)
    finally:
        con.disconnect()
    return store.log_rating(told, by=actor(environ), now=datetime.now(UTC))


def _policy_text(config: Config, policy: TierPolicy) -> str:
    """Give the policy's file as it is; a rating that is carried may come from an older version, whose file is gone."""
    if TierPolicy.from_yaml(config.tier_policy).content_hash == policy.content_hash:
        return config.tier_policy.read_text(encoding="utf-8")
    return yaml.safe_dump(policy.config.model_dump(mode="json"), allow_unicode=True, sort_keys=False)


def log_comparison(
    config: Config,
    found: WhatIf,
    files: tuple[Path, Path],
    *,
    figures: Mapping[str, Figure],
    environ: Mapping[str, str],
    reporter: Reporter,
) -> LoggedTiers | None:
    """Log what `what_if` found and propose its second policy; a failure is told, and gives None.

    Parameters
    ----------
    config, found : Config, WhatIf
    files : tuple of Path
        The two policies' files.
    figures : mapping
        Title → figure, beside the migration matrices.
    environ, reporter
        As for `log_ratings`.
    """
    from custvalue.tracking import Store

    reporter.start("log")
    policy_text, against_text = (path.read_text(encoding="utf-8") for path in files)
    try:
        store = Store.open(config.workspace / "models", tracking_uri=environ.get("MLFLOW_TRACKING_URI"), name=config.name, create=True)
        told = describe_comparison(found, policy_text, against_text, figures=figures)
        logged = store.log_what_if(told, by=actor(environ), now=datetime.now(UTC))
    except (CustValueError, OSError) as error:
        reporter.done("log", f"MLflow has no record of this comparison: {error}", error=str(error))
        return None
    proposed = f"; {logged.version.label} (version {logged.version.version}) is now proposed" if logged.moved else ""
    reporter.done("log", f"{'logged' if logged.new else 'logged before'} as run {logged.run_id[:8]} of {store.policies}{proposed}")
    return logged
