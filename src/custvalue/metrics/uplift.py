"""How well a score ranks customers by what a contact does to them, judged on randomised contacts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, checked, tie_groups
from custvalue.metrics.resampling import bootstrap_interval


class QiniCurve(NamedTuple):
    """Outcomes gained by contacting a share of the customers, highest scores first.

    Attributes
    ----------
    share : (k,) ascending from 0 to 1
        A point stands after each run of equal scores; between two points customers are contacted at random.
    gain : (k,) outcomes gained for each contacted customer of all
        The last one is the effect of contacting everybody.
    """

    share: Floats
    gain: Floats


def qini_curve(y: ArrayLike, treatment: ArrayLike, score: ArrayLike) -> QiniCurve:
    """Incremental gains by the share contacted (Radcliffe 2007, "Using control groups to target on predicted lift").

    Among the customers with the highest scores let T be contacted and t of them have the outcome, C be held out and c have it. The gain
    is ``(t - c * T / C) / all contacted``; where nobody is held out yet, c counts as 0.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
        1 for what a contact is meant to bring about: a customer who stayed, not one who left.
    treatment : (n,) 0 or 1
        1 for the contacted, 0 for the held-out. Assigned by lot, with one chance for all.
    score : (n,)
        The expected effect of a contact; only its order counts.

    Raises
    ------
    ConfigError
        The arrays are not as long or hold other values, or one of the two groups is empty.
    """
    outcome, treated, ranked = _descending(y, treatment, score)
    contacted, _, size = tie_groups(treated, ranked)
    gained = np.cumsum(tie_groups(treated * outcome, ranked)[0])
    lost = np.cumsum(tie_groups((1 - treated) * outcome, ranked)[0])
    rows, called = np.cumsum(size), np.cumsum(contacted)
    held = rows - called
    ratio = np.divide(called, held, out=np.zeros(held.size), where=held > 0)
    return QiniCurve(np.r_[0.0, rows / rows[-1]], np.r_[0.0, (gained - lost * ratio) / called[-1]])


def qini_score(y: ArrayLike, treatment: ArrayLike, score: ArrayLike) -> float:
    """Area between the incremental gains curve and contacting at random (Radcliffe 2007); parameters as in `qini_curve`.

    Returns
    -------
    float
        Outcomes gained for each contacted customer, averaged over all shares that might be contacted: 0 for a score that says nothing
        of the effect, negative for one that ranks the wrong way. It is not divided by the best possible area, so that its interval
        keeps its meaning where the effect of contacting everybody is near zero.
    """
    share, gain = qini_curve(y, treatment, score)
    return float(np.trapezoid(gain - share * gain[-1], share))


def auuc_score(y: ArrayLike, treatment: ArrayLike, score: ArrayLike) -> float:
    """Area under the incremental gains curve: `qini_score` and what contacting at random gains; parameters as in `qini_curve`."""
    share, gain = qini_curve(y, treatment, score)
    return float(np.trapezoid(gain, share))


def qini_interval(
    y: ArrayLike, treatment: ArrayLike, score: ArrayLike, *, groups: ArrayLike | None = None, resamples: int = 300, seed: int = 7
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of `qini_score`; ``groups``, ``resamples`` and ``seed`` as in `bootstrap_interval`."""
    qini_curve(y, treatment, score)

    def area(outcome: Floats, ranked: Floats, treated: Floats) -> float:
        return qini_score(outcome, treated, ranked) if 0 < treated.sum() < treated.size else float("nan")

    return bootstrap_interval(area, y, score, np.asarray(treatment, dtype=np.float64), groups=groups, resamples=resamples, seed=seed)


def _descending(y: ArrayLike, treatment: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Outcomes, treatment and scores, the highest score first."""
    outcome, ranked = checked(y, score)
    treated = np.asarray(treatment, dtype=np.float64)
    if treated.shape != outcome.shape:
        raise ConfigError(f"treatment must be as long as the outcomes: {treated.shape} and {outcome.shape}.")
    wrong = (treated != 0) & (treated != 1)
    if wrong.any():
        raise ConfigError(f"treatment must be 0 (held out) or 1 (contacted); {int(wrong.sum())} are not, for example {treated[wrong][0]}.")
    if not 0 < treated.sum() < treated.size:
        raise ConfigError(f"{int(treated.sum())} of {treated.size} customers were contacted: an effect needs contacted and held-out ones.")
    order = np.argsort(-ranked, kind="stable")
    return outcome[order], treated[order], ranked[order]
