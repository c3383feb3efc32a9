"""What each unit of a short budget must earn."""

from __future__ import annotations

import numpy as np

from custvalue.retention.filling import Floats, Ints

_HALVINGS = 30
"""Enough to know the price of money to nine digits."""


def price_of_money(worth: Floats, cost: Floats, place: Ints, room: Ints, budget: float) -> float:
    """Give what a unit of the budget must earn tonight so that the lists cost no more than it: λ in ``net value - λ * cost``.

    Where money is short, customers are tried in that order: the budget goes where each unit of it earns most (the Lagrange multiplier of
    the budget; 0 where it suffices for all slots).

    Parameters
    ----------
    worth, cost : ndarray, shape (customers, offers)
        Expected net value, NaN where an offer is not open to the customer, and expected cost.
    place : ndarray, shape (customers,)
        The list competed for.
    room : ndarray, shape (lists,)
        Slots of each list.
    budget : float
        Currency.
    """
    low, high = 0.0, 0.0
    if _spending(worth, cost, place, room, low) <= budget:
        return low
    with np.errstate(divide="ignore", invalid="ignore"):
        yields = np.where((worth > 0) & (cost > 0), worth / cost, np.nan)
    most = np.nanmax(yields, axis=1, initial=0.0)
    high = float(most.max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        there = most > middle  # nobody else pays at this price
        if _spending(worth[there], cost[there], place[there], room, middle) > budget:
            low = middle
        else:
            high = middle
    return high


def _spending(worth: Floats, cost: Floats, place: Ints, room: Ints, price: float) -> float:
    """Add up what full lists cost at a price of money, offers in any number."""
    left = np.where(worth > 0, worth - price * cost, -np.inf)
    best = left.argmax(axis=1) if len(left) else np.zeros(0, dtype=np.int64)
    rows = np.arange(len(left))
    who = np.flatnonzero(left[rows, best] > 0)
    who = who[np.lexsort((-left[who, best[who]], place[who]))]
    first = np.searchsorted(place[who], place[who], side="left")
    listed = who[np.arange(len(who)) - first < room[place[who]]]
    return float(cost[listed, best[listed]].sum())
