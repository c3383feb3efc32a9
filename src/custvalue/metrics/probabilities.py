"""How good probabilities are: proper scores, and calibration beside that of a perfect model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, ascending, probabilities, share_out_ties

# Keeps log loss finite where a model says 0 or 1; the same bound as scikit-learn's for float64.
_SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def log_loss(y: ArrayLike, p: ArrayLike) -> float:
    """Mean negative log likelihood in nats, for ``p`` the probability of leaving."""
    outcome, probability = probabilities(y, p)
    clipped = np.clip(probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return float(-np.mean(np.where(outcome == 1, np.log(clipped), np.log1p(-clipped))))


def brier_score(y: ArrayLike, p: ArrayLike) -> float:
    """Mean squared difference between probability and outcome."""
    outcome, probability = probabilities(y, p)
    return float(np.mean((probability - outcome) ** 2))


def expected_calibration_error(y: ArrayLike, p: ArrayLike, bins: int = 10) -> float:
    """Mean distance between predicted and observed rate over equal-count bins of the prediction, weighted by size.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) probabilities
    bins : int
        Bins of as near as possible the same number of rows; at most one a row.
    """
    outcome, probability = ascending(*probabilities(y, p))
    return _calibration_error(outcome, probability, _bin_starts(outcome.size, bins))


def calibration_excess(y: ArrayLike, p: ArrayLike, bins: int = 10, *, draws: int = 200, seed: int = 7) -> float:
    """Calibration error minus what a perfect model would show on as many rows.

    Even perfect probabilities miss the observed rates of finite bins. That part is the mean calibration error over
    ``draws`` sets of outcomes drawn from ``p`` itself; near 0 therefore means as good as perfect, and chance can make
    it slightly negative.
    """
    return expected_calibration_error(y, p, bins) - perfect_calibration_error(p, bins, draws=draws, seed=seed)


def perfect_calibration_error(p: ArrayLike, bins: int = 10, *, draws: int = 200, seed: int = 7) -> float:
    """Mean calibration error of outcomes drawn from the probabilities ``p`` themselves."""
    probability = np.sort(np.asarray(p, dtype=np.float64))
    starts = _bin_starts(probability.size, bins)
    random = np.random.default_rng(seed)
    errors = [
        _calibration_error((random.random(probability.size) < probability).astype(np.float64), probability, starts) for _ in range(draws)
    ]
    return float(np.mean(errors))


def _bin_starts(rows: int, bins: int) -> NDArray[np.intp]:
    if bins < 1:
        raise ConfigError(f"calibration needs at least one bin, not {bins}.")
    count = min(bins, rows)
    return (np.arange(count) * rows // count).astype(np.intp)


def _calibration_error(outcome: Floats, probability: Floats, starts: NDArray[np.intp]) -> float:
    gaps = np.add.reduceat(share_out_ties(outcome, probability) - probability, starts)
    return float(np.abs(gaps).sum() / outcome.size)
