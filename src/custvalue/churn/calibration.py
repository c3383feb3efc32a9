"""From a booster's log-odds to probabilities that can be multiplied with money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ModelError

Floats = NDArray[np.float64]

# Below this spread of the log-odds a slope says nothing: the booster tells hardly anybody apart.
_LEAST_SPREAD = 1e-3
_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Calibrator:
    """Probability of leaving = sigmoid(slope · log-odds + intercept).

    Attributes
    ----------
    kind : str
        ``sigmoid`` (Platt scaling, slope above 0), or ``shift`` (slope 1: only the level is corrected).
    slope, intercept : float
        Natural log-odds.
    """

    kind: Literal["sigmoid", "shift"]
    slope: float
    intercept: float

    def __post_init__(self) -> None:
        sound = np.isfinite([self.slope, self.intercept]).all() and self.slope > 0
        if self.kind not in ("sigmoid", "shift") or not sound or (self.kind == "shift" and self.slope != 1.0):
            raise ModelError(f"not a calibrator that can be used: {self}. Train the model again.")

    def apply(self, log_odds: ArrayLike) -> Floats:
        """Calibrated probabilities of log-odds of any shape."""
        return sigmoid(self.slope * np.asarray(log_odds, dtype=np.float64) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, ready for JSON."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Calibrator:
        """Read what `to_dict` wrote; raises `ModelError` if that is incomplete or unusable."""
        try:
            return cls(kind=given["kind"], slope=float(given["slope"]), intercept=float(given["intercept"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the calibrator cannot be read from {dict(given)!r}: {error!r}.") from error


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(−x)), without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def fit_calibrator(log_odds: ArrayLike, y: ArrayLike) -> Calibrator:
    """Fit Platt scaling on rows that the booster has not seen.

    Targets are smoothed, (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2), so that a slice that separates perfectly does not end in
    probabilities of 0 and 1 (Platt 1999; Newton's method as in Lin, Lin and Weng 2007). If the fitted slope is not
    above 0 or the log-odds hardly vary, only the level is corrected.

    Parameters
    ----------
    log_odds : (n,) raw scores
    y : (n,) outcomes, 0 or 1; both must occur

    Raises
    ------
    ModelError
        Only one outcome occurs.
    """
    raw = np.asarray(log_odds, dtype=np.float64)
    outcome = np.asarray(y, dtype=np.float64)
    leavers = float(outcome.sum())
    stayers = outcome.size - leavers
    if leavers == 0 or stayers == 0:
        raise ModelError(f"calibration needs leavers and stayers; its slice has {leavers:.0f} and {stayers:.0f}.")
    target = np.where(outcome == 1, (leavers + 1) / (leavers + 2), 1 / (stayers + 2))
    if raw.std() >= _LEAST_SPREAD:
        # Newton runs on standardised scores, whose scale then cannot spoil the steps.
        mean, spread = float(raw.mean()), float(raw.std())
        slope, intercept = _newton(np.column_stack([(raw - mean) / spread, np.ones_like(raw)]), target)
        if slope > 0:
            return Calibrator(kind="sigmoid", slope=slope / spread, intercept=intercept - slope * mean / spread)
    (shift,) = _newton(np.ones((raw.size, 1)), target, offset=raw)
    return Calibrator(kind="shift", slope=1.0, intercept=shift)


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
