"""From labelled snapshots to a calibrated model and what it is worth on rows set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from custvalue.churn.boosting import Fit, fit_by_customer, fit_by_month
from custvalue.churn.bundle import ModelBundle
from custvalue.churn.evaluation import Evaluation, evaluate
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.portfolio import Candidate, candidates
from custvalue.churn.refitting import train_again
from custvalue.churn.splits import TEST_SHARE, Slices, add_months, split
from custvalue.churn.tuning import Trial, Tuned, tune
from custvalue.config import ChurnConfig
from custvalue.errors import ModelError
from custvalue.features.columns import FeatureColumn
from custvalue.metrics import Floats


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model, how its rows were split, and its quality on the test slice.

    Attributes
    ----------
    bundle : ModelBundle
    evaluation : Evaluation
        On the test slice; intervals resample customers.
    slices : Slices
        Who trained and who judged, and why split so.
    test : DataFrame
        ``customer``, ``snapshot``, ``y``, ``probability`` and ``raw`` (log-odds before calibration) of each test row.
    test_features : DataFrame
        The features of the same rows, for plots.
    warnings : tuple of str
        What a reader of the quality must know.
    trials : tuple of Trial
        Settings that a search tried; none without a budget for one.
    """

    bundle: ModelBundle
    evaluation: Evaluation
    slices: Slices
    test: pd.DataFrame = field(repr=False)
    test_features: pd.DataFrame = field(repr=False)
    warnings: tuple[str, ...]
    trials: tuple[Trial, ...] = field(default=(), repr=False)


def train_model(
    frame: TrainingFrame,
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
    *,
    as_of: date,
    feature_spec_hash: str,
    searches: Path | None = None,
    worth: Callable[[pd.DataFrame], tuple[Floats, Floats] | None] | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> TrainedModel:
    """Fit, stop, calibrate and judge a churn model, each on rows of its own.

    By month, the slices lie a window apart, so what they found (members, rounds, weights) is then trained again on all rows whose
    windows were over before the test slice began: see `train_again`. What is judged is the model that is kept.

    Parameters
    ----------
    frame : TrainingFrame
        Labelled snapshots.
    columns : sequence of FeatureColumn
        Columns of ``frame.X`` to learn from, in the order the model keeps.
    settings : ChurnConfig
        Outcome window, limits, seed and threads. The same frame and settings give the same model text.
    as_of : date
        The day of training; every outcome window must be over by then.
    feature_spec_hash : str
        Stored in the bundle.
    searches : Path, optional
        Folder in which searches for settings are kept, so that one that was stopped goes on; only read where ``settings.tuning`` gives
        a budget.
    worth : callable, optional
        Takes the test rows' features and gives what contacting each is worth, if it leaves and if it stays; with it the evaluation holds
        the profit at capacity.
    log : callable
        Takes one line of text at a time.

    Raises
    ------
    ModelError
        No rows, nobody left or nobody stayed, fewer than ``settings.min_leavers`` leavers, or an unfinished window.
    """
    _refuse_untrainable(frame, settings, as_of)
    log(f"{len(frame):,} labelled rows; {_told(frame.dropped) or 'none'} dropped")
    slices = split(frame, settings)
    for line in str(slices).splitlines():
        log(line)
    tuned = _tune(frame.take(slices["train"].rows), columns, settings, searches, log)
    first = _fit(frame, slices, columns, settings, tuned)
    fit = _refit(first, frame, slices, columns, settings)
    log(f"booster over {len(columns)} columns: {', '.join(map(str, fit.members))}")
    log(f"calibrator: {fit.calibrator}")
    bundle = ModelBundle(
        model_text=fit.model_text,
        columns=tuple((column.name, column.kind) for column in columns),
        vocabularies=fit.vocabularies,
        calibrator=fit.calibrator,
        feature_spec_hash=feature_spec_hash,
        outcome=settings.model_dump(mode="json", include={"kinds", "gap_months", "horizon_months"}),
        trained=_lineage(frame, slices, fit, as_of),
        versions={package: version(package) for package in ("custvalue", "lightgbm", "numpy", "pandas")},
    )
    held = frame.take(slices["test"].rows)
    test = _predict(bundle, held, threads=settings.threads)
    evaluation = evaluate(
        held.y,
        test["probability"],
        capacity_share=settings.capacity_share,
        groups=held.customer,
        worth=worth(held.X) if worth else None,
        resamples=settings.bootstrap,
        seed=settings.seed,
    )
    for line in _quality(evaluation):
        log(line)
    warnings = tuple(_warnings(slices, first, fit, settings))
    for warning in warnings:
        log(f"warning: {warning}")
    return TrainedModel(bundle, evaluation, slices, test, held.X, warnings, tuned.trials if tuned else ())


def _refuse_untrainable(frame: TrainingFrame, settings: ChurnConfig, as_of: date) -> None:
    if not len(frame):
        raise ModelError(
            f"there are no labelled rows to train on at {as_of} ({_told(frame.dropped) or 'none'} dropped). "
            "Check that customers were active at the snapshots, or take a later date."
        )
    days = np.unique(frame.snapshot)
    reach = settings.gap_months + settings.horizon_months
    late = days[add_months(days, reach) > np.datetime64(as_of)]
    if late.size:
        raise ModelError(
            f"{late.size} snapshot(s), for example {late[0]}, have outcome windows that end after {as_of}: "
            "who has not left yet is no stayer. Leave them out, or take a later date."
        )
    where = f"{len(frame):,} rows of {days.size} snapshot(s) {days[0]} to {days[-1]}"
    window = f"gap {settings.gap_months}, horizon {settings.horizon_months} month(s), kinds {', '.join(settings.kinds)}"
    if frame.leavers == 0:
        raise ModelError(
            f"nobody left in the outcome window: 0 leavers among {where} ({window}). Check that `departures` covers these "
            "months and that `churn.kinds` names its kinds; where outcomes are recorded only later, set "
            "`churn.outcomes_recorded_after`."
        )
    if frame.y.all():
        raise ModelError(
            f"everybody left in the outcome window: no stayer among {where} ({window}). "
            "Check that `customers` also holds those who stayed, and the dates in `departures`."
        )
    if frame.leavers < settings.min_leavers:
        raise ModelError(
            f"{frame.leavers} leavers among {where} ({window}); at least {settings.min_leavers} are needed to train and to "
            "judge a model. Stack more snapshots (`churn.snapshots`), widen `churn.horizon_months` or `churn.kinds`, or "
            "wait for more months; features and tiers work without a model."
        )


def _tune(
    train: TrainingFrame, columns: Sequence[FeatureColumn], settings: ChurnConfig, searches: Path | None, log: Callable[[str], None]
) -> Tuned | None:
    if not settings.tuning.trials and settings.tuning.seconds is None:
        return None
    return tune(train, columns, settings, folder=searches, log=log)


def _fit(frame: TrainingFrame, slices: Slices, columns: Sequence[FeatureColumn], settings: ChurnConfig, tuned: Tuned | None) -> Fit:
    train, tried = frame.take(slices["train"].rows), None
    if tuned is not None:
        tried = (*candidates(train.leavers, len(train), len(columns)), Candidate("tuned", tuned.params))
    if slices.folds is not None:
        return fit_by_customer(train, slices.folds, columns, settings, candidates=tried)
    stop, calibrate = frame.take(slices["stop"].rows), frame.take(slices["calibrate"].rows)
    return fit_by_month(train, stop, calibrate, columns, settings, candidates=tried)


def _refit(fit: Fit, frame: TrainingFrame, slices: Slices, columns: Sequence[FeatureColumn], settings: ChurnConfig) -> Fit:
    if slices.refit is None:
        return fit
    train, older = frame.take(slices["train"].rows), frame.take(slices.refit.rows)
    return train_again(fit, train, older, slices["calibrate"].snapshots, columns, settings)


def _predict(bundle: ModelBundle, held: TrainingFrame, *, threads: int) -> pd.DataFrame:
    raw = bundle.raw(held.X, num_threads=threads)
    return pd.DataFrame(
        {
            "customer": held.customer,
            "snapshot": held.snapshot,
            "y": held.y,
            "probability": bundle.calibrator.apply(raw),
            "raw": raw,
        }
    )


def _lineage(frame: TrainingFrame, slices: Slices, fit: Fit, as_of: date) -> dict[str, Any]:
    return {
        "as_of": as_of.isoformat(),
        "snapshots": [day.isoformat() for day in np.unique(frame.snapshot).astype("datetime64[D]").tolist()],
        "dropped": dict(frame.dropped),
        "slices": slices.to_dict(),
        "rounds": fit.rounds,
        "booster": dict(fit.params),
    }


def _quality(evaluation: Evaluation) -> list[str]:
    found = evaluation.metrics
    return [
        f"test: {evaluation.leavers:,} of {evaluation.rows:,} rows left ({evaluation.base_rate:.2%})",
        f"  AUC {found['auc']:.3f}, lift at 10 % {found['lift_10pct']:.2f}, log loss {found['log_loss']:.4f}",
        f"  calibration error {found['calibration_error']:.4f}, above a perfect model's {found['calibration_excess']:.4f}",
    ]


def _warnings(slices: Slices, first: Fit, fit: Fit, settings: ChurnConfig) -> Iterator[str]:
    test = slices["test"]
    if slices.way == "by customer":
        rows = "their rows of all snapshots" if len(test.snapshots) > 1 else "their rows of the one snapshot"
        yield f"quality is over customers, not over time: {TEST_SHARE:.0%} of the customers test with {rows}."
    if test.leavers < settings.small_leavers:
        yield f"only {test.leavers} leavers test the model, so the intervals are wide."
    if fit.calibrator.kind == "shift":
        yield "the booster hardly ranks the rows that calibrate it; only the level of the probabilities was corrected."
    if first.rounds >= settings.max_rounds:
        yield f"the log loss still fell after {first.rounds} rounds; raise `churn.max_rounds`."


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
