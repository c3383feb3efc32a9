"""The population stability index with its noise: how far two samples lie apart, and how far two of one population would.

PSI = Σ (p − q)·ln(p / q) over the bins. Where nothing drifted, and with n and m independent rows in k bins, it is about
(1/n + 1/m)·χ² with k − 1 degrees of freedom (Yurdakul 2018, "Statistical properties of the population stability index"): a small sample
shows a large PSI by chance, and the usual limits of 0.1 and 0.25, which know nothing of n, raise false alarms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custvalue.metrics import Floats
from custvalue.monitoring.scores import Counts

LEAST_IN_BIN = 20
"""Bins in which fewer customers are to be expected are joined, so that the χ² approximation holds."""

_HALF = 0.5
"""Added to every bin's count: a bin that is empty on one side would make the index infinite."""


@dataclass(frozen=True)
class Stability:
    """How far two samples lie apart.

    Attributes
    ----------
    psi : float
        The index over the bins that were left.
    noise, noise_sd : float
        Mean and standard deviation of the index where nothing drifted.
    p_value : float
        Chance of so large an index where nothing drifted; 1 where there was too little to compare.
    bins : int
        Bins that were compared.
    """

    psi: float
    noise: float
    noise_sd: float
    p_value: float
    bins: int

    @property
    def excess(self) -> float:
        """The index above its noise, never below 0: the size of a drift, whatever the number of customers."""
        return max(self.psi - self.noise, 0.0)


def stability(now: ArrayLike, before: ArrayLike, *, ordered: bool = True, independent: int | None = None) -> Stability:
    """Compare two samples that were counted in the same bins.

    Parameters
    ----------
    now, before : (k,) counts
    ordered : bool
        Bins have neighbours, with which small ones are joined; of categories all small ones are joined together.
    independent : int, optional
        Different customers behind `before`, where some have several rows; noise is reckoned from them.

    Returns
    -------
    Stability
        With a `psi` of 0 and a `p_value` of 1 where fewer than two bins are large enough.
    """
    from scipy.stats import chi2

    counts = np.stack([np.asarray(now, dtype=np.int64), np.asarray(before, dtype=np.int64)])
    rows = counts.sum(axis=1)
    n, m = float(rows[0]), float(rows[1] if independent is None else min(independent, int(rows[1])))
    if min(n, m) < LEAST_IN_BIN:
        return Stability(0.0, 0.0, 0.0, 1.0, 0)
    # what the smaller sample is to hold of each bin, were both of one population
    expected = (counts / rows[:, None]).mean(axis=0) * min(n, m)
    group = _join_neighbours(expected) if ordered else _join_small(expected)
    joined = np.stack([np.bincount(group, weights=part) for part in counts])
    bins = joined.shape[1]
    if bins < 2:
        return Stability(0.0, 0.0, 0.0, 1.0, bins)
    share = (joined + _HALF) / (rows[:, None] + _HALF * bins)
    index = float(((share[0] - share[1]) * np.log(share[0] / share[1])).sum())
    unit = 1 / n + 1 / m
    return Stability(index, (bins - 1) * unit, float(np.sqrt(2 * (bins - 1))) * unit, float(chi2.sf(index / unit, bins - 1)), bins)


def discoveries(p_values: Sequence[float], level: float) -> NDArray[np.bool_]:
    """Tell which of many tests to believe, so that of those believed a share of at most ``level`` is false on average.

    Benjamini and Hochberg (1995); with one test it is a test at that level, and where nothing drifted at all the chance of
    believing any test is the level.
    """
    p = np.asarray(p_values, dtype=np.float64)
    believed = np.zeros(p.size, dtype=np.bool_)
    order = np.argsort(p, kind="stable")
    passed = np.flatnonzero(p[order] <= level * np.arange(1, p.size + 1) / max(p.size, 1))
    if passed.size:
        believed[order[: passed[-1] + 1]] = True
    return believed


def share_p_value(now: int, rows_now: float, before: int, rows_before: float) -> float:
    """Chance of so large a difference between two shares where they are the same: a two-sided z-test, (0, 1]."""
    from scipy.stats import norm

    pooled = (now + before) / (rows_now + rows_before)
    sd = np.sqrt(pooled * (1 - pooled) * (1 / rows_now + 1 / rows_before))
    return 1.0 if sd == 0 else float(2 * norm.sf(abs(now / rows_now - before / rows_before) / sd))


def merge_counts(scores: Counts, group: NDArray[np.intp]) -> Counts:
    """Add up the counts of score bins by group."""
    return np.bincount(group, weights=scores).astype(np.int64)


def _join_neighbours(expected: Floats) -> NDArray[np.intp]:
    group = np.zeros(expected.size, dtype=np.intp)
    held, place = 0.0, 0
    for bin_, count in enumerate(expected):
        if held >= LEAST_IN_BIN:
            held, place = 0.0, place + 1
        group[bin_] = place
        held += count
    if held < LEAST_IN_BIN and place:  # the last group is too small: it joins the one before
        group[group == place] = place - 1
    return group


def _join_small(expected: Floats) -> NDArray[np.intp]:
    small = expected < LEAST_IN_BIN
    if small.any() and expected[small].sum() < LEAST_IN_BIN and (~small).any():
        small[np.where(small, np.inf, expected).argmin()] = True  # together they are still too few: the smallest large one joins them
    return np.unique(np.where(small, -1, np.arange(expected.size)), return_inverse=True)[1]
