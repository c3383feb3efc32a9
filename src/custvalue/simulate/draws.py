"""Luck with a fixed number of values a customer and month, so that it stays the customer's own whatever happens to the others."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from custvalue.simulate.timeline import Floats, Ints, Streams

_MANY = 30.0


def uniforms(streams: Streams, purpose: str, month: int | None, n: int, width: int = 1) -> Floats:
    """Uniform numbers in (0, 1), shape (width, n).

    A customer's numbers depend on the customer's position alone, so that those who join later change nobody's luck.
    """
    drawn: Floats = streams(purpose, month).random((n, width)).T
    return np.maximum(drawn, np.finfo(np.float64).tiny)


def normals(streams: Streams, purpose: str, month: int | None, n: int, width: int = 1) -> Floats:
    """Standard normal numbers, shape (width, n), with the same promise as `uniforms`."""
    drawn: Floats = streams(purpose, month).standard_normal((n, width), dtype=np.float32).T
    return drawn


def uniforms_by_month(streams: Streams, purpose: str, months: Ints, width: int = 1) -> Floats:
    """Uniform numbers for things that happened, shape (width, things): those of a month come from that month's own stream, in order.

    What happens in later months thus leaves the luck of earlier ones as it is.

    Parameters
    ----------
    months : array of int
        Month of each thing.
    """
    drawn = np.empty((width, len(months)))
    for month in np.unique(months):
        now = np.flatnonzero(months == month)
        drawn[:, now] = uniforms(streams, purpose, int(month), len(now), width)
    return drawn


def poisson(luck: Floats, rate: Floats) -> Ints:
    """Poisson counts by the inverse of the distribution; above a mean of 30 by its normal approximation.

    Parameters
    ----------
    luck : array of float
        Uniform numbers in (0, 1).
    rate : array of float, same shape
        Means, 0 or more.
    """
    counts = np.zeros(luck.shape, dtype=np.int64)
    large = rate > _MANY
    counts[large] = np.maximum(np.rint(rate[large] + np.sqrt(rate[large]) * ndtri(luck[large])), 0).astype(np.int64)
    left = np.flatnonzero(~large & (luck > np.exp(-np.minimum(rate, _MANY))))
    term = np.exp(-rate.ravel()[left])
    below = term.copy()
    step = 0
    while len(left):
        step += 1
        term = term * rate.ravel()[left] / step
        below = below + term
        # Rounding may keep the sum of all terms a hair below 1; a term of nothing ends the search.
        more = (luck.ravel()[left] > below) & (term > 0)
        counts.ravel()[left] = step
        left, term, below = left[more], term[more], below[more]
    return counts


def among(luck: Floats, shares: tuple[float, ...]) -> Ints:
    """Positions drawn by their shares (which need not sum to 1)."""
    edges = np.cumsum(shares) / sum(shares)
    chosen: Ints = np.minimum(np.searchsorted(edges, luck, side="right"), len(shares) - 1)
    return chosen
