"""From tables to a registered challenger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from custvalue.churn import TrainedModel, first_months, train_model, training_frame, with_outcome
from custvalue.churn.leakage import Evidence, LeakageReport, guard
from custvalue.config import Config, OutcomeSettings, load_retention_policy
from custvalue.explain import load_wording
from custvalue.pipeline.judging import contact_worth
from custvalue.pipeline.learned_effect import learn_from_lots
from custvalue.pipeline.recording import record_training
from custvalue.pipeline.stages import Reporter, assign_tiers, build_features_at

if TYPE_CHECKING:
    from custvalue.tracking import ModelVersion, Store


@dataclass(frozen=True)
class Trained:
    """A training run's result.

    Attributes
    ----------
    version : ModelVersion
        What was registered, as challenger.
    model : TrainedModel
        The model and its quality.
    report : str
        Markdown, as logged.
    leakage : LeakageReport
        What the leakage checks found; nothing that is refused.
    caveats : tuple of str
        What the sources say of themselves.
    plots : tuple of Path
        PNG files under the output folder, the same as logged.
    card : Path
        The model card, a page under the output folder, the same as logged.
    """

    version: ModelVersion
    model: TrainedModel
    report: str
    leakage: LeakageReport
    caveats: tuple[str, ...]
    plots: tuple[Path, ...]
    card: Path


def train(config: Config, as_of: date, *, store: Store, reporter: Reporter) -> Trained:
    """Train a model on every snapshot that may train, judge it on rows set aside, and register it as challenger.

    `Config.for_outcome` gives the config of an outcome beside the main one.

    Raises
    ------
    DataError
        The contract is broken, or a feed is late.
    ModelError
        No snapshot can train, there are too few leavers, or something looks like a leak that the config does not allow.
    """
    load_wording(config.wording)  # a fault in it is told before the work begins
    features = build_features_at(config, as_of, reporter=reporter)
    tiers = assign_tiers(config, as_of, features, reporter=reporter)
    reporter.start("train")
    log = reporter.note
    frame, columns, spec_hash = training_frame(features.tables, as_of, config.churn, config.features, log=log)
    evidence = Evidence(first_months(frame), features.columns, config.churn, as_of, features.tables, config.features)
    leakage = guard(evidence, log=log)
    searches = config.output / "tuning"
    # what a call is worth is known for leaving alone, by which lists are ranked
    main, policy = not isinstance(config.churn, OutcomeSettings), load_retention_policy(config.retention_policy)
    worth = partial(contact_worth, policy=policy) if main else None
    model = train_model(frame, columns, config.churn, as_of=as_of, feature_spec_hash=spec_hash, searches=searches, worth=worth, log=log)
    model = with_outcome(model, frame, config.churn)
    leakage = guard(replace(evidence, model=model), log=log, before=leakage)
    asked = main and policy.effect == "learned"
    learned = learn_from_lots(config, features.tables, as_of, frame, columns, policy, log=log) if asked else None
    recorded = record_training(
        config,
        as_of,
        store=store,
        frame=frame,
        columns=columns,
        model=model,
        leakage=leakage,
        features=features,
        tiers=tiers,
        effect=learned,
        log=log,
    )
    found, snapshots = recorded.version, len(frame.describe())
    told = f"; effects: {learned.told}" if learned else ""
    reporter.done("train", f"{snapshots} snapshot(s) → {found.name} v{found.version}, challenger{told}", version=found.version)
    return Trained(found, model, recorded.report, leakage, features.tables.caveats, recorded.plots, recorded.card)
