"""How good probabilities are: as the outcomes show once they are known, and before that as calibrated probabilities foretell of themselves.

All of it is reckoned from counts by score bin, so a base of any size takes the same time. The estimate is that of NannyML's
confidence-based performance estimation (CBPE): a customer of calibrated probability p counts as p leavers and 1 − p stayers. It sees what a
change of the customers does to a model, and by construction not what a change of their behaviour does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.churn.evaluation import Interval
from custvalue.metrics import Floats
from custvalue.monitoring.scores import SCORE_BINS, Counts, bin_probabilities, score_bin

MEASURES = ("auc", "lift_10pct", "log_loss", "ratio")
"""Area under the ROC curve, lift among the tenth with the highest scores, log loss in nats, and leavers observed / expected."""
_TOP = 0.1


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Outcomes of some customers by bin of their score; ``a + b`` are those of both.

    Attributes
    ----------
    rows, left : (`SCORE_BINS`,) int64
        Customers, and those of them who left.
    expected : (`SCORE_BINS`,) float64
        Sum of their probabilities.
    """

    rows: Counts
    left: Counts
    expected: Floats

    @classmethod
    def of(cls, left: ArrayLike, probability: ArrayLike) -> Outcomes:
        """Count outcomes, (n,) of 0 and 1, and probabilities, (n,)."""
        place, y, p = score_bin(probability), np.asarray(left, dtype=np.float64), np.asarray(probability, dtype=np.float64)
        leavers, expected = (np.bincount(place, weights=part, minlength=SCORE_BINS) for part in (y, p))
        rows = np.bincount(place, minlength=SCORE_BINS)
        return cls(rows.astype(np.int64), leavers.astype(np.int64), expected.astype(np.float64))

    def __add__(self, other: Outcomes) -> Outcomes:
        """Add up two parts."""
        return Outcomes(self.rows + other.rows, self.left + other.left, self.expected + other.expected)

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.rows.sum())

    @property
    def leavers(self) -> int:
        """How many of them left."""
        return int(self.left.sum())


def realised(outcomes: Outcomes, *, resamples: int = 300, seed: int = 7) -> dict[str, Interval]:
    """Measure what came true, each with its 95 % bootstrap interval over customers.

    Customers of one score bin and outcome are alike, so that resamples are drawn as counts.

    Returns
    -------
    dict
        `MEASURES` → interval; empty where nobody left or nobody stayed.
    """
    if outcomes.leavers in (0, outcomes.customers):
        return {}
    some = outcomes.rows > 0
    rows, left = outcomes.rows[some], outcomes.left[some]
    probability = outcomes.expected[some] / rows
    cells = np.r_[left, rows - left].astype(np.float64)
    drawn = np.random.default_rng(seed).multinomial(outcomes.customers, cells / cells.sum(), size=resamples)
    left_again, stayed_again = np.split(drawn, 2, axis=1)
    values = _measures(left, rows, probability)
    again = _measures(left_again, left_again + stayed_again, probability)
    return {name: Interval.of(float(values[name][0]), again[name]) for name in MEASURES}


def estimated(scores: Counts, *, draws: int = 300, seed: int = 7) -> dict[str, Interval]:
    """Estimate the measures from the scores alone, as if they were calibrated.

    Parameters
    ----------
    scores : (`SCORE_BINS`,) counts
        See `Profile`.
    draws, seed : int
        Of outcomes drawn from the probabilities.

    Returns
    -------
    dict
        `MEASURES` → estimate, and the interval in which 95 % of what such customers' outcomes may show will lie; empty for nobody.
    """
    some = scores > 0
    if not some.any():
        return {}
    rows, probability = scores[some], bin_probabilities()[some]
    drawn = np.random.default_rng(seed).binomial(rows, probability, size=(draws, rows.size))
    values, again = _measures(rows * probability, rows, probability), _measures(drawn, rows, probability)
    interval = partial(_interval, again)
    return {name: interval(name, float(values[name][0])) for name in MEASURES}


def _interval(again: dict[str, Floats], name: str, value: float) -> Interval:
    told = again[name][np.isfinite(again[name])]
    return Interval.of(value, told) if told.size else Interval(value, float("nan"), float("nan"))


def _measures(left: NDArray[np.number], rows: NDArray[np.number], probability: Floats) -> dict[str, Floats]:
    """Measure outcomes by bins of ascending score; each argument (k,) or (draws, k), the probability (k,); each measure (draws,)."""
    leavers, customers = np.atleast_2d(left).astype(np.float64), np.atleast_2d(rows).astype(np.float64)
    leavers, customers = np.broadcast_arrays(leavers, customers)
    stayers = customers - leavers
    total_left, total_stayed, total = (part.sum(axis=1) for part in (leavers, stayers, customers))
    below = np.cumsum(stayers, axis=1) - stayers / 2  # a leaver and a stayer of one bin count half
    top = np.cumsum(customers[:, ::-1], axis=1)[:, ::-1] - customers  # customers in higher bins
    taken = np.clip(_TOP * total[:, None] - top, 0, customers)
    found = (leavers * np.divide(taken, customers, out=np.zeros_like(taken), where=customers > 0)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_loss = -(leavers * np.log(probability) + stayers * np.log1p(-probability)).sum(axis=1) / total
        return {
            "auc": (leavers * below).sum(axis=1) / (total_left * total_stayed),
            "lift_10pct": found / (_TOP * total_left),
            "log_loss": log_loss,
            "ratio": total_left / (customers * probability).sum(axis=1),
        }
