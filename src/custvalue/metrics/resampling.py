"""How sure a metric is: bootstrap over rows or over customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, checked

Metric = Callable[..., float | Floats]


def bootstrap_interval(
    metric: Metric, y: ArrayLike, p: ArrayLike, *others: ArrayLike, groups: ArrayLike | None = None, resamples: int = 300, seed: int = 7
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a metric.

    Parameters
    ----------
    metric : callable
        Takes outcomes and scores, and the other arrays if there are any, gives a number.
    y, p : (n,) outcomes and scores
    *others : (n,) arrays
        More about the same rows, for example another model's scores or the value of each customer.
    groups : (n,) array, optional
        Whose row it is. Customers are then resampled with all their rows, because a customer's months are not
        independent of one another; otherwise rows are.
    resamples, seed : int
        How many resamples, and what fixes them.

    Returns
    -------
    low, high : float
        Resamples in which the metric is undefined (no leaver drawn) do not count.
    """
    values = bootstrap(metric, y, p, *others, groups=groups, resamples=resamples, seed=seed)
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(
    metric: Metric, y: ArrayLike, p: ArrayLike, *others: ArrayLike, groups: ArrayLike | None = None, resamples: int = 300, seed: int = 7
) -> Floats:
    """Values of a metric over bootstrap resamples; see `bootstrap_interval`.

    A metric that returns several numbers gives a row of them a resample, all from the same draw.
    """
    outcome, score = checked(y, p)
    code = np.arange(outcome.size) if groups is None else _codes(groups, outcome.size)
    # A resample of sorted rows is sorted, and sorting it again inside a metric then costs next to nothing.
    order = np.argsort(score, kind="stable")
    arrays = [array[order] for array in (outcome, score, *_as_long(others, outcome.size))]
    code = code[order]
    random = np.random.default_rng(seed)
    drawn_from = int(code.max()) + 1
    values = []
    for _ in range(resamples):
        times = np.bincount(random.integers(drawn_from, size=drawn_from), minlength=drawn_from)[code]
        values.append(metric(*(np.repeat(array, times) for array in arrays)))
    return np.asarray(values, dtype=np.float64)


def _as_long(others: tuple[ArrayLike, ...], rows: int) -> list[Floats]:
    arrays = [np.asarray(other, dtype=np.float64) for other in others]
    wrong = [array.shape for array in arrays if array.shape != (rows,)]
    if wrong:
        raise ConfigError(f"every array must be as long as the outcomes: {wrong[0]} and {(rows,)}.")
    return arrays


def _codes(groups: ArrayLike, rows: int) -> NDArray[Any]:
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    if code.shape != (rows,):
        raise ConfigError(f"groups must be as long as the outcomes: {code.shape} and {(rows,)}.")
    return code
