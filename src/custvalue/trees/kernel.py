"""Adds up a block of rows: the leaf of every tree, the entry of every table, and the games that are too wide for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Codes
from custvalue.trees.compiling import compiled
from custvalue.trees.moves import TOGETHER

_CHUNK = 128
"""Rows of a wide game that are integrated together, so that their products stay in the nearest cache."""
_MOST_KNOWN = 20
"""A game of more players is integrated for every row by itself."""


@compiled
def add_trees(
    codes: Codes,
    leaves: Codes,
    start: NDArray[np.int64],
    place: NDArray[np.int64],
    low: NDArray[np.int64],
    width: NDArray[np.int64],
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    by_bin_start: NDArray[np.int64],
    by_bin: NDArray[np.bool_],
    leaf_start: NDArray[np.int64],
    leaf_value: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Add the trees' values to ``total``, (rows,), tree after tree; ``codes`` holds the bins, the others are `Moves`.

    ``leaves``, (`TOGETHER`, rows), is room to work in.
    """
    a, b, c, d = leaves
    for first in range(0, len(leaf_start), TOGETHER):
        leaves[:] = 0
        for tree in range(TOGETHER):
            for move in range(start[first + tree], start[first + tree + 1]):
                answers = by_bin[by_bin_start[move] :] if by_bin_start[move] >= 0 else by_bin[:0]
                _move(codes[place[move]], low[move], width[move], answers, source[move], target[move], leaves[tree])
        values_a, values_b = leaf_value[leaf_start[first] :], leaf_value[leaf_start[first + 1] :]
        values_c, values_d = leaf_value[leaf_start[first + 2] :], leaf_value[leaf_start[first + 3] :]
        for row in range(len(total)):
            total[row] = (((total[row] + values_a[a[row]]) + values_b[b[row]]) + values_c[c[row]]) + values_d[d[row]]


@compiled
def _move(code: Codes, low: int, width: int, by_bin: NDArray[np.bool_], source: int, target: int, leaf: Codes) -> None:
    """Move the rows that stand at `source`, and whose bin is looked up as moving or, without a look-up, lies in the run."""
    here, there = leaf.dtype.type(source), leaf.dtype.type(target)
    if len(by_bin):
        for row in range(len(leaf)):
            leaf[row] = there if (leaf[row] == here) & by_bin[code[row]] else leaf[row]
    else:
        lowest, widest = code.dtype.type(low), code.dtype.type(width)
        for row in range(len(leaf)):
            inside = code.dtype.type(code[row] - lowest) <= widest  # what is below the run wraps, and is above it
            leaf[row] = there if (leaf[row] == here) & inside else leaf[row]


@compiled
def add_tables(
    codes: Codes,
    start: NDArray[np.int64],
    entries: NDArray[np.int64],
    place: NDArray[np.int64],
    step_start: NDArray[np.int64],
    step_bin: NDArray[np.uint16],
    step_add: NDArray[np.uint16],
    by_bin_start: NDArray[np.int64],
    by_bin: NDArray[np.uint16],
    value_start: NDArray[np.int64],
    value: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Add the tables' values to ``total``, (used columns, rows); ``codes`` holds the bins, the others are `Tables`."""
    rows = codes.shape[1]
    entry = np.empty(rows, np.uint16)
    for table in range(len(entries)):
        entry[:] = 0
        for column in range(start[table], start[table + 1]):
            code = codes[place[column]]
            if by_bin_start[column] >= 0:
                looked_up = by_bin[by_bin_start[column] :]
                for row in range(rows):
                    entry[row] += looked_up[code[row]]
            for step in range(step_start[column], step_start[column + 1]):
                bound, add = step_bin[step], step_add[step]
                for row in range(rows):
                    entry[row] += add if code[row] >= bound else np.uint16(0)
        at, size = value_start[table], entries[table]
        for column in range(start[table], start[table + 1]):
            values, sums = value[at : at + size], total[place[column]]
            for row in range(rows):
                sums[row] += values[entry[row]]
            at += size


@compiled
def add_games(
    codes: Codes,
    sizes: NDArray[np.int64],
    point_start: NDArray[np.int64],
    point: NDArray[np.float64],
    weight: NDArray[np.float64],
    value: NDArray[np.float64],
    start: NDArray[np.int64],
    place: NDArray[np.int64],
    share: NDArray[np.float64],
    met_start: NDArray[np.int64],
    met: NDArray[np.bool_],
    total: NDArray[np.float64],
) -> None:
    """Add the Shapley values of `Games` to ``total``, (used columns, rows).

    Rows that meet the same demands of a game have the same values, which are integrated once.
    """
    rows, most = codes.shape[1], (start[1:] - start[:-1]).max()
    mask, first_row, like = np.empty(rows, np.uint64), np.empty(rows, np.int64), np.empty(rows, np.int64)
    known = np.full(1 << min(most, _MOST_KNOWN), -1)
    worth = np.empty((most, rows))
    for game in range(len(value)):
        first, players = start[game], start[game + 1] - start[game]
        mask[:] = 0
        for player in range(first, first + players):
            code, meets = codes[place[player]], met[met_start[player] : met_start[player] + sizes[place[player]]]
            bit = np.uint64(1 << (player - first))
            for step in range(len(meets)):
                if meets[step] != (step > 0 and meets[step - 1]):
                    for row in range(rows):
                        mask[row] ^= bit if code[row] >= step else np.uint64(0)
        kinds = 0
        for row in range(rows):
            like[row] = known[mask[row]] if players <= _MOST_KNOWN else -1
            if like[row] < 0:
                first_row[kinds] = row
                like[row] = kinds
                if players <= _MOST_KNOWN:
                    known[mask[row]] = kinds
                kinds += 1
        for kind in range(kinds):
            if players <= _MOST_KNOWN:
                known[mask[first_row[kind]]] = -1
        _integrate(
            mask, first_row[:kinds], value[game], share[first : first + players],
            point[point_start[players] : point_start[players + 1]], weight[point_start[players] : point_start[players + 1]], worth,
        )  # fmt: skip
        for player in range(players):
            values, sums = worth[player], total[place[first + player]]
            for row in range(rows):
                sums[row] += values[like[row]]


@compiled
def _integrate(
    mask: NDArray[np.uint64],
    chosen: NDArray[np.int64],
    value: float,
    share: NDArray[np.float64],
    point: NDArray[np.float64],
    weight: NDArray[np.float64],
    worth: NDArray[np.float64],
) -> None:
    """Compute one game's Shapley values for the chosen rows' masks of met demands."""
    players = len(share)
    hit, before, gain = np.empty((players, _CHUNK)), np.empty((players, _CHUNK)), np.empty((players, _CHUNK))
    after = np.empty(_CHUNK)
    for base in range(0, len(chosen), _CHUNK):
        rows = min(_CHUNK, len(chosen) - base)
        gain[:] = 0.0
        for player in range(players):
            for row in range(rows):
                hit[player, row] = (mask[chosen[base + row]] >> player) & 1
        for order in range(len(point)):
            t = point[order]
            after[:] = value * weight[order]
            for player in range(players):
                left_open = (1.0 - t) * share[player]
                for row in range(rows):
                    before[player, row] = after[row]
                    after[row] *= left_open + t * hit[player, row]
            after[:] = 1.0
            for player in range(players - 1, -1, -1):
                left_open = (1.0 - t) * share[player]
                for row in range(rows):
                    gain[player, row] += before[player, row] * after[row]
                    after[row] *= left_open + t * hit[player, row]
        for player in range(players):
            for row in range(rows):
                worth[player, base + row] = gain[player, row] * (hit[player, row] - share[player])
