"""From a booster's log-odds to probabilities that can be multiplied with money: what is stored and applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ModelError

Floats = NDArray[np.float64]
Kind = Literal["none", "shift", "sigmoid", "beta", "isotonic"]


@dataclass(frozen=True)
class Calibrator:
    """Probability of leaving = sigmoid(h(x)), h rising in the log-odds x.

    Attributes
    ----------
    kind : str
        - ``none``: h(x) = x.
        - ``shift``: h(x) = x + intercept; only the level is corrected.
        - ``sigmoid``: h(x) = slope · x + intercept (Platt 1999).
        - ``beta``: h(x) = slope · ln q − upper_slope · ln(1 − q) + intercept with q = sigmoid(x) (Kull, Silva Filho and
          Flach 2017): one slope far below even odds, another far above.
        - ``isotonic``: h goes straight from knot to knot, with ``slope`` beyond the outer ones, plus the intercept.
    slope, intercept, upper_slope : float
        Of the log-odds.
    knots : tuple of (x, h)
        Both ascending; isotonic only.
    """

    kind: Kind
    slope: float = 1.0
    intercept: float = 0.0
    upper_slope: float | None = None
    knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        numbers = [self.slope, self.intercept, self.upper_slope or 0.0, *np.ravel(self.knots)]
        sound = self.kind in get_args(Kind) and bool(np.isfinite(numbers).all()) and _rises(self)
        if not sound:
            raise ModelError(f"not a calibrator that can be used: {self}. Train the model again.")

    def __str__(self) -> str:
        if self.kind == "none":
            return "none"
        slopes = f"slope {self.slope:.3f}" + (f" to {self.upper_slope:.3f}" if self.upper_slope is not None else "")
        shape = f"{len(self.knots)} knots" if self.kind == "isotonic" else slopes
        return f"{self.kind}, {shape}, intercept {self.intercept:.3f}"

    def log_odds(self, raw: ArrayLike) -> Floats:
        """Calibrated log-odds of log-odds of any shape."""
        x = np.asarray(raw, dtype=np.float64)
        if self.kind == "isotonic":
            at, height = np.array(self.knots).T
            return np.asarray(np.interp(x, at, height) + self.slope * (x - x.clip(at[0], at[-1])) + self.intercept)
        if self.upper_slope is None:
            return self.slope * x + self.intercept
        low, high = beta_columns(x)
        return self.slope * low + self.upper_slope * high + self.intercept

    def apply(self, log_odds: ArrayLike) -> Floats:
        """Calibrated probabilities of log-odds of any shape."""
        return sigmoid(self.log_odds(log_odds))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, ready for JSON."""
        told: dict[str, Any] = {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}
        if self.upper_slope is not None:
            told["upper_slope"] = self.upper_slope
        if self.knots:
            told["knots"] = [list(knot) for knot in self.knots]
        return told

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Calibrator:
        """Read what `to_dict` wrote; raises `ModelError` if that is incomplete or unusable."""
        try:
            return cls(
                kind=given["kind"],
                slope=float(given["slope"]),
                intercept=float(given["intercept"]),
                upper_slope=None if given.get("upper_slope") is None else float(given["upper_slope"]),
                knots=tuple((float(at), float(height)) for at, height in given.get("knots", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the calibrator cannot be read from {given!r}: {error!r}.") from error


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(−x)), without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def beta_columns(raw: Floats) -> tuple[Floats, Floats]:
    """Ln q and −ln(1 − q) for q = sigmoid(raw)."""
    return -np.logaddexp(0.0, -raw), np.logaddexp(0.0, raw)


def _rises(calibrator: Calibrator) -> bool:
    """Whether h rises, and the kind has exactly the numbers that belong to it."""
    kind, slope, upper, knots = calibrator.kind, calibrator.slope, calibrator.upper_slope, calibrator.knots
    if (upper is not None) != (kind == "beta") or bool(knots) != (kind == "isotonic"):
        return False
    if kind == "none":
        return slope == 1.0 and calibrator.intercept == 0.0
    if kind == "shift":
        return slope == 1.0
    if kind == "beta":
        return slope >= 0 and upper is not None and upper >= 0 and slope + upper > 0
    return slope > 0 and bool((np.diff(np.array(knots), axis=0) > 0).all() if knots else True)
