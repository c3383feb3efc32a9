"""From tables to a registered challenger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.churn import TrainedModel, draw_figures, report, train_model, training_frame
from custvalue.churn.leakage import Evidence, LeakageReport, guard
from custvalue.config import Config
from custvalue.pipeline.stages import Reporter, assign_tiers, build_features_at
from custvalue.wording import load_catalogue

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    """

    version: ModelVersion
    model: TrainedModel
    report: str
    leakage: LeakageReport
    caveats: tuple[str, ...]
    plots: tuple[Path, ...]


def train(config: Config, as_of: date, *, store: Store, reporter: Reporter) -> Trained:
    """Train a model on every snapshot that may train, judge it on rows set aside, and register it as challenger.

    Raises
    ------
    DataError
        The contract is broken, or a feed is late.
    ModelError
        No snapshot can train, there are too few leavers, or something looks like a leak that the config does not allow.
    """
    features = build_features_at(config, as_of, reporter=reporter)
    tiers = assign_tiers(config, as_of, features, reporter=reporter)
    reporter.start("train")
    log = reporter.note
    frame, columns, spec_hash = training_frame(features.tables, as_of, config.churn, config.features, log=log)
    evidence = Evidence(frame, columns, config.churn, as_of, features.tables, config.features)
    leakage = guard(evidence, log=log)
    model = train_model(frame, columns, config.churn, as_of=as_of, feature_spec_hash=spec_hash, log=log)
    leakage = guard(replace(evidence, model=model), log=log, before=leakage)
    caveats, catalogue = features.tables.caveats, load_catalogue(config.wording)
    text = report.training_report(config, model, frame, leakage=leakage, caveats=caveats, catalogue=catalogue)
    figures = draw_figures(model, columns)
    found = store.log_training(
        params=_flat(config.churn.model_dump(mode="json")) | {"as_of": as_of.isoformat(), "way": model.slices.way},
        digests=features.tables.training_digests | {"test": _test_digest(model)},
        run_name=f"{config.name} {as_of}",
        metrics=_metrics(model) | leakage.metrics,
        figures=figures,
        texts={
            "report.md": text,
            "leakage.md": leakage.markdown(),
            "evaluation.json": report.evaluation_json(model),
            "feature_spec.json": features.spec_json,
            "tier_policy.json": tiers.policy.to_json(),
        },
        bundle=model.bundle,
        X_sample=model.test_features.head(200),
        tags={"as_of": as_of.isoformat(), "code_version": version("custvalue"), "tier_policy": tiers.policy.label},
    )
    snapshots = len(frame.describe())
    reporter.done("train", f"{snapshots} snapshot(s) → {found.name} v{found.version}, challenger", version=found.version)
    return Trained(found, model, text, leakage, caveats, _save_plots(config.output / "plots", figures))


def _save_plots(folder: Path, figures: Mapping[str, Figure]) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{name}.png" for name in figures)
    for path, figure in zip(paths, figures.values(), strict=True):
        figure.savefig(path, dpi=120)
    return paths


def _test_digest(model: TrainedModel) -> str:
    """Name the rows set aside: two models judged on the same ones may be compared."""
    rows = model.test[["customer", "snapshot", "y"]].sort_values(["snapshot", "customer"])
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"churn.{key}": value for key, value in values.items()}


def _metrics(model: TrainedModel) -> dict[str, float]:
    found = {"test_rows": float(model.evaluation.rows), "test_leavers": float(model.evaluation.leavers)}
    found["test_base_rate"] = model.evaluation.base_rate
    for name, interval in model.evaluation.metrics.items():
        found |= {f"test_{name}": interval.value, f"test_{name}_low": interval.low, f"test_{name}_high": interval.high}
    return found
