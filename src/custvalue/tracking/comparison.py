"""Two versions judged on the same rows and the same resampled customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue import metrics
from custvalue.churn.evaluation import Interval
from custvalue.churn.slices import LEAST_LEAVERS
from custvalue.metrics import Floats

RESAMPLES = 400
_SEED = 7
_SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Comparison:
    """A challenger against the champion; differences are challenger − champion unless said otherwise, with 95 % intervals.

    Attributes
    ----------
    rows, leavers : int
        Compared on.
    log_loss : Interval
        Relative increase of log loss.
    auc_drop : Interval
        Champion's AUC − challenger's.
    profit_drop : Interval, optional
        What the champion's contacts earn more, in money for all contacts at capacity; None where the value of customers is not known.
    champion_profit : float
        What the champion's contacts earn.
    overlap : float
        Share of the riskiest rows at capacity of the newest day that both have in common.
    slices : dict
        ``dimension value`` → relative increase of log loss, for slices with enough leavers and stayers.
    """

    rows: int
    leavers: int
    log_loss: Interval
    auc_drop: Interval
    profit_drop: Interval | None
    champion_profit: float
    overlap: float
    slices: Mapping[str, Interval]


def compare(
    rows: pd.DataFrame, slices: pd.DataFrame, *, challenger: str, champion: str, capacity_share: float, resamples: int = RESAMPLES
) -> Comparison:
    """Compare two columns of probabilities.

    Parameters
    ----------
    rows : DataFrame
        As in `JudgedRows`.
    slices : DataFrame
        One column a dimension, rows alike.
    challenger, champion : str
        Columns of `rows` with their probabilities.
    capacity_share : float
        In (0, 1].
    resamples : int
        Of the paired bootstrap, by customer.
    """
    y = rows["y"].to_numpy(dtype=np.float64)
    new, old = (rows[name].to_numpy(dtype=np.float64) for name in (challenger, champion))
    customer = pd.factorize(rows["customer"])[0]
    losses = np.column_stack([_losses(y, new), _losses(y, old)])
    masks = _judged_slices(y, slices)
    earned = _earned(rows, y, new, old, capacity_share)
    sums = np.column_stack([losses, *(losses * mask[:, None] for mask in masks.values()), *([] if earned is None else [earned])])
    by_customer = np.zeros((int(customer.max()) + 1, sums.shape[1]))
    np.add.at(by_customer, customer, sums)

    def auc_drop(times: NDArray[np.intp]) -> float:
        # rows already sorted: metrics.roc_auc sorts them again in next to no time
        new_auc, old_auc = (metrics.roc_auc(np.repeat(y[at], times[at]), np.repeat(p[at], times[at])) for p, at in ranked)
        return old_auc - new_auc

    ranked = [(p, np.argsort(p, kind="stable")) for p in (new, old)]
    random = np.random.default_rng(_SEED)
    totals, drops = [], []
    for _ in range(resamples):
        times = np.bincount(random.integers(len(by_customer), size=len(by_customer)), minlength=len(by_customer))
        totals.append(times @ by_customer)
        drops.append(auc_drop(times[customer]))
    measured, resampled = by_customer.sum(axis=0), np.array(totals, dtype=np.float64)

    def increase(place: int) -> Interval:
        return Interval.of(measured[place] / measured[place + 1] - 1, resampled[:, place] / resampled[:, place + 1] - 1)

    profit = None if earned is None else Interval.of(measured[-1] - measured[-2], resampled[:, -1] - resampled[:, -2])
    return Comparison(
        rows=y.size,
        leavers=int(y.sum()),
        log_loss=increase(0),
        auc_drop=Interval.of(auc_drop(np.ones(y.size, dtype=np.intp)), np.array(drops, dtype=np.float64)),
        profit_drop=profit,
        champion_profit=0.0 if earned is None else float(measured[-1]),
        overlap=_overlap(rows, new, old, capacity_share),
        slices={name: increase(2 + 2 * place) for place, name in enumerate(masks)},
    )


def _losses(y: Floats, p: Floats) -> Floats:
    clipped = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    return -np.where(y == 1, np.log(clipped), np.log1p(-clipped))


def _judged_slices(y: Floats, slices: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    masks = {}
    for dimension in slices.columns:
        values = slices[dimension].astype(object).where(slices[dimension].notna(), "unknown").astype(str)
        for value in sorted(values.unique()):
            mask = (values == value).to_numpy(dtype=bool)
            if min(y[mask].sum(), mask.sum() - y[mask].sum()) >= LEAST_LEAVERS:
                masks[f"{dimension} {value}"] = mask
    return masks


def _earned(rows: pd.DataFrame, y: Floats, new: Floats, old: Floats, capacity_share: float) -> Floats | None:
    """Give what each row earns if the challenger's list is called, and if the champion's is: two columns.

    Each list holds, a snapshot, the contacts with the highest expected worth under its model, as far as that lies above 0.
    """
    if "worth_left" not in rows.columns:
        return None
    left, stayed = rows["worth_left"].to_numpy(dtype=np.float64), rows["worth_stayed"].to_numpy(dtype=np.float64)
    outcome = np.where(y == 1, left, stayed)
    days = rows["snapshot"].to_numpy()
    found = []
    for p in (new, old):
        expected = p * left + (1 - p) * stayed
        chosen = np.zeros(y.size, dtype=bool)
        for day in np.unique(days):
            at = np.flatnonzero(days == day)
            chosen[at[_top(expected[at], capacity_share)]] = True
        found.append(np.where(chosen & (expected > 0), outcome, 0.0))
    return np.column_stack(found)


def _overlap(rows: pd.DataFrame, new: Floats, old: Floats, capacity_share: float) -> float:
    days = rows["snapshot"].to_numpy()
    at = np.flatnonzero(days == days.max())
    first, second = (set(_top(p[at], capacity_share).tolist()) for p in (new, old))
    return len(first & second) / len(first)


def _top(score: Floats, share: float) -> NDArray[np.intp]:
    taken = int(np.ceil(share * score.size - 1e-9))
    return np.argsort(-score, kind="stable")[:taken]
