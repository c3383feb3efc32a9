"""How good a ranking and its probabilities are: plain functions on arrays.

Rows that share a score are interchangeable, so every metric gives the same value in whatever order the rows come:
where a cut or a bin edge falls among ties, it takes its share of their mean outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.errors import ConfigError

Floats = NDArray[np.float64]
Metric = Callable[[Floats, Floats], float | Floats]

# Keeps log loss finite where a model says 0 or 1; the same bound as scikit-learn's for float64.
_SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def roc_auc(y: ArrayLike, p: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a leaver scores above a stayer, ties counting half.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) scores; only their order counts

    Returns
    -------
    float
        NaN when only one outcome occurs.
    """
    outcome, score = _ascending(y, p)
    positive, start, size = _tie_groups(outcome, score)
    leavers = positive.sum()
    stayers = outcome.size - leavers
    if leavers == 0 or stayers == 0:
        return float("nan")
    middle_rank = start + (size + 1) / 2
    return float(((positive * middle_rank).sum() - leavers * (leavers + 1) / 2) / (leavers * stayers))


def average_precision(y: ArrayLike, p: ArrayLike) -> float:
    """Area under the precision-recall curve as the sum of precision times the gain in recall (PR-AUC).

    Parameters and the NaN rule are those of `roc_auc`.
    """
    outcome, score = _ascending(y, p)
    positive, _, size = _tie_groups(outcome, score)
    leavers = positive.sum()
    if leavers == 0:
        return float("nan")
    found = np.cumsum(positive[::-1])
    precision = found / np.cumsum(size[::-1])
    return float((precision * positive[::-1]).sum() / leavers)


def log_loss(y: ArrayLike, p: ArrayLike) -> float:
    """Mean negative log likelihood in nats, for ``p`` the probability of leaving."""
    outcome, probability = _probabilities(y, p)
    clipped = np.clip(probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return float(-np.mean(np.where(outcome == 1, np.log(clipped), np.log1p(-clipped))))


def brier_score(y: ArrayLike, p: ArrayLike) -> float:
    """Mean squared difference between probability and outcome."""
    outcome, probability = _probabilities(y, p)
    return float(np.mean((probability - outcome) ** 2))


def lift_score(y: ArrayLike, p: ArrayLike, share: float) -> float:
    """Churn rate among the ``share`` of rows with the highest scores, divided by the churn rate of all.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) scores; only their order counts
    share : float
        In (0, 1]; rounded up to whole rows, so that at least one is taken.

    Returns
    -------
    float
        1 is no better than chance; NaN when nobody left.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"lift_score: share must lie in (0, 1], not {share!r}; 0.1 means the top 10 %.")
    outcome, score = _ascending(y, p)
    rate = outcome.mean()
    if rate == 0:
        return float("nan")
    # 0.1 * 30 is a little above 3 in floating point and must not become 4 rows.
    taken = int(np.ceil(share * outcome.size - 1e-9))
    return float(_share_out_ties(outcome, score)[-taken:].mean() / rate)


def expected_calibration_error(y: ArrayLike, p: ArrayLike, bins: int = 10) -> float:
    """Mean distance between predicted and observed rate over equal-count bins of the prediction, weighted by size.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) probabilities
    bins : int
        Bins of as near as possible the same number of rows; at most one a row.
    """
    outcome, probability = _ascending(*_probabilities(y, p))
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


def bootstrap_interval(
    metric: Metric, y: ArrayLike, p: ArrayLike, *, groups: ArrayLike | None = None, resamples: int = 300, seed: int = 7
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a metric.

    Parameters
    ----------
    metric : callable
        Takes outcomes and scores, gives a number.
    y, p : (n,) outcomes and scores
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
    values = bootstrap(metric, y, p, groups=groups, resamples=resamples, seed=seed)
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(
    metric: Metric, y: ArrayLike, p: ArrayLike, *, groups: ArrayLike | None = None, resamples: int = 300, seed: int = 7
) -> Floats:
    """Values of a metric over bootstrap resamples; see `bootstrap_interval`.

    A metric that returns several numbers gives a row of them a resample, all from the same draw.
    """
    outcome, score = _checked(y, p)
    code = np.arange(outcome.size) if groups is None else _codes(groups, outcome.size)
    # A resample of sorted rows is sorted, and sorting it again inside a metric then costs next to nothing.
    order = np.argsort(score, kind="stable")
    outcome, score, code = outcome[order], score[order], code[order]
    random = np.random.default_rng(seed)
    drawn_from = int(code.max()) + 1
    values = []
    for _ in range(resamples):
        times = np.bincount(random.integers(drawn_from, size=drawn_from), minlength=drawn_from)[code]
        values.append(metric(np.repeat(outcome, times), np.repeat(score, times)))
    return np.asarray(values, dtype=np.float64)


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    outcome = np.asarray(y, dtype=np.float64)
    score = np.asarray(p, dtype=np.float64)
    if outcome.ndim != 1 or outcome.shape != score.shape:
        raise ConfigError(f"outcomes and scores must be 1-d and as long: {outcome.shape} and {score.shape}.")
    if outcome.size == 0:
        raise ConfigError("there are no rows to judge.")
    wrong = (outcome != 0) & (outcome != 1)
    if wrong.any():
        raise ConfigError(f"outcomes must be 0 or 1; {int(wrong.sum())} are not, for example {outcome[wrong][0]}.")
    if not np.isfinite(score).all():
        raise ConfigError(f"scores must be finite numbers; {int((~np.isfinite(score)).sum())} are not.")
    return outcome, score


def _probabilities(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    outcome, probability = _checked(y, p)
    wrong = (probability < 0) | (probability > 1)
    if wrong.any():
        example = probability[wrong][0]
        raise ConfigError(f"probabilities must lie in [0, 1]; {int(wrong.sum())} do not, for example {example}.")
    return outcome, probability


def _ascending(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    outcome, score = _checked(y, p)
    order = np.argsort(score, kind="stable")
    return outcome[order], score[order]


def _tie_groups(outcome: Floats, score: Floats) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Leavers, first row and size of each run of equal scores."""
    start = np.flatnonzero(np.r_[True, score[1:] != score[:-1]])
    return np.add.reduceat(outcome, start), start, np.diff(np.r_[start, score.size])


def _share_out_ties(outcome: Floats, score: Floats) -> Floats:
    positive, _, size = _tie_groups(outcome, score)
    return np.repeat(positive / size, size)


def _bin_starts(rows: int, bins: int) -> NDArray[np.intp]:
    if bins < 1:
        raise ConfigError(f"calibration needs at least one bin, not {bins}.")
    count = min(bins, rows)
    return (np.arange(count) * rows // count).astype(np.intp)


def _calibration_error(outcome: Floats, probability: Floats, starts: NDArray[np.intp]) -> float:
    gaps = np.add.reduceat(_share_out_ties(outcome, probability) - probability, starts)
    return float(np.abs(gaps).sum() / outcome.size)


def _codes(groups: ArrayLike, rows: int) -> NDArray[Any]:
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    if code.shape != (rows,):
        raise ConfigError(f"groups must be as long as the outcomes: {code.shape} and {(rows,)}.")
    return code
