"""What a model is worth on rows it has not seen, each number with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from custvalue import metrics
from custvalue.errors import ModelError
from custvalue.metrics import Floats

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, resampled: Floats) -> Interval:
        """Take the interval of a value from its bootstrap resamples; those in which it is undefined (NaN) do not count."""
        low, high = np.nanquantile(resampled, [0.025, 0.975])
        return cls(float(value), float(low), float(high))

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} [{self.low:{spec}}–{self.high:{spec}}]" if spec else str(self)


@dataclass(frozen=True)
class Evaluation:
    """Quality of probabilities on labelled rows.

    Attributes
    ----------
    rows, customers, leavers : int
        Rows judged, distinct customers among them, rows that left.
    base_rate : float
        leavers / rows.
    capacity_share : float
        The share of rows at which ``lift_capacity`` is read.
    metrics : dict
        ``auc``, ``pr_auc``, ``log_loss`` (nats), ``brier``, ``calibration_error``, ``calibration_excess``
        (shares), ``lift_1pct``, ``lift_5pct``, ``lift_10pct``, ``lift_capacity`` (multiples of the base rate),
        ``empc`` (currency a row) and, where the worth of contacts was given, ``profit_capacity`` (currency a row).
    """

    rows: int
    customers: int
    leavers: int
    base_rate: float
    capacity_share: float
    metrics: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers; an undefined one is None."""
        told = {name: {"value": i.value, "low": i.low, "high": i.high} for name, i in self.metrics.items()}
        return {
            "rows": self.rows,
            "customers": self.customers,
            "leavers": self.leavers,
            "base_rate": self.base_rate,
            "capacity_share": self.capacity_share,
            "metrics": {
                name: {part: number if np.isfinite(number) else None for part, number in parts.items()} for name, parts in told.items()
            },
        }


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    *,
    capacity_share: float,
    groups: ArrayLike | None = None,
    worth: tuple[ArrayLike, ArrayLike] | None = None,
    resamples: int = 300,
    seed: int = 7,
) -> Evaluation:
    """Judge probabilities against what happened.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) probabilities
    capacity_share : float
        Share of rows that can be contacted, in (0, 1].
    groups : (n,) array, optional
        Customer of each row; intervals resample customers.
    worth : pair of (n,) arrays, optional
        What contacting each row is worth in currency if it leaves, and if it stays (`metrics.contact_value` of 1 and of
        0). With it there is ``profit_capacity``: what the contacts earn that are expected to earn most, as many as
        capacity allows and none that is expected to lose, as currency a row.
    resamples, seed : int
        Of the bootstrap, and of the draws behind ``calibration_excess``.

    Raises
    ------
    ModelError
        Nobody left, or nobody stayed: there is nothing to tell apart.
    """
    outcome = np.asarray(y, dtype=np.float64)
    probability = np.asarray(p, dtype=np.float64)
    rows, leavers = outcome.size, int(outcome.sum())
    if leavers in (0, rows):
        raise ModelError(f"quality cannot be measured: {leavers} of {rows} rows left, and both leavers and stayers are needed.")
    measures = _measures(capacity_share)
    others = [np.asarray(part, dtype=np.float64) for part in worth or ()]

    def judge(y: Floats, p: Floats, *worth: Floats) -> Floats:
        judged = [measure(y, p) for measure in measures.values()]
        return np.array([*judged, _profit(y, p, *worth, share=capacity_share)] if worth else judged)

    values = judge(outcome, probability, *others)
    resampled = metrics.bootstrap(judge, outcome, probability, *others, groups=groups, resamples=resamples, seed=seed)
    names = [*measures, "profit_capacity"] if worth else list(measures)
    found = {name: Interval.of(values[k], resampled[:, k]) for k, name in enumerate(names)}
    error = names.index("calibration_error")
    perfect = metrics.perfect_calibration_error(probability, CALIBRATION_BINS, seed=seed)
    found["calibration_error"] = _centred_interval(values[error], resampled[:, error])
    found["calibration_excess"] = _lowered(found["calibration_error"], by=perfect)
    return Evaluation(
        rows=rows,
        customers=rows if groups is None else int(np.unique(np.asarray(groups)).size),
        leavers=leavers,
        base_rate=leavers / rows,
        capacity_share=capacity_share,
        metrics=found,
    )


def _measures(capacity_share: float) -> dict[str, Callable[[Floats, Floats], float]]:
    return {
        "auc": metrics.roc_auc,
        "pr_auc": metrics.average_precision,
        "log_loss": metrics.log_loss,
        "brier": metrics.brier_score,
        "calibration_error": partial(metrics.expected_calibration_error, bins=CALIBRATION_BINS),
        "lift_1pct": partial(metrics.lift_score, share=0.01),
        "lift_5pct": partial(metrics.lift_score, share=0.05),
        "lift_10pct": partial(metrics.lift_score, share=0.10),
        "lift_capacity": partial(metrics.lift_score, share=capacity_share),
        "empc": metrics.empc_score,
    }


def _profit(y: Floats, p: Floats, if_left: Floats, if_stayed: Floats, *, share: float) -> float:
    expected, earned = (chance * if_left + (1 - chance) * if_stayed for chance in (p, y))
    return metrics.expected_profit(np.where(expected > 0, earned, 0.0), expected, share)


def _centred_interval(value: float, resampled: Floats) -> Interval:
    """Interval of a metric that resampling inflates.

    Drawing rows again adds noise to every bin, so that resampled calibration errors lie above the one measured, often
    all of them. Moving them onto the measured value keeps their spread and takes that bias away.
    """
    spread = Interval.of(value, resampled - float(np.nanmean(resampled)) + value)
    return Interval(spread.value, max(spread.low, 0.0), spread.high)


def _lowered(interval: Interval, *, by: float) -> Interval:
    return Interval(interval.value - by, interval.low - by, interval.high - by)
