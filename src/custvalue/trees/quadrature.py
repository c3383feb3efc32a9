"""Integrates games exactly: a Shapley value is its player's mean gain when everybody else joins with probability t, over t from 0 to 1."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

MOST_PLAYERS = 64


@cache
def integration_rules() -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre points and weights on [0, 1] for games of up to `MOST_PLAYERS` players.

    The gain (Owen, 1972, Multilinear extensions of games) is a polynomial of degree players - 1, which half as many points
    integrate exactly, and its terms have one sign, so that no digits cancel.

    Returns
    -------
    start, point, weight : ndarray
        Points of a game of n players are those from ``start[n]`` up to ``start[n + 1]``.
    """
    orders = [max(1, (players + 1) // 2) for players in range(MOST_PLAYERS + 1)]
    rules = [np.polynomial.legendre.leggauss(order) for order in orders]
    start = np.cumsum([0, *orders], dtype=np.int64)
    return start, np.concatenate([(1 + point) / 2 for point, _ in rules]), np.concatenate([weight / 2 for _, weight in rules])
