"""Searches booster settings inside the training slice; a search that was killed goes on where it stood, and ends as if it had not been."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.inner_folds import InnerFold, inner_folds
from custvalue.churn.portfolio import booster_settings
from custvalue.config import ChurnConfig
from custvalue.errors import PublishError
from custvalue.features.columns import FeatureColumn
from custvalue.publish.locks import LockHeldError, hold

if TYPE_CHECKING:
    from optuna import Study
    from optuna import Trial as Asked
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

_SETTINGS = ("gap_months", "horizon_months", "max_rounds", "monotone", "stayers_kept", "customers_apart", "seed", "threads")
RANDOM_TRIALS = 8
"""Settings drawn at random before the sampler and the pruner learn from them."""


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes
    ----------
    number : int
        From 0; trial 0 is what suits so many leavers without a search.
    params : dict
        LightGBM's, those that were searched.
    value : float, optional
        Mean log loss (nats) over the inner folds, or over those judged before it was given up; None if it failed.
    state : str
        ``complete``, ``pruned`` (given up after some folds) or ``fail`` (the process was killed meanwhile).
    seconds : float
        Time it took.
    """

    number: int
    params: Mapping[str, Any]
    value: float | None
    state: str
    seconds: float


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes
    ----------
    params : dict
        The best trial's.
    value : float
        Its mean log loss (nats) over the inner folds.
    trials : tuple of Trial
        All, in the order in which they were asked for.
    """

    params: Mapping[str, Any]
    value: float
    trials: tuple[Trial, ...] = field(repr=False)


def tune(
    train: TrainingFrame,
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
    *,
    folder: Path | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Find booster settings of low log loss on inner folds of the training slice.

    Folds are a rolling origin over the slice's own snapshots (`inner_folds`), so no row that stops, calibrates or tests is read. The
    sampler is Optuna's TPE, seeded anew for each trial by the trials before it; a trial that is worse than the median after a fold is
    given up. Trial 0 is what suits so many leavers without a search, so the best one is no worse than that on these folds.

    Parameters
    ----------
    train : TrainingFrame
        The training slice alone.
    columns : sequence of FeatureColumn
        In the booster's order.
    settings : ChurnConfig
        ``tuning`` holds the budget.
    folder : Path, optional
        Where searches are kept, one SQLite file a search, named by the digest of data and settings: the same ones go on, others begin
        anew. In memory where it is left out.
    log : callable
        Takes one line of text at a time.

    Raises
    ------
    PublishError
        Another process runs the same search.
    """
    from optuna.trial import TrialState

    folds = [InnerFold.of(train, pair, columns, settings) for pair in inner_folds(train, settings)]
    base = booster_settings(train.leavers, len(train), columns, settings)
    with _quiet(), _opened(folder, search_digest(train, columns, settings)) as study:
        if done := _finished(study):
            log(f"tuning: a search of the same data and settings goes on after {done} trial(s)")
        elif not study.get_trials(states=(TrialState.WAITING,)):
            study.enqueue_trial(_default(base))
        ends = time.monotonic() + (settings.tuning.seconds or math.inf)
        while not _finished(study) or (_finished(study) < (settings.tuning.trials or math.inf) and time.monotonic() < ends):
            log(_try_next(study, folds, base, settings))
        trials, best = tuple(_told(trial) for trial in study.get_trials()), study.best_trial
    log(f"tuning: the best of {len(trials)} trials is number {best.number}, log loss {best.value:.5f} ({_words(best.params)})")
    return Tuned(best.params, float(best.value or 0.0), trials)


def search_digest(train: TrainingFrame, columns: Sequence[FeatureColumn], settings: ChurnConfig) -> str:
    """SHA-256, in hex, of all that a search depends on, but for its budget: rows, columns, settings and versions."""
    told = {
        "columns": [(column.name, column.kind, column.sign) for column in columns],
        "settings": settings.model_dump(mode="json", include=set(_SETTINGS)),
        "versions": {package: version(package) for package in ("lightgbm", "optuna", "numpy", "custvalue")},
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    rows = train.X[[column.name for column in columns]].assign(customer=train.customer, snapshot=train.snapshot, y=train.y)
    digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _suggest(trial: Asked) -> dict[str, Any]:
    """Draw from the search space, which stands here alone."""
    return {
        "num_leaves": trial.suggest_int("num_leaves", 2, 63, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 1000, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.01, 100.0, log=True),
        "cat_smooth": trial.suggest_float("cat_smooth", 1.0, 1000.0, log=True),
        "path_smooth": trial.suggest_float("path_smooth", 0.01, 100.0, log=True),
    }


def _default(base: Mapping[str, Any]) -> dict[str, Any]:
    """What suits so many leavers without a search, as a point of the search space."""
    return {
        "num_leaves": base["num_leaves"],
        "min_data_in_leaf": min(max(base["min_data_in_leaf"], 5), 1000),
        "learning_rate": base["learning_rate"],
        "feature_fraction": base["feature_fraction"],
        "bagging_fraction": 1.0,
        "lambda_l2": base["lambda_l2"],
        "cat_smooth": base["cat_smooth"],
        "path_smooth": 0.01,
    }


def _try_next(study: Study, folds: Sequence[InnerFold], base: Mapping[str, Any], settings: ChurnConfig) -> str:
    """Judge one more setting, and say in a line how it went."""
    from optuna.trial import TrialState

    # Seeded by what is finished, so that a search that goes on draws what an unbroken one would have drawn.
    study.sampler = _sampler(settings.seed + _finished(study))
    trial = study.ask()
    params = dict(base) | _suggest(trial) | {"bagging_freq": 1}
    losses: list[float] = []
    for place, fold in enumerate(folds):
        losses.append(fold.log_loss(params, settings.max_rounds))
        trial.report(float(np.mean(losses)), place)
        if place + 1 < len(folds) and trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return f"tuning: trial {trial.number} given up after {place + 1} of {len(folds)} folds, log loss {np.mean(losses):.5f}"
    study.tell(trial, float(np.mean(losses)))
    return f"tuning: trial {trial.number}, log loss {np.mean(losses):.5f}, best {study.best_value:.5f}"


@contextmanager
def _opened(folder: Path | None, digest: str) -> Iterator[Study]:
    """Open the search of a digest, new or to go on with, for this process alone."""
    import optuna
    from optuna.trial import TrialState

    with ExitStack() as held:
        storage = None
        if folder is not None:
            path = folder / f"{digest[:16]}.db"
            try:
                held.enter_context(hold(path.with_suffix(".lock")))
            except LockHeldError as error:
                raise PublishError(f"{path}: {error}. Wait for that search to end.") from None
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            held.callback(storage.engine.dispose)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS)
        study = optuna.create_study(storage=storage, pruner=pruner, study_name=digest, load_if_exists=True)
        for killed in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(killed.number, state=TrialState.FAIL)
        yield study


def _sampler(seed: int) -> BaseSampler:
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS, multivariate=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from writing a line a trial; lines go through ``log``."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _finished(study: Study) -> int:
    return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in study.get_trials(deepcopy=False))


def _told(trial: FrozenTrial) -> Trial:
    value = trial.value if trial.value is not None else next(reversed(trial.intermediate_values.values()), None)
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    return Trial(trial.number, trial.params, value, trial.state.name.lower(), seconds)


def _words(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())
