"""Joins the groups of games whose common table saves a row most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.compiling import compiled

_MOST_STATES = 1 << 16
_MOST_COLUMNS = 16
_LOOKUP = 2.0
_ENTRY = 1 / 4096
"""What a table costs a row, in steps of one column: the look-up, one step a column, and for each column the way of its entries
through the cache, which the rows of a block share."""


@compiled
def join_runs(
    edges: NDArray[np.int64],
    group: NDArray[np.int64],
    count: NDArray[np.int64],
    place: NDArray[np.int64],
    states: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    most: int,
) -> None:
    """Join groups within each tree."""
    for run in range(len(edges) - 1):
        join(np.arange(edges[run], edges[run + 1]), group, count, place, states, label_start, label, sizes, most)


@compiled
def join(
    ids: NDArray[np.int64],
    group: NDArray[np.int64],
    count: NDArray[np.int64],
    place: NDArray[np.int64],
    states: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    most: int,
) -> None:
    """Join the best pair of groups again and again; ``group`` tells of one that is gone which it was joined to.

    The others are `Groups`, changed in place; rows of groups that are gone no longer mean anything.
    """
    seen, stamp = np.zeros(_MOST_STATES, np.int64), 1
    size = len(ids)
    best, gain, alive = np.full(size, -1), np.full(size, -1.0), np.ones(size, np.bool_)
    for one in range(size):
        for other in range(one):
            stamp = _weigh(one, other, ids, best, gain, count, place, states, label_start, label, sizes, most, seen, stamp)
    while True:
        one = int(np.argmax(gain)) if size else 0
        if not size or gain[one] <= 0:
            break
        partner = best[one]
        if alive[partner]:
            stamp = _unite(ids[one], ids[partner], count, place, states, label_start, label, sizes, seen, stamp)
            group[ids[partner]] = ids[one]
            alive[partner], gain[partner] = False, -1.0
            for other in range(size):
                if alive[other] and other != one and best[other] == one:
                    best[other] = partner  # its gain was that of an older union
        best[one], gain[one] = -1, -1.0
        for other in range(size):
            if alive[other] and other != one:
                stamp = _weigh(one, other, ids, best, gain, count, place, states, label_start, label, sizes, most, seen, stamp)


@compiled
def _weigh(
    one: int,
    other: int,
    ids: NDArray[np.int64],
    best: NDArray[np.int64],
    gain: NDArray[np.float64],
    count: NDArray[np.int64],
    place: NDArray[np.int64],
    states: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    most: int,
    seen: NDArray[np.int64],
    stamp: int,
) -> int:
    """Note a pair of groups where it saves more than the best pair that either of them has."""
    enough = max(0.0, min(gain[one], gain[other]))
    saved, stamp = _saving(ids[one], ids[other], enough, count, place, states, label_start, label, sizes, most, seen, stamp)
    if saved > gain[one]:
        best[one], gain[one] = other, saved
    if saved > gain[other]:
        best[other], gain[other] = one, saved
    return stamp


@compiled
def _saving(
    a: int,
    b: int,
    enough: float,
    count: NDArray[np.int64],
    place: NDArray[np.int64],
    states: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    most: int,
    seen: NDArray[np.int64],
    stamp: int,
) -> tuple[float, int]:
    """Tell what a row saves when two groups are one; -1 where that is no more than `enough`."""
    before, columns, entries = 0.0, count[a] + count[b], 1
    for one in (a, b):
        own = 1
        for at in range(count[one]):
            own *= states[one, at]
        before += _cost(count[one], own)
    # A first look with the least number of states that the union can have, which is cheap to tell.
    at, to = 0, 0
    while at < count[a] or to < count[b]:
        if to == count[b] or (at < count[a] and place[a, at] < place[b, to]):
            entries *= states[a, at]
            at += 1
        elif at == count[a] or place[b, to] < place[a, at]:
            entries *= states[b, to]
            to += 1
        else:
            entries *= max(states[a, at], states[b, to])
            columns -= 1
            at += 1
            to += 1
        if entries > most:
            return -1.0, stamp
    if columns > _MOST_COLUMNS or before - _cost(columns, entries) <= enough:
        return -1.0, stamp
    at, to = 0, 0
    while at < count[a] and to < count[b]:
        if place[a, at] < place[b, to]:
            at += 1
        elif place[b, to] < place[a, at]:
            to += 1
        else:
            least = max(states[a, at], states[b, to])
            if states[a, at] * states[b, to] > _MOST_STATES:
                return -1.0, stamp
            found = 0
            for code in range(sizes[place[a, at]]):
                pair = label[label_start[a, at] + code] * states[b, to] + label[label_start[b, to] + code]
                if seen[pair] != stamp:
                    seen[pair] = stamp
                    found += 1
            stamp += 1
            entries = entries // least * found
            if entries > most:
                return -1.0, stamp
            at += 1
            to += 1
    saved = before - _cost(columns, entries)
    return (saved if saved > enough else -1.0), stamp


@compiled
def _unite(
    a: int,
    b: int,
    count: NDArray[np.int64],
    place: NDArray[np.int64],
    states: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    seen: NDArray[np.int64],
    stamp: int,
) -> int:
    """Make group a the union of a and b; states are numbered anew in the order of the bins."""
    for to in range(count[b]):
        at = 0
        while at < count[a] and place[a, at] < place[b, to]:
            at += 1
        if at == count[a] or place[a, at] != place[b, to]:
            for other in range(count[a], at, -1):
                place[a, other], states[a, other], label_start[a, other] = (
                    place[a, other - 1],
                    states[a, other - 1],
                    label_start[a, other - 1],
                )
            place[a, at], states[a, at], label_start[a, at] = place[b, to], states[b, to], label_start[b, to]
            count[a] += 1
            continue
        found, base = 0, stamp
        stamp += _MOST_STATES
        for code in range(sizes[place[a, at]]):
            pair = label[label_start[a, at] + code] * states[b, to] + label[label_start[b, to] + code]
            if seen[pair] < base:
                seen[pair] = base + found
                found += 1
            label[label_start[a, at] + code] = seen[pair] - base
        states[a, at] = found
    return stamp


@compiled
def _cost(columns: int, entries: int) -> float:
    return _LOOKUP + columns * (1.0 + entries * _ENTRY)
