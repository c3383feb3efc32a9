"""How many segments there are (as many as are found again in other halves of the customers), their centres, and who is nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import add

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SEGMENTS = 8
LEAST_AGREEMENT = 0.85
LEAST_RECOVERY = 0.75
LEAST_SHARE = 0.03
MOST_BETWEEN = 1.0
LEAST_CUSTOMERS = 50
"""Customers that each segment needs on average in each half before it is looked for."""

_SPLITS, _STARTS = 10, 10
_COMPARED = 10_000
_NEAR = 0.15
"""Share of the way between two centres that counts as near a centre, or as near the middle."""

_DECIMALS = 6
_STEPS, _DIGITS = 1_000_000, 12
"""Squared distances are compared in millionths, so that engines that differ in the last digit agree."""


@dataclass(frozen=True)
class Candidate:
    """What was found for one number of segments.

    Attributes
    ----------
    segments : int
        Their number.
    agreement : float
        Adjusted Rand index between what two halves of the customers, drawn at random and clustered apart, say of all; mean of ten draws.
    recovery : float
        Of the segment that is found again worst: Jaccard overlap with the segment of a half that is most like it, mean of the draws.
    smallest : float
        Share of the smallest segment.
    between : float
        Of the two segments that are parted worst: how many of their customers lie near the middle of the way from centre to centre, over
        how many lie near the centre that has fewer around it. Two standard errors of the difference are added to those in the middle, so
        few customers prove little. One crowd cut in two has 1 or more, however stable the cut is.
    """

    segments: int
    agreement: float
    recovery: float
    smallest: float
    between: float

    @property
    def stable(self) -> bool:
        """Whether all four hold: agreement ≥ 0.85, recovery ≥ 0.75, smallest ≥ 3 %, between < 1."""
        found_again = self.agreement >= LEAST_AGREEMENT and self.recovery >= LEAST_RECOVERY
        return found_again and self.smallest >= LEAST_SHARE and self.between < MOST_BETWEEN


def compare_numbers(values: Floats, *, seed: int) -> tuple[Candidate, ...]:
    """Cluster for every number of segments from 2 to 8 that the customers suffice for.

    Stability alone is no proof of segments: a stretched cloud is cut at the same place every time. So there must also be fewer customers
    between any two segments than around their centres. The recovery is Hennig's (2007) clusterwise Jaccard, whose limit of 0.75 it takes.

    Parameters
    ----------
    values : (n, m) float64
        Scaled values, one row a customer, in no order; the first 10,000 are compared.
    seed : int
        Of draws and starts.
    """
    some = values[:_COMPARED]
    most = min(MOST_SEGMENTS, len(some) // (2 * LEAST_CUSTOMERS))
    if most < 2 or some.shape[1] == 0:
        return ()
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(some)) for _ in range(_SPLITS)]
    with threadpool_limits(1):  # threads add up in no fixed order
        return tuple(_candidate(number, some, orders, seed) for number in range(2, most + 1))


def choose_number(candidates: Sequence[Candidate]) -> int:
    """Take the largest number whose segments are stable; 1 where none are."""
    return max((candidate.segments for candidate in candidates if candidate.stable), default=1)


def find_centroids(values: Floats, number: int, *, seed: int) -> tuple[Floats, Ints]:
    """Find centroids by k-means, largest segment first, and the segment of each row.

    A Gaussian mixture is no better here: its segments overlap where shares are skewed, and a rule that a manager can follow, the nearest
    centre, is one expression on every engine.

    Returns
    -------
    centroids : (number, m) float64
        Rounded to six decimals, so that the same customers give the same text.
    segment : (n,) int64
        Row of the nearest centroid.
    """
    if number == 1:
        return values.mean(axis=0, keepdims=True).round(_DECIMALS), np.zeros(len(values), dtype=np.int64)
    with threadpool_limits(1):
        fitted = _clustered(values, number, seed)
    order = np.lexsort((*fitted.cluster_centers_.T[::-1], -np.bincount(fitted.labels_, minlength=number)))
    place = np.argsort(order)
    return fitted.cluster_centers_[order].round(_DECIMALS) + 0.0, place[fitted.labels_].astype(np.int64)


def nearest(values: ir.Table, names: Sequence[str], centres: Mapping[str, Sequence[float]]) -> ir.Table:
    """Give ``customer_id`` and ``segment``: the code of the nearest centre; of two at the same distance the first by alphabet.

    Parameters
    ----------
    values : ibis.Table
        ``customer_id`` and scaled values, none null.
    names : sequence of str
        Columns, in the order of the centres' numbers.
    centres : mapping of str to sequence of float
        Code → centre.
    """
    distances = values.select(
        "customer_id", **{code: _distance([values[name] for name in names], centre) for code, centre in centres.items()}
    )
    # digits of one length before the code: the least text is the nearest segment
    keys = [distances[code].cast("string").lpad(_DIGITS, "0") + ibis.literal(code) for code in centres]
    return distances.select("customer_id", segment=ibis.least(*keys).substr(_DIGITS))


def _distance(values: Sequence[ir.FloatingValue], centre: Sequence[float]) -> ir.IntegerValue:
    squares = [(value - at) * (value - at) for value, at in zip(values, centre, strict=True)]
    return (reduce(add, squares) * _STEPS).round().cast("int64")


def _candidate(number: int, values: Floats, orders: Sequence[Ints], seed: int) -> Candidate:
    fitted = _clustered(values, number, seed)
    agreements, recoveries = [], []
    for place, order in enumerate(orders):
        halves = np.array_split(values[order], 2)
        one, other = (_clustered(half, number, seed + 2 * place + side).predict(values) for side, half in enumerate(halves))
        agreements.append(adjusted_rand_score(one, other))
        recoveries += [_overlap(fitted.labels_, labels) for labels in (one, other)]
    pairs = combinations(range(number), 2)
    return Candidate(
        segments=number,
        agreement=round(float(np.mean(agreements)), 4),
        recovery=round(float(np.mean(recoveries, axis=0).min()), 4),
        smallest=round(float(np.bincount(fitted.labels_, minlength=number).min()) / len(values), 4),
        between=round(max(_between(values, fitted.labels_, fitted.cluster_centers_, pair) for pair in pairs), 4),
    )


def _clustered(values: Floats, number: int, seed: int) -> KMeans:
    return KMeans(number, n_init=_STARTS, random_state=seed).fit(values)


def _overlap(segment: Ints, again: Ints) -> Floats:
    """Jaccard overlap of each segment with the one of the other clustering that is most like it."""
    both = contingency_matrix(segment, again).astype(np.float64)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    overlap: Floats = (both / either).max(axis=1)
    return overlap


def _between(values: Floats, segment: Ints, centres: Floats, pair: tuple[int, int]) -> float:
    """Compare the middle of the way between two centres with the emptier of its ends; see `Candidate.between`."""
    start, end = centres[list(pair)]
    way = end - start
    along = (values[np.isin(segment, pair)] - start) @ way / (way @ way)
    first, middle, last = (int((np.abs(along - place) < _NEAR).sum()) for place in (0.0, 0.5, 1.0))
    end = max(min(first, last), 1)
    return float((middle + 2 * np.sqrt(middle + end)) / end)
