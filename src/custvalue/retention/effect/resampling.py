"""Bootstrap of a studentised difference, from sums by unit: a resample costs one count of each unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue.metrics import Floats
from custvalue.retention.effect.design import Design, Integers

_AT_ONCE = 300_000
"""Draws held at a time: few enough to stay in a processor's cache."""


def studentised(design: Design, outcome: npt.ArrayLike, before: npt.ArrayLike, value: float, *, resamples: int, seed: int) -> Floats:
    """Draw units again within stratum and arm, and give (difference − value) / error of each resample.

    Parameters
    ----------
    design : Design
    outcome, before : (n,) arrays
        As in `adjusted_difference`; θ is found anew in each resample.
    value : float
        The adjusted difference of the customers as they are.
    resamples, seed : int
    """
    size, now, then = np.bincount(design.pair).astype(np.float64), design.sums(outcome), design.sums(before)
    products = np.column_stack([size, now, then, size**2, size * now, size * then, now**2, now * then, then**2])
    # a unit that lies in several cells is drawn with the first
    home = np.full(int(design.pair_unit.max()) + 1, -1)
    home[design.pair_unit[::-1]] = design.pair_cell[::-1]
    random, found = np.random.default_rng(seed), []
    batch = max(1, _AT_ONCE // home.size)
    for start in range(0, resamples, batch):
        times = _draw(home, min(batch, resamples - start), random)
        cells = [times[:, design.pair_unit[own]] @ products[own] for own in _by_cell(design)]
        found.append(_ratios(np.stack(cells, axis=1), design, value))
    ratios = np.concatenate(found)
    return np.asarray(ratios[np.isfinite(ratios)])


def _by_cell(design: Design) -> list[Integers]:
    return [np.flatnonzero(design.pair_cell == cell) for cell in range(design.weight.size)]


def _draw(home: Integers, resamples: int, random: np.random.Generator) -> Floats:
    """Count how often each unit is drawn: (resamples, units)."""
    times = np.empty((resamples, home.size))
    for cell in np.unique(home):
        own = np.flatnonzero(home == cell)
        drawn = random.integers(own.size, size=(resamples, own.size), dtype=np.int32) + own.size * np.arange(resamples)[:, None]
        times[:, own] = np.bincount(drawn.ravel(), minlength=resamples * own.size).reshape(resamples, own.size)
    return times


def _ratios(sums: npt.NDArray[np.float64], design: Design, value: float) -> Floats:
    """Reckon each resample's studentised difference from the cells' sums of products: (resamples, cells, 9)."""
    size, now, then, size2, size_now, size_then, now2, now_then, then2 = np.moveaxis(sums, 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, earlier = now / size, then / size
        scale = (design.weight / size) ** 2 * design.units / (design.units - 1)
        spread = now2 - 2 * mean * size_now + mean**2 * size2
        common = now_then - mean * size_then - earlier * size_now + mean * earlier * size2
        before = then2 - 2 * earlier * size_then + earlier**2 * size2
        whole = before.sum(axis=1, keepdims=True)
        theta = np.divide(common.sum(axis=1, keepdims=True), whole, out=np.zeros_like(whole), where=whole > 0)
        difference = (design.weight * (mean - theta * earlier)).sum(axis=1)
        return np.asarray((difference - value) / np.sqrt((scale * (spread - 2 * theta * common + theta**2 * before)).sum(axis=1)))
