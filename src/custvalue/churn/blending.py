"""Weights by which the log-odds of several models add up to one model's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from custvalue.churn.calibrator import sigmoid

Floats = NDArray[np.float64]

LEAST_WEIGHT = 0.05
"""A candidate that counts for less in the blend is left out: its trees cost as much to score as any."""


def losses(score: Floats, target: Floats) -> Floats:
    """Log loss of each row's log-odds."""
    return np.logaddexp(0.0, score) - target * score


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


def blend_with_lines(raw: Floats, y: Floats, linear: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Blend; without the linear candidates, unless they lower the log loss by more than a standard error of the difference.

    A line that fits the unseen rows hardly better than trees may err far from them, where trees stay level.
    """
    weights, intercept = blend(raw, y)
    if linear.all() or not weights[linear].any():
        return weights, intercept
    own, alone = blend(raw[:, ~linear], y)
    gain = losses(raw[:, ~linear] @ own + alone, y) - losses(raw @ weights + intercept, y)
    if gain.mean() > gain.std() / np.sqrt(gain.size):
        return weights, intercept
    weights[linear], weights[~linear] = 0.0, own
    return weights, alone


def _regress(raw: Floats, target: Floats) -> list[float]:
    """Coefficients from 0 on and intercept of a logistic regression."""
    design = np.column_stack([raw, np.ones(target.size)])

    def loss(at: Floats) -> tuple[float, Floats]:
        score = design @ at
        return float(losses(score, target).mean()), design.T @ (sigmoid(score) - target) / target.size

    start = np.append(np.full(raw.shape[1], 1 / raw.shape[1]), 0.0)
    bounds = [(0.0, None)] * raw.shape[1] + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1_000, "ftol": 1e-12, "gtol": 1e-8})
    return [float(value) for value in found.x]


def _best_alone(raw: Floats, target: Floats) -> Floats:
    """Where no blend ranks the rows, the candidate of least log loss as it is."""
    weights = np.zeros(raw.shape[1])
    weights[np.argmin([losses(score, target).mean() for score in raw.T])] = 1.0
    return weights
