"""Grows the boosters of each candidate, blends their log-odds, and merges them into one model text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from custvalue.churn.calibrator import sigmoid
from custvalue.churn.merging import merge_models
from custvalue.churn.portfolio import Candidate

Floats = NDArray[np.float64]

LEAST_WEIGHT = 0.05
"""A candidate that counts for less in the blend is left out: its trees cost as much to score as any."""

_PATIENCE = 3.0
_FEWEST_PATIENT_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that train, rows that stop, and the latter once more as a matrix.

    Attributes
    ----------
    train, stop : lightgbm.Dataset
        Binned alike.
    unseen : (n, columns) array
        The rows of ``stop``.
    y : (n,) array
        Their outcomes.
    """

    train: lightgbm.Dataset
    stop: lightgbm.Dataset
    unseen: Floats
    y: Floats


@dataclass(frozen=True)
class Member:
    """What a candidate has become in the blend.

    Attributes
    ----------
    candidate : Candidate
    weight : float
        What the mean of its boosters' log-odds is multiplied with; all members' need not add up to 1.
    rounds : tuple of int
        One for each fold's booster; these are averaged.
    """

    candidate: Candidate
    weight: float
    rounds: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "name": self.candidate.name,
            "weight": self.weight,
            "rounds": list(self.rounds),
            "params": dict(self.candidate.params),
        }

    def __str__(self) -> str:
        boosters = f"{len(self.rounds)} boosters, " if len(self.rounds) > 1 else ""
        return f"{self.weight:.2f} {self.candidate.name} ({boosters}{round(float(np.mean(self.rounds)))} rounds)"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """One model text of all members.

    Attributes
    ----------
    model_text : str
    members : tuple of Member
        The heaviest first.
    shift : float
        What is added to their weighted log-odds.
    raw : (n,) array
        Log-odds of all folds' unseen rows, fold after fold, each from the boosters that have not seen it.
    """

    model_text: str
    members: tuple[Member, ...]
    shift: float
    raw: Floats


def grow(
    folds: Sequence[Fold], candidates: Sequence[Candidate], base: Mapping[str, Any], *, max_rounds: int, shift: float = 0.0
) -> Ensemble:
    """Train each candidate on each fold until the log loss of its unseen rows stops falling, and blend.

    Parameters
    ----------
    folds : sequence of Fold
        Of one binned data set.
    candidates : sequence of Candidate
    base : dict
        LightGBM parameters that candidates override.
    max_rounds : int
        Of one booster.
    shift : float
        Added to the log-odds of each booster; the folds' ``stop`` holds it as initial score.
    """
    y = np.concatenate([fold.y for fold in folds])
    boosters = [[_train(fold, dict(base) | dict(candidate.params), max_rounds) for fold in folds] for candidate in candidates]
    raw = np.column_stack([np.concatenate([_raw(booster, fold) for booster, fold in zip(row, folds, strict=True)]) for row in boosters])
    weights, intercept = blend(raw + shift, y)
    intercept += shift * float(weights.sum())
    used = sorted(np.flatnonzero(weights).tolist(), key=lambda place: -weights[place])
    text = merge_models(
        [booster.model_to_string(num_iteration=booster.best_iteration) for place in used for booster in boosters[place]],
        [float(weights[place]) / len(folds) for place in used for _ in folds],
        shift=intercept,
    )
    members = tuple(
        Member(candidates[place], float(weights[place]), tuple(booster.best_iteration for booster in boosters[place])) for place in used
    )
    return Ensemble(text, members, intercept, raw @ weights + intercept)


def regrow(train: lightgbm.Dataset, members: Sequence[Member], base: Mapping[str, Any], *, shift: float) -> str:
    """Train each member once on other rows for the rounds it had on average, and merge with the same weights."""
    texts = [
        lightgbm.train(
            dict(base) | dict(member.candidate.params), train, num_boost_round=max(1, round(float(np.mean(member.rounds))))
        ).model_to_string()
        for member in members
    ]
    return merge_models(texts, [member.weight for member in members], shift=shift)


def blend(raw: Floats, y: Floats) -> tuple[Floats, float]:
    """Weights from 0 on, and an intercept, that minimise the log loss of the weighted log-odds.

    The problem is convex. Log-odds are blended, not probabilities, so that the blend is again one sum of trees. Weights need not add up
    to 1: a bag is less extreme than its boosters, and a blend of diverse ones less than each. Outcomes are smoothed as in
    `fit_calibrator`, so that rows which separate perfectly do not blow the weights up. A weight below `LEAST_WEIGHT` of all becomes 0.

    Parameters
    ----------
    raw : (n, k) log-odds of unseen rows, a column a candidate
    y : (n,) outcomes, 0 or 1
    """
    leavers = y.sum()
    target = np.where(y == 1, (leavers + 1) / (leavers + 2), 1 / (y.size - leavers + 2))
    kept = np.arange(raw.shape[1])
    while True:
        *found, intercept = _regress(raw[:, kept], target)
        heavy = kept[np.array(found) >= LEAST_WEIGHT * max(sum(found), LEAST_WEIGHT)]
        if heavy.size == kept.size:
            weights = np.zeros(raw.shape[1])
            weights[kept] = found
            return weights, intercept
        if not heavy.size:
            return _best_alone(raw, target), 0.0
        kept = heavy


def _regress(raw: Floats, target: Floats) -> list[float]:
    """Coefficients from 0 on and intercept of a logistic regression."""
    design = np.column_stack([raw, np.ones(target.size)])

    def loss(at: Floats) -> tuple[float, Floats]:
        score = design @ at
        return float(np.mean(np.logaddexp(0.0, score) - target * score)), design.T @ (sigmoid(score) - target) / target.size

    start = np.append(np.full(raw.shape[1], 1 / raw.shape[1]), 0.0)
    bounds = [(0.0, None)] * raw.shape[1] + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1_000, "ftol": 1e-12, "gtol": 1e-8})
    return [float(value) for value in found.x]


def _best_alone(raw: Floats, target: Floats) -> Floats:
    """Where no blend ranks the rows, the candidate of least log loss as it is."""
    weights = np.zeros(raw.shape[1])
    weights[np.argmin([np.mean(np.logaddexp(0.0, score) - target * score) for score in raw.T])] = 1.0
    return weights


def _train(fold: Fold, params: Mapping[str, Any], max_rounds: int) -> lightgbm.Booster:
    """Stop after a patience that is the longer the slower the rate: at a slow one a flat stretch can be long."""
    patience = max(_FEWEST_PATIENT_ROUNDS, round(_PATIENCE / params["learning_rate"]))
    return lightgbm.train(
        dict(params),
        fold.train,
        num_boost_round=max_rounds,
        valid_sets=[fold.stop],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )


def _raw(booster: lightgbm.Booster, fold: Fold) -> Floats:
    return np.asarray(booster.predict(fold.unseen, raw_score=True, num_iteration=booster.best_iteration), dtype=np.float64)
