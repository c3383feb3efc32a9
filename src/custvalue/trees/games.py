"""A leaf as a game: the columns on its path, what each of them demands, and how often training rows met it.

A row that meets the demands of the columns in a set S, the others left open, reaches the leaf with the weight
``value × Π_{j in S} met_j × Π_{j not in S} share_j``. A column that a path splits more than once makes one demand. Path-dependent
TreeSHAP (Lundberg et al., 2020, Algorithm 2) is the sum of the leaves' Shapley values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Bins, Splits
from custvalue.trees.compiling import compiled
from custvalue.trees.text import Forest


@dataclass(frozen=True, eq=False)
class Games:
    """The games of some trees' leaves; a player is a column of one leaf.

    Attributes
    ----------
    value : ndarray of float64, (games,)
        The leaf's log-odds.
    start : ndarray of int64, (games + 1,)
        Where each game's players begin; they stand in the order of the columns.
    place : ndarray of int64, (players,)
        The player's column, as a place in ``Bins.columns``.
    share : ndarray of float64, (players,)
        Share of the training rows that met the demand, of those that came to its splits.
    met_start : ndarray of int64, (players,)
        Where the player's part of ``met`` begins.
    met : ndarray of bool
        Whether a bin of the column meets the demand, bin by bin.
    """

    value: NDArray[np.float64]
    start: NDArray[np.int64]
    place: NDArray[np.int64]
    share: NDArray[np.float64]
    met_start: NDArray[np.int64]
    met: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Paths:
    """The way up from every node and leaf of a forest.

    Attributes
    ----------
    node, leaf : ndarray of int64, (nodes,) and (leaves,)
        Twice the parent node, plus one for a right child; -1 at a root.
    """

    node: NDArray[np.int64]
    leaf: NDArray[np.int64]


def trace_paths(forest: Forest) -> Paths:
    """Turn children into parents."""
    node, leaf = np.full(len(forest.children), -1), np.full(len(forest.leaf_value), -1)
    child, way = forest.children.ravel(), np.arange(forest.children.size)
    node[child[child >= 0]] = way[child >= 0]
    leaf[~child[child < 0]] = way[child < 0]
    return Paths(node, leaf)


def count_players(bins: Bins, splits: Splits, paths: Paths) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the players of each leaf of the forest, and the bins of their columns in all."""
    return _sizes(np.arange(len(paths.leaf)), paths.node, paths.leaf, splits.place, bins.size)


def leaf_games(forest: Forest, bins: Bins, splits: Splits, paths: Paths, leaves: NDArray[np.int64]) -> Games:
    """Give the games of some leaves, in their order."""
    size, width = _sizes(leaves, paths.node, paths.leaf, splits.place, bins.size)
    start = np.cumsum(np.r_[0, size])
    place, share = np.empty(start[-1], np.int64), np.empty(start[-1])
    met_start, met = np.empty(start[-1], np.int64), np.empty(width.sum(), np.bool_)
    _fill(
        leaves, paths.node, paths.leaf, splits.place, bins.size, forest.share.ravel(),
        splits.start, splits.left, start, place, share, met_start, met,
    )  # fmt: skip
    return Games(forest.leaf_value[leaves], start, place, share, met_start, met)


@compiled
def _sizes(
    leaves: NDArray[np.int64],
    node_way: NDArray[np.int64],
    leaf_way: NDArray[np.int64],
    node_place: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count each leaf's players, and their bins in all."""
    players, width = np.zeros(len(leaves), np.int64), np.zeros(len(leaves), np.int64)
    seen = np.full(len(sizes), -1)
    for game in range(len(leaves)):
        way = leaf_way[leaves[game]]
        while way >= 0:
            place = node_place[way >> 1]
            if seen[place] != game:
                seen[place] = game
                players[game] += 1
                width[game] += sizes[place]
            way = node_way[way >> 1]
    return players, width


@compiled
def _fill(
    leaves: NDArray[np.int64],
    node_way: NDArray[np.int64],
    leaf_way: NDArray[np.int64],
    node_place: NDArray[np.int64],
    sizes: NDArray[np.int64],
    node_share: NDArray[np.float64],
    left_start: NDArray[np.int64],
    left: NDArray[np.bool_],
    start: NDArray[np.int64],
    place: NDArray[np.int64],
    share: NDArray[np.float64],
    met_start: NDArray[np.int64],
    met: NDArray[np.bool_],
) -> None:
    """Write the players of every leaf."""
    used = 0
    for game in range(len(leaves)):
        first, count = start[game], 0
        way = leaf_way[leaves[game]]
        while way >= 0:
            node = way >> 1
            column = node_place[node]
            player = first + count
            while player > first and place[player - 1] >= column:
                player -= 1
            if player == first + count or place[player] != column:
                for other in range(first + count, player, -1):
                    place[other], share[other], met_start[other] = place[other - 1], share[other - 1], met_start[other - 1]
                place[player], share[player], met_start[player] = column, 1.0, used
                met[used : used + sizes[column]] = True
                used += sizes[column]
                count += 1
            share[player] *= node_share[way]
            for code in range(sizes[column]):
                met[met_start[player] + code] &= left[left_start[node] + code] != (way & 1)
            way = node_way[node]
