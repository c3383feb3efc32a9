"""What the metrics share: checked arrays, rows in order of their score, and ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ConfigError

Floats = NDArray[np.float64]


def checked(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Outcomes and scores as float arrays; raises `ConfigError` unless they are as long, 0 or 1, and finite."""
    outcome, score = same_length(y, p, "outcomes")
    wrong = (outcome != 0) & (outcome != 1)
    if wrong.any():
        raise ConfigError(f"outcomes must be 0 or 1; {int(wrong.sum())} are not, for example {outcome[wrong][0]}.")
    return outcome, score


def same_length(values: ArrayLike, p: ArrayLike, name: str) -> tuple[Floats, Floats]:
    """Two float arrays, (n,) each with n > 0; raises `ConfigError` otherwise, or where one is not finite."""
    value = np.asarray(values, dtype=np.float64)
    score = np.asarray(p, dtype=np.float64)
    if value.ndim != 1 or value.shape != score.shape:
        raise ConfigError(f"{name} and scores must be 1-d and as long: {value.shape} and {score.shape}.")
    if value.size == 0:
        raise ConfigError("there are no rows to judge.")
    for told, array in ((name, value), ("scores", score)):
        wrong = int((~np.isfinite(array)).sum())
        if wrong:
            raise ConfigError(f"{told} must be finite numbers; {wrong} are not.")
    return value, score


def probabilities(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Checked outcomes and scores, the latter in [0, 1]."""
    outcome, probability = checked(y, p)
    wrong = (probability < 0) | (probability > 1)
    if wrong.any():
        example = probability[wrong][0]
        raise ConfigError(f"probabilities must lie in [0, 1]; {int(wrong.sum())} do not, for example {example}.")
    return outcome, probability


def ascending(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Checked outcomes and scores in ascending order of the score."""
    return by_score(*checked(y, p))


def by_score(value: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Both arrays in ascending order of the score; a sorted array costs next to nothing."""
    order = np.argsort(score, kind="stable")
    return value[order], score[order]


def tie_groups(value: Floats, score: Floats) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Sum, first row and size of each run of equal scores."""
    start = np.flatnonzero(np.r_[True, score[1:] != score[:-1]])
    return np.add.reduceat(value, start), start, np.diff(np.r_[start, score.size])


def share_out_ties(outcome: Floats, score: Floats) -> Floats:
    """Outcomes with those of equal scores replaced by their mean."""
    positive, _, size = tie_groups(outcome, score)
    return np.repeat(positive / size, size)
