"""Fills each group's table with the Shapley values of its games, for every combination of its columns' states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Bins
from custvalue.trees.compiling import compiled
from custvalue.trees.fusing import Groups
from custvalue.trees.games import Games
from custvalue.trees.quadrature import integration_rules

MOST_STEPS = 8
"""Beyond so many changes of state over a column's bins a look-up by bin is faster than counting the changes passed."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Look-up tables, as flat arrays that one kernel reads.

    The entry of a row is ``Σ stride × state`` over the table's columns, added up from the changes of state that the row's bin
    has passed (``step_bin``, ``step_add``) or, where these are many, taken from ``by_bin``; sums wrap at 65,536.

    Attributes
    ----------
    start : ndarray of int64, (tables + 1,)
        Where each table's columns begin.
    entries : ndarray of int64, (tables,)
    place : ndarray of int64, (columns of all tables,)
        As places in ``Bins.columns``.
    step_start, step_bin, step_add : ndarray of int64, uint16, uint16
        Passing bin ``step_bin - 1`` adds ``step_add``.
    by_bin_start : ndarray of int64, (columns of all tables,)
        Where the column's look-up begins in ``by_bin``; -1 where steps are counted.
    by_bin : ndarray of uint16
    value_start : ndarray of int64, (tables,)
        Where the table's values begin: all entries of its first column, then those of the second, …
    value : ndarray of float32 or float64
        Shapley values, log-odds.
    """

    start: NDArray[np.int64]
    entries: NDArray[np.int64]
    place: NDArray[np.int64]
    step_start: NDArray[np.int64]
    step_bin: NDArray[np.uint16]
    step_add: NDArray[np.uint16]
    by_bin_start: NDArray[np.int64]
    by_bin: NDArray[np.uint16]
    value_start: NDArray[np.int64]
    value: NDArray[Any]


def fill_tables(games: Games, bins: Bins, groups: Groups, dtype: np.dtype[Any]) -> Tables:
    """Compute the tables of all groups in float64, and keep them as `dtype`."""
    order = np.argsort(groups.group, kind="stable")
    member_start = np.searchsorted(groups.group[order], np.arange(len(groups.count) + 1))
    entries = np.prod(groups.states, axis=1)
    start = np.cumsum(np.r_[0, groups.count])
    value_start = np.cumsum(np.r_[0, groups.count * entries])
    kept = np.arange(groups.place.shape[1]) < groups.count[:, None]
    place, label_start = groups.place[kept], groups.label_start[kept]
    stride = (np.cumprod(groups.states, axis=1) // groups.states)[kept]
    steps, by_bin = _count_steps(place, label_start, groups.label, bins.size)
    step_start, by_bin_start = np.cumsum(np.r_[0, steps]), np.where(by_bin > 0, np.cumsum(by_bin) - by_bin, -1)
    step_bin, step_add = np.empty(steps.sum(), np.uint16), np.empty(steps.sum(), np.uint16)
    looked_up = np.empty(by_bin.sum(), np.uint16)
    _write_steps(place, label_start, groups.label, bins.size, stride, step_start, step_bin, step_add, by_bin_start, looked_up)
    value = np.zeros(value_start[-1])
    _fill(
        member_start, order, start, entries, place, label_start, groups.label, groups.states[kept], stride,
        games.value, games.start, games.place, games.share, games.met_start, games.met, bins.size,
        *integration_rules(), value_start, value,
    )  # fmt: skip
    return Tables(
        start, entries, place, step_start, step_bin, step_add, by_bin_start, looked_up, value_start[:-1], value.astype(dtype, copy=False)
    )


@compiled
def _count_steps(
    place: NDArray[np.int64], label_start: NDArray[np.int64], label: NDArray[np.uint16], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    steps, by_bin = np.zeros(len(place), np.int64), np.zeros(len(place), np.int64)
    for column in range(len(place)):
        first, size = label_start[column], sizes[place[column]]
        for code in range(first + 1, first + size):
            steps[column] += label[code] != label[code - 1]
        if steps[column] > MOST_STEPS:
            steps[column], by_bin[column] = 0, size
    return steps, by_bin


@compiled
def _write_steps(
    place: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    stride: NDArray[np.int64],
    step_start: NDArray[np.int64],
    step_bin: NDArray[np.uint16],
    step_add: NDArray[np.uint16],
    by_bin_start: NDArray[np.int64],
    by_bin: NDArray[np.uint16],
) -> None:
    for column in range(len(place)):
        first, at = label_start[column], step_start[column]
        for code in range(sizes[place[column]]):
            if by_bin_start[column] >= 0:
                by_bin[by_bin_start[column] + code] = label[first + code] * stride[column]
            elif code > 0 and label[first + code] != label[first + code - 1]:
                step_bin[at] = code
                step_add[at] = ((np.int64(label[first + code]) - np.int64(label[first + code - 1])) * stride[column]) & 0xFFFF
                at += 1


@compiled
def _fill(
    member_start: NDArray[np.int64],
    member: NDArray[np.int64],
    start: NDArray[np.int64],
    entries: NDArray[np.int64],
    place: NDArray[np.int64],
    label_start: NDArray[np.int64],
    label: NDArray[np.uint16],
    states: NDArray[np.int64],
    stride: NDArray[np.int64],
    leaf_value: NDArray[np.float64],
    game_start: NDArray[np.int64],
    player_place: NDArray[np.int64],
    share: NDArray[np.float64],
    met_start: NDArray[np.int64],
    met: NDArray[np.bool_],
    sizes: NDArray[np.int64],
    point_start: NDArray[np.int64],
    point: NDArray[np.float64],
    weight: NDArray[np.float64],
    value_start: NDArray[np.int64],
    value: NDArray[np.float64],
) -> None:
    """Add each game's values to the entries of its group's table."""
    largest = np.int64(0)
    for table in range(len(entries)):
        largest = max(largest, entries[table])
    mask = np.empty(largest, np.int64)
    for table in range(len(entries)):
        size = entries[table]
        for game in member[member_start[table] : member_start[table + 1]]:
            first, players = game_start[game], game_start[game + 1] - game_start[game]
            worth = _worth(leaf_value[game], share[first : first + players], point_start[players], point, weight)
            mask[:size] = 0
            at = start[table]
            for player in range(players):
                while place[at] != player_place[first + player]:
                    at += 1
                step, latest = stride[at], -1
                for code in range(sizes[place[at]]):
                    state = np.int64(label[label_start[at] + code])
                    # The first bin of a state stands for the others.
                    if state > latest and met[met_start[first + player] + code]:
                        for base in range(state * step, size, step * states[at]):
                            for entry in range(base, base + step):
                                mask[entry] |= 1 << player
                    latest = max(latest, int(state))
            at = start[table]
            for player in range(players):
                while place[at] != player_place[first + player]:
                    at += 1
                to = value_start[table] + (at - start[table]) * size
                for entry in range(size):
                    value[to + entry] += worth[player, mask[entry]]


@compiled
def _worth(
    value: float, share: NDArray[np.float64], first: int, point: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute the Shapley values of one game for every set of met demands, (players, 2^players)."""
    players = len(share)
    worth = np.zeros((players, 1 << players))
    others = np.empty(1 << (players - 1))
    for player in range(players):
        for order in range(max(1, (players + 1) // 2)):
            t = point[first + order]
            others[0], size = value * weight[first + order], 1
            for other in range(players):
                if other != player:
                    left_open = (1.0 - t) * share[other]
                    for mask in range(size):
                        others[size + mask] = others[mask] * (t + left_open)
                        others[mask] *= left_open
                    size *= 2
            low = (1 << player) - 1
            for mask in range(size):
                spread = (mask & low) | ((mask & ~low) << 1)
                worth[player, spread] -= share[player] * others[mask]
                worth[player, spread | (1 << player)] += (1.0 - share[player]) * others[mask]
    return worth
