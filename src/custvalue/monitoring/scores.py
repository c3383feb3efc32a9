"""Scores counted in fixed bins of their log-odds: parts of a base add up exactly, and nights of different models can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ModelError
from custvalue.metrics import Floats

Counts = NDArray[np.int64]

SCORE_BINS = 1000
_LARGEST = 12.0
"""Log-odds beyond ±12, a chance of 6 in a million, share the outermost bins."""
_PER_UNIT = SCORE_BINS / (2 * _LARGEST)


def score_bin(probability: ArrayLike) -> NDArray[np.intp]:
    """Give the bin of each probability, (n,); bins are 0.024 of log-odds wide, ascending.

    Raises
    ------
    ModelError
        A probability is not a number between 0 and 1.
    """
    p = np.asarray(probability, dtype=np.float64)
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise ModelError(f"{int(wrong.sum())} of {p.size} scores are no probabilities, for example {p[wrong][0]}. Train the model again.")
    with np.errstate(divide="ignore"):
        log_odds = np.log(p) - np.log1p(-p)
    return ((log_odds + _LARGEST) * _PER_UNIT).clip(0, SCORE_BINS - 1).astype(np.intp)


def count_scores(probability: ArrayLike) -> Counts:
    """Count probabilities by bin, (`SCORE_BINS`,)."""
    return np.bincount(score_bin(probability), minlength=SCORE_BINS).astype(np.int64)


def bin_probabilities() -> Floats:
    """Give the probability in the middle of each bin, (`SCORE_BINS`,)."""
    log_odds = (np.arange(SCORE_BINS) + 0.5) / _PER_UNIT - _LARGEST
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def score_groups(scores: Counts, groups: int) -> NDArray[np.intp]:
    """Join neighbouring bins into at most so many groups that hold about the same number of these scores; the group of each bin."""
    share = (np.cumsum(scores) - scores / 2) / max(int(scores.sum()), 1)
    group = np.minimum((share * groups).astype(np.intp), groups - 1)
    return np.unique(group, return_inverse=True)[1]
