"""How strongly one column alone tells leavers from stayers, told with the doubt that few leavers leave."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALLEST_SIDE = 0.05


@dataclass(frozen=True)
class Sample:
    """Who left, and how many rows stand for one customer.

    Attributes
    ----------
    y : (n,) bool
    leaver_weight, stayer_weight : float
        Customers a row: rows of one customer in neighbouring snapshots are hardly news, so doubt is counted in customers.
    """

    y: NDArray[np.bool_]
    leaver_weight: float
    stayer_weight: float

    @classmethod
    def of(cls, y: NDArray[np.int8], customer: NDArray[np.object_]) -> Sample:
        """Weigh the rows of a frame."""
        left = y == 1
        leavers, stayers = (max(1, pd.unique(customer[part]).size) for part in (left, ~left))
        return cls(left, leavers / max(1, int(left.sum())), stayers / max(1, int((~left).sum())))


@dataclass(frozen=True)
class Split:
    """The sharpest division of a column in two.

    Attributes
    ----------
    words : str
        The side where leavers gather, such as ``≤ 3`` or ``= 'closed'``.
    rows, leavers : int
        On that side.
    odds_ratio, low : float
        Odds of leaving on that side over those on the other, and the lower end of its interval.
    """

    words: str
    rows: int
    leavers: int
    odds_ratio: float
    low: float


@dataclass(frozen=True)
class Association:
    """How well one column alone tells who leaves.

    Attributes
    ----------
    auc, auc_low : float
        Area under the ROC curve in the better direction, and the lower end of its interval.
    split : Split, optional
        None where no split leaves enough on both sides.
    """

    auc: float
    auc_low: float
    split: Split | None


def associate(values: pd.Series, sample: Sample, *, doubt: float) -> Association:
    """Measure one column against the outcome.

    Missing values count as a level of their own for a split, and as the lowest or the highest value for the AUC, whichever tells more.

    Parameters
    ----------
    values : Series
        (n,) numbers, or texts for categories.
    sample : Sample
        Who left.
    doubt : float
        Chance that an interval's lower end lies above the truth; divide it by the number of columns looked at.

    Notes
    -----
    Interval of the AUC: Hanley and McNeil, Radiology 143 (1982). Of the odds ratio: Woolf's, with 0.5 added to every count.
    """
    z = NormalDist().inv_cdf(1 - doubt)
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        auc = _auc_of_numbers(numbers, sample.y)
        split = _split_numbers(numbers, sample, z)
    else:
        codes, levels = pd.factorize(values.astype("object"), use_na_sentinel=True)
        auc = _auc_of_levels(codes, len(levels), sample.y)
        split = _split_levels(codes, levels, sample, z)
    return Association(auc, auc - z * _auc_error(auc, sample), split)


def wilson_low(hits: int, trials: int, *, doubt: float) -> float:
    """Lower end of Wilson's interval of a share; 0 without trials."""
    if not trials:
        return 0.0
    z = NormalDist().inv_cdf(1 - doubt)
    share = hits / trials
    middle = share + z * z / (2 * trials)
    return max(0.0, (middle - z * float(np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)))) / (1 + z * z / trials))


def _auc_error(auc: float, sample: Sample) -> float:
    leavers = max(1.0, sample.y.sum() * sample.leaver_weight)
    stayers = max(1.0, (~sample.y).sum() * sample.stayer_weight)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (leavers - 1) * (q1 - auc * auc) + (stayers - 1) * (q2 - auc * auc)) / (leavers * stayers)
    return float(np.sqrt(max(variance, 0.25 / leavers**2)))


def _auc_of_numbers(numbers: Floats, y: NDArray[np.bool_]) -> float:
    missing = np.isnan(numbers)
    there = numbers[~missing]
    if not there.size:
        return 0.5
    _, places = np.unique(there, return_inverse=True)
    found = 0.5
    for end in (-1, places.max() + 1) if missing.any() else (-1,):
        ranks = np.full(numbers.size, end)
        ranks[~missing] = places
        found = max(found, _better_way(ranks + 1, y))
    return found


def _auc_of_levels(codes: NDArray[np.intp], levels: int, y: NDArray[np.bool_]) -> float:
    """AUC of the levels' rates of leaving, each half of the rows judged by the rates of the other one."""
    half = np.arange(codes.size) % 2 == 0
    found = []
    for judged in (half, ~half):
        other = ~judged
        rows = np.bincount(codes[other] + 1, minlength=levels + 1)
        left = np.bincount(codes[other] + 1, weights=y[other], minlength=levels + 1)
        rates = (left + y.mean()) / (rows + 1)
        _, places = np.unique(rates[codes[judged] + 1], return_inverse=True)
        found.append(_better_way(places, y[judged]))
    return float(np.mean(found))


def _better_way(places: NDArray[np.intp], y: NDArray[np.bool_]) -> float:
    left = np.bincount(places[y], minlength=places.max() + 1).astype(float)
    stayed = np.bincount(places[~y], minlength=places.max() + 1).astype(float)
    if not left.sum() or not stayed.sum():
        return 0.5
    below = np.cumsum(stayed) - stayed
    auc = float((left * (below + stayed / 2)).sum() / (left.sum() * stayed.sum()))
    return max(auc, 1 - auc)


def _split_numbers(numbers: Floats, sample: Sample, z: float) -> Split | None:
    missing = np.isnan(numbers)
    values, places = np.unique(numbers[~missing], return_inverse=True)
    left = np.bincount(places[sample.y[~missing]], minlength=values.size)
    rows = np.bincount(places, minlength=values.size)
    below_left, below_rows = np.cumsum(left)[:-1], np.cumsum(rows)[:-1]
    sides = [
        (below_left, below_rows, "≤"),
        (left.sum() - below_left, rows.sum() - below_rows, ">"),
        (np.array([sample.y[missing].sum()]), np.array([missing.sum()]), "missing"),
        (np.array([sample.y[~missing].sum()]), np.array([(~missing).sum()]), "present"),
    ]
    best = None
    for side_left, side_rows, words in sides:
        found = _sharpest(side_left, side_rows, sample, z)
        if found and (best is None or found[1].low > best.low):
            place, split = found
            told = words if words in ("missing", "present") else f"{words} {values[place]:g}"
            best = Split(told, split.rows, split.leavers, split.odds_ratio, split.low)
    return best


def _split_levels(codes: NDArray[np.intp], levels: pd.Index, sample: Sample, z: float) -> Split | None:
    left = np.bincount(codes[sample.y] + 1, minlength=len(levels) + 1)
    rows = np.bincount(codes + 1, minlength=len(levels) + 1)
    words = ["missing", *(f"= {level!r}" for level in levels)]
    inside = _sharpest(left, rows, sample, z)
    outside = _sharpest(left.sum() - left, rows.sum() - rows, sample, z)
    found = [(place, split, sign) for (sign, pair) in (("", inside), ("not ", outside)) if pair for place, split in [pair]]
    if not found:
        return None
    place, split, sign = max(found, key=lambda item: item[1].low)
    return Split(sign + words[place], split.rows, split.leavers, split.odds_ratio, split.low)


def _sharpest(left: NDArray[np.intp], rows: NDArray[np.intp], sample: Sample, z: float) -> tuple[int, Split] | None:
    """The side with the highest lower bound among those that hold enough leavers and leave enough stayers outside."""
    leavers, everybody = int(sample.y.sum()), sample.y.size
    stayed = rows - left
    enough = (left >= _SMALLEST_SIDE * leavers) & (everybody - leavers - stayed >= _SMALLEST_SIDE * (everybody - leavers))
    if not enough.any():
        return None
    a, b = left * sample.leaver_weight + 0.5, (leavers - left) * sample.leaver_weight + 0.5
    c, d = stayed * sample.stayer_weight + 0.5, (everybody - leavers - stayed) * sample.stayer_weight + 0.5
    log_odds = np.log(a * d / (b * c))
    low = np.where(enough, log_odds - z * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d), -np.inf)
    place = int(np.argmax(low))
    return place, Split("", int(rows[place]), int(left[place]), float(np.exp(log_odds[place])), float(np.exp(low[place])))
