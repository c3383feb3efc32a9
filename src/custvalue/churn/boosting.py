"""Fits the booster and its calibrator, in the two ways that a split allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from custvalue.churn.calibration import Calibrator, fit_calibrator
from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.churn.frame import TrainingFrame
from custvalue.config import ChurnConfig
from custvalue.features.columns import FeatureColumn

PATIENCE = 100
"""Rounds without a better log loss until boosting stops; at a slow learning rate a flat stretch can be long."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A booster's text cut at its best round, and what was fitted with it.

    Attributes
    ----------
    model_text : str
    rounds : int
    calibrator : Calibrator
    vocabularies : dict
        Category column → levels seen by the booster.
    params : dict
        LightGBM's.
    """

    model_text: str
    rounds: int
    calibrator: Calibrator
    vocabularies: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Any]


def booster_settings(leavers: int, rows: int, columns: Sequence[FeatureColumn], settings: ChurnConfig) -> dict[str, Any]:
    """Choose LightGBM parameters for so many leavers.

    - Leaves: leavers, not rows, bound how much shape can be learnt.
    - A leaf holds enough rows for some leavers at the base rate; fewer would let single leavers shape the tree.
    - A slow rate, 40 % of the columns a tree and a ridge on leaf values: many weak trees over correlated columns (the
      same usage in several windows) beat few strong ones and come out nearly calibrated.
    - Categories: at least 50 rows a level and strong smoothing, because a rare plan's churn rate is mostly noise.
    - Monotone where a column declares a sign: a known direction need not be learnt from few leavers.
    - No class weights: probabilities feed money.
    - ``deterministic``, ``force_row_wise``, the seed and a fixed number of threads make the model text repeatable.

    Parameters
    ----------
    leavers, rows : int
        Of the training slice only, so that no other slice shapes the booster.
    columns : sequence of FeatureColumn
        In the booster's order.
    settings : ChurnConfig
        Seed and threads.
    """
    leaves = next((size for below, size in ((200, 4), (2_000, 7), (20_000, 15)) if leavers < below), 31)
    signs = [column.sign if column.kind == "number" else 0 for column in columns]
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": leaves,
        "min_data_in_leaf": int(np.clip(3 * rows / max(leavers, 1), 20, max(20, rows // 20))),
        "learning_rate": 0.03,
        "feature_fraction": 0.4,
        "lambda_l2": 10.0,
        "cat_smooth": 20.0,
        "min_data_per_group": 50,
        "deterministic": True,
        "force_row_wise": True,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "verbosity": -1,
        **({"monotone_constraints": signs} if any(signs) else {}),
    }


def fit_by_month(
    train: TrainingFrame,
    stop: TrainingFrame,
    calibrate: TrainingFrame,
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
) -> Fit:
    """Train until the log loss of later months stops falling, and calibrate on months later still."""
    shape, vocabularies = _learn_encoding(train, columns)
    params = booster_settings(train.leavers, len(train), columns, settings)
    data = _dataset(train, shape, vocabularies, params)
    booster = lightgbm.train(
        params,
        data,
        num_boost_round=settings.max_rounds,
        valid_sets=[data.create_valid(encode_columns(stop.X, shape, vocabularies), label=stop.y)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    rounds = booster.best_iteration
    raw = booster.predict(encode_columns(calibrate.X, shape, vocabularies), raw_score=True, num_iteration=rounds)
    text = booster.model_to_string(num_iteration=rounds)
    return Fit(text, rounds, fit_calibrator(raw, calibrate.y), vocabularies, params)


def fit_by_customer(train: TrainingFrame, folds: NDArray[np.intp], columns: Sequence[FeatureColumn], settings: ChurnConfig) -> Fit:
    """Cross-fit the number of rounds and the calibrator, then train once on all the rows.

    Each row's log-odds for the calibrator come from the booster that has not seen its customer. ``folds`` holds the
    fold of each row.
    """
    shape, vocabularies = _learn_encoding(train, columns)
    params = booster_settings(train.leavers, len(train), columns, settings)
    pairs = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    crossed: Any = lightgbm.cv(
        params,
        _dataset(train, shape, vocabularies, params),
        num_boost_round=settings.max_rounds,
        folds=pairs,
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )["cvbooster"]
    rounds = crossed.best_iteration
    matrix, raw = encode_columns(train.X, shape, vocabularies), np.empty(len(train))
    for booster, (_, unseen) in zip(crossed.boosters, pairs, strict=True):
        raw[unseen] = booster.predict(matrix[unseen], raw_score=True, num_iteration=rounds)
    refitted = lightgbm.train(params, _dataset(train, shape, vocabularies, params), num_boost_round=rounds)
    return Fit(refitted.model_to_string(), rounds, fit_calibrator(raw, train.y), vocabularies, params)


def _learn_encoding(
    train: TrainingFrame, columns: Sequence[FeatureColumn]
) -> tuple[tuple[tuple[str, str], ...], dict[str, tuple[str, ...]]]:
    shape = tuple((column.name, column.kind) for column in columns)
    return shape, learn_vocabularies(train.X, shape)


def _dataset(
    train: TrainingFrame,
    shape: tuple[tuple[str, str], ...],
    vocabularies: Mapping[str, tuple[str, ...]],
    params: Mapping[str, Any],
) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        encode_columns(train.X, shape, vocabularies),
        label=train.y,
        feature_name=[name for name, _ in shape],
        categorical_feature=[place for place, (_, kind) in enumerate(shape) if kind == "category"],
        params=dict(params),
    )
