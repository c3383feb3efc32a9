"""Choosing and fitting the calibrator: from a booster's log-odds to probabilities that can be multiplied with money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.churn.calibrator import Calibrator, Floats, Kind, beta_columns, sigmoid
from custvalue.errors import ConfigError, ModelError

__all__ = ["Calibrator", "fit_calibrator", "sigmoid"]

Choice = Literal["auto", "none", "sigmoid", "beta", "isotonic"]

SIMPLEST_FIRST: tuple[Kind, ...] = ("none", "sigmoid", "beta", "isotonic")
"""What ``auto`` chooses from."""

# Below this spread of the log-odds a slope says nothing: the booster tells hardly anybody apart.
_LEAST_SPREAD = 1e-3
# Rates nearer to one another are the same but for rounding.
_LEAST_STEP = 1e-9
_NEWTON_STEPS = 100
_FOLDS = 5
# Beyond the ends of an isotonic calibrator's steps the log-odds still rise a little, so that ranking is kept.
_EDGE_SLOPE = 0.01


def fit_calibrator(log_odds: ArrayLike, y: ArrayLike, *, kind: Choice = "auto", groups: ArrayLike | None = None) -> Calibrator:
    """Fit a calibrator on rows that the booster has not seen.

    Targets are smoothed, (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2), so that a slice that separates perfectly does not end in
    probabilities of 0 and 1 (Platt 1999; Newton's method as in Lin, Lin and Weng 2007). But for ``none``, the mean
    probability of the slice is the mean of these targets. If the log-odds hardly vary, or do not rank the rows, only
    the level is corrected (``shift``).

    Parameters
    ----------
    log_odds : (n,) raw scores
    y : (n,) outcomes, 0 or 1; both must occur
    kind : str
        ``auto`` cross-validates the log loss of each kind within the slice and takes the simplest one that is not
        clearly worse than the best: by more than a standard error of their difference.
    groups : (n,) array, optional
        Whose row it is: cross-validation and its standard error keep a customer's rows together.

    Raises
    ------
    ModelError
        Only one outcome occurs, or a score is not finite.
    ConfigError
        ``kind`` is unknown, or the arrays are not as long.
    """
    raw, outcome = np.asarray(log_odds, dtype=np.float64), np.asarray(y, dtype=np.float64)
    group = np.arange(raw.size) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    _refuse_slice(raw, outcome, group, kind)
    if kind == "none":
        return Calibrator("none")
    if raw.std() < _LEAST_SPREAD:
        return _fit_shift(raw, _smoothed(outcome))
    chosen: Kind = _choose(raw, outcome, group) if kind == "auto" else kind
    return _FITS[chosen](raw, outcome)


def _refuse_slice(raw: Floats, outcome: Floats, group: NDArray[np.intp], kind: str) -> None:
    if kind not in get_args(Choice):
        raise ConfigError(f"calibration must be one of {', '.join(get_args(Choice))}, not {kind!r}.")
    if raw.ndim != 1 or not raw.shape == outcome.shape == group.shape:
        raise ConfigError(f"log-odds, outcomes and groups must be 1-d and as long: {raw.shape}, {outcome.shape}, {group.shape}.")
    leavers = int((outcome == 1).sum())
    if leavers in (0, outcome.size):
        raise ModelError(f"calibration needs leavers and stayers; its slice has {leavers} and {outcome.size - leavers}.")
    wrong = int((~np.isfinite(raw)).sum())
    if wrong:
        raise ModelError(f"{wrong} of {raw.size} log-odds are not finite numbers; the booster cannot be calibrated. Train again.")


def _choose(raw: Floats, outcome: Floats, group: NDArray[np.intp]) -> Kind:
    """Give the simplest kind whose cross-validated log loss is within a standard error of the best kind's."""
    folds = _folds(outcome, group)
    parts = [folds != fold for fold in np.unique(folds)]
    if len(parts) < 2 or any(outcome[part].min() == outcome[part].max() for part in parts):
        return "none"
    loss = {kind: np.empty_like(raw) for kind in SIMPLEST_FIRST}
    for part in parts:
        for kind in SIMPLEST_FIRST:
            told = _FITS[kind](raw[part], outcome[part]).log_odds(raw[~part])
            loss[kind][~part] = np.logaddexp(0.0, told) - outcome[~part] * told
    best = min(SIMPLEST_FIRST, key=lambda kind: float(loss[kind].sum()))
    return next(kind for kind in SIMPLEST_FIRST if not _clearly_worse(loss[kind] - loss[best], group))


def _clearly_worse(excess: Floats, group: NDArray[np.intp]) -> bool:
    """Whether a sum of differences lies more than its standard error over groups above zero."""
    by_group = np.bincount(group, weights=excess)
    return bool(by_group.sum() > np.sqrt(by_group.size) * by_group.std())


def _folds(outcome: Floats, group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Fold of each row: whole groups, those with a leaver spread evenly."""
    leaves = np.bincount(group, weights=outcome) > 0
    order = np.random.default_rng(0).permutation(leaves.size)
    order = order[np.argsort(leaves[order], kind="stable")]
    fold = np.empty(leaves.size, dtype=np.intp)
    fold[order] = np.arange(leaves.size) % _FOLDS
    found: NDArray[np.intp] = fold[group]
    return found


def _smoothed(outcome: Floats) -> Floats:
    leavers = outcome.sum()
    target: Floats = np.where(outcome == 1, (leavers + 1) / (leavers + 2), 1 / (outcome.size - leavers + 2))
    return target


def _fit_shift(raw: Floats, target: Floats) -> Calibrator:
    (shift,) = _newton(np.ones((raw.size, 1)), target, offset=raw)
    return Calibrator("shift", 1.0, shift)


def _fit_sigmoid(raw: Floats, outcome: Floats) -> Calibrator:
    target = _smoothed(outcome)
    slope, intercept = _regress([raw], target)
    return Calibrator("sigmoid", slope, intercept) if slope > 0 else _fit_shift(raw, target)


def _fit_beta(raw: Floats, outcome: Floats) -> Calibrator:
    """Fit both slopes; one that comes out negative is set to 0 and the other fitted again (Kull et al. 2017)."""
    target = _smoothed(outcome)
    low, high = beta_columns(raw)
    slope, upper, intercept = _regress([low, high], target)
    if slope < 0:
        slope, (upper, intercept) = 0.0, _regress([high], target)
    elif upper < 0:
        upper, (slope, intercept) = 0.0, _regress([low], target)
    if slope < 0 or upper < 0 or slope == upper == 0:
        return _fit_shift(raw, target)
    return Calibrator("beta", slope, intercept, upper_slope=upper)


def _fit_isotonic(raw: Floats, outcome: Floats) -> Calibrator:
    """Isotonic regression, centred: the rate of each block stands at its mean score, and lines join them (Oron and Flournoy 2017).

    A leaver is added at the lowest score and a stayer at the highest, so that no block is sure of its outcome.
    """
    from scipy.optimize import isotonic_regression

    score, place, size = np.unique(np.r_[raw, raw.min(), raw.max()], return_inverse=True, return_counts=True)
    rates = np.bincount(place, weights=np.r_[outcome, 1.0, 0.0]) / size
    fitted = isotonic_regression(rates, weights=size).x
    starts = np.flatnonzero(np.r_[True, np.diff(fitted) > _LEAST_STEP])
    if starts.size < 2:
        return _fit_shift(raw, _smoothed(outcome))
    rate = fitted[starts]
    centre = np.add.reduceat(score * size, starts) / np.add.reduceat(size, starts)
    knots = tuple(zip(centre.tolist(), np.log(rate / (1 - rate)).tolist(), strict=True))
    uncentred = Calibrator("isotonic", _EDGE_SLOPE, knots=knots)
    (shift,) = _newton(np.ones((raw.size, 1)), _smoothed(outcome), offset=uncentred.log_odds(raw))
    return Calibrator("isotonic", _EDGE_SLOPE, shift, knots=knots)


_FITS: dict[Kind, Callable[[Floats, Floats], Calibrator]] = {
    "none": lambda *_: Calibrator("none"),
    "sigmoid": _fit_sigmoid,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
}


def _regress(columns: list[Floats], target: Floats) -> list[float]:
    """Coefficient of each column, and the intercept, of the logistic regression on smoothed targets."""
    # Newton runs on standardised columns, whose scale then cannot spoil the steps.
    design = np.column_stack(columns)
    mean, spread = design.mean(axis=0), design.std(axis=0)
    spread[spread == 0] = 1.0
    *slopes, intercept = _newton(np.column_stack([(design - mean) / spread, np.ones(target.size)]), target)
    unscaled = np.array(slopes) / spread
    return [*unscaled.tolist(), float(intercept - unscaled @ mean)]


def _newton(design: Floats, target: Floats, offset: Floats | float = 0.0) -> list[float]:
    """Coefficients that minimise the log loss of sigmoid(offset + design @ coefficients)."""
    coefficients = np.zeros(design.shape[1])

    def loss(at: Floats) -> float:
        score = offset + design @ at
        return float(np.sum(np.logaddexp(0.0, score) - target * score))

    current = loss(coefficients)
    for _ in range(_NEWTON_STEPS):
        probability = sigmoid(offset + design @ coefficients)
        gradient = design.T @ (probability - target)
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(coefficients)), gradient)
        scale = 1.0
        while loss(coefficients - scale * step) > current and scale > 1e-10:
            scale /= 2
        coefficients = coefficients - scale * step
        previous, current = current, loss(coefficients)
        if previous - current <= 1e-12 * abs(previous):
            break
    return [float(value) for value in coefficients]
