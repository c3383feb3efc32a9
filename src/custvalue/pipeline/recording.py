"""One training's record, put together: report, card, slices, test rows, plots and environment; in MLflow and in the output folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.churn import TrainedModel, TrainingFrame, draw_figures, report
from custvalue.churn.card import CardFacts, model_card
from custvalue.churn.card_rendering import card_html, card_markdown
from custvalue.churn.leakage import LeakageReport
from custvalue.churn.slices import SliceQuality, quality_by_slice, slice_rows
from custvalue.config import Config
from custvalue.features import FeatureColumn
from custvalue.monitoring import Reference
from custvalue.pipeline.judging import judged_rows, slice_values
from custvalue.pipeline.stages import Features, Tiers
from custvalue.retention.uplift_model import Learned
from custvalue.wording import load_catalogue

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from custvalue.tracking import ModelVersion, Store

_KEY_MEASURES = ("auc", "log_loss", "lift_capacity", "ratio")
"""What MLflow shows of each slice; the rest stands in slices.csv."""

_REFUSED = re.compile(r"[^\w\- ]")
"""What the name of a metric may not hold, and the slash that would group it."""


@dataclass(frozen=True)
class Recorded:
    """What was written down.

    Attributes
    ----------
    version : ModelVersion
        What was registered.
    report : str
        The training report, Markdown.
    plots : tuple of Path
        PNG files under the output folder.
    card : Path
        The model card as a page, under the output folder.
    """

    version: ModelVersion
    report: str
    plots: tuple[Path, ...]
    card: Path


def record_training(
    config: Config,
    as_of: date,
    *,
    store: Store,
    frame: TrainingFrame,
    columns: Sequence[FeatureColumn],
    model: TrainedModel,
    leakage: LeakageReport,
    features: Features,
    tiers: Tiers,
    effect: Learned | None = None,
    log: Callable[[str], None],
) -> Recorded:
    """Register a model as challenger with everything that a reader needs to trust it, or not to.

    The effect of contacts, where it was asked for, goes with the model: one promotion puts both to use.

    Raises
    ------
    ModelError, TryAgainError
        The store refuses, is busy, full or out of reach.
    """
    from custvalue.tracking.environment import environment

    churn, catalogue, caveats = config.churn, load_catalogue(config.wording), features.tables.caveats
    slices = slice_values(model, features.tables, tiers.policy, as_of, log=log)
    quality = quality_by_slice(model.test, slices, capacity_share=churn.capacity_share, resamples=churn.bootstrap, seed=churn.seed)
    text = report.training_report(config, model, frame, leakage=leakage, caveats=caveats, catalogue=catalogue)
    figures = draw_figures(model, columns)
    facts = CardFacts(
        config=config,
        model=model,
        frame=frame,
        columns=columns,
        slices=quality,
        leakage=leakage,
        caveats=caveats,
        tier_policy=tiers.policy.label,
        consent_mapped="traffic_data_consent" in features.tables.known(as_of)["customers"].columns,
        figures=figures,
    )
    card = model_card(facts, catalogue)
    page = card_html(card)
    found = store.log_training(
        params=_flat(churn.model_dump(mode="json")) | {"as_of": as_of.isoformat(), "way": model.slices.way},
        digests=features.tables.training_digests | {"test": _test_digest(model)},
        run_name=f"{config.name} {as_of}",
        metrics=_metrics(model) | _slice_metrics(quality) | leakage.metrics,
        figures=figures,
        texts={
            "report.md": text,
            "card.md": card_markdown(card),
            "card.html": page,
            "slices.csv": slice_rows(quality).to_csv(index=False),
            "leakage.md": leakage.markdown(),
            "evaluation.json": report.evaluation_json(model),
            "feature_spec.json": features.spec_json,
            "tier_policy.json": tiers.policy.to_json(),
            "environment.json": environment(threads=churn.threads),
        },
        bundle=model.bundle,
        X_sample=model.test_features.head(200),
        tags={
            "as_of": as_of.isoformat(),
            "code_version": version("custvalue"),
            "tier_policy": tiers.policy.label,
            "wording": catalogue.edition,
        }
        | ({"effect": effect.told} if effect else {}),
        judged=judged_rows(config, model, slices, store, log=log),
        trials=model.trials,
        reference=_reference(model, frame).to_dict(),
        effect=effect.to_json() if effect else None,
    )
    config.training_output.mkdir(parents=True, exist_ok=True)
    path = config.training_output / "card.html"
    path.write_text(page, encoding="utf-8")
    return Recorded(found, text, _save_plots(config.training_output / "plots", figures), path)


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


def _reference(model: TrainedModel, frame: TrainingFrame) -> Reference:
    """Describe the newest rows whose outcomes are known, for nights to be compared with."""
    own, rows = model.bundle, model.test
    return Reference.of(
        model.test_features,
        own.columns,
        rows.probability,
        customers=rows.customer,
        vocabularies=own.vocabularies,
        days=(frame.X, frame.snapshot),
    )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"churn.{key}": value for key, value in values.items()}


def _metrics(model: TrainedModel) -> dict[str, float]:
    found = {"test_rows": float(model.evaluation.rows), "test_leavers": float(model.evaluation.leavers)}
    found["test_base_rate"] = model.evaluation.base_rate
    for name, interval in model.evaluation.metrics.items():
        found |= {f"test_{name}": interval.value, f"test_{name}_low": interval.low, f"test_{name}_high": interval.high}
    return found


def _slice_metrics(quality: Sequence[SliceQuality]) -> dict[str, float]:
    """Name metrics ``slice/<dimension>/<value>/<measure>``, which MLflow's page shows in groups; letters that it refuses become _."""
    return {
        f"slice/{each.dimension}/{_REFUSED.sub('_', each.value)}/{name}": each.measures[name].value
        for each in quality
        for name in _KEY_MEASURES
        if name in each.measures
    }
