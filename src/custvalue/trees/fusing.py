"""Puts games together that one table can answer.

A game's values depend on a row only through which demands it meets. Games over the same few columns, of one tree or of
several, therefore share one table with an entry for each combination of their columns' states: one look-up instead of many. Two
bins of a column are in the same state where no demand of the games tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Bins
from custvalue.trees.compiling import compiled
from custvalue.trees.games import Games
from custvalue.trees.joining import join, join_runs


@dataclass(frozen=True, eq=False)
class Groups:
    """Games that share a table.

    Attributes
    ----------
    group : ndarray of int64, (games,)
        The group of each game.
    count : ndarray of int64, (groups,)
        Number of columns of each group.
    place : ndarray of int64, (groups, at most 16)
        The group's columns, as places in ``Bins.columns``, ascending.
    states : ndarray of int64, (groups, at most 16)
        Number of states of each of them.
    label_start : ndarray of int64, (groups, at most 16)
        Where the column's part of ``label`` begins.
    label : ndarray of uint16
        The state of each bin; bin 0 has state 0.
    """

    group: NDArray[np.int64]
    count: NDArray[np.int64]
    place: NDArray[np.int64]
    states: NDArray[np.int64]
    label_start: NDArray[np.int64]
    label: NDArray[np.uint16]


def fuse_games(games: Games, bins: Bins, tree: NDArray[np.int64], *, most_entries: int, chunk: int = 4096) -> Groups:
    """Put games together wherever that makes a row cheaper.

    Always the two groups whose union saves most are joined, until none does: first the leaves of each tree, then the groups of
    different trees.

    Parameters
    ----------
    games : Games
    bins : Bins
    tree : ndarray of int64, (games,)
        The tree of each leaf, ascending.
    most_entries : int
        Largest size of a table, in combinations of states.
    chunk : int
        So many groups of different trees are looked at together.
    """
    count, place, states, label_start, label = _single(games.start, games.place, games.met_start, games.met, bins.size)
    group = np.arange(len(games.value))
    edges = np.flatnonzero(np.diff(tree, prepend=-1, append=-1))
    state = (count, place, states, label_start, label, bins.size, most_entries)
    join_runs(edges, group, *state)
    heads = np.flatnonzero(group == np.arange(len(group)))
    for start in range(0, len(heads), chunk):
        join(heads[start : start + chunk], group, *state)
    while (group != group[group]).any():
        group = group[group]
    heads, number = np.unique(group, return_inverse=True)
    return Groups(number, count[heads], place[heads], states[heads], label_start[heads], label)


@compiled
def _single(
    start: NDArray[np.int64],
    player_place: NDArray[np.int64],
    met_start: NDArray[np.int64],
    met: NDArray[np.bool_],
    sizes: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint16]]:
    """Make a group of every game."""
    count = np.zeros(len(start) - 1, np.int64)
    place, label_start = np.zeros((len(count), 16), np.int64), np.zeros((len(count), 16), np.int64)
    states = np.ones((len(count), 16), np.int64)
    label = np.zeros(len(met), np.uint16)
    for group in range(len(count)):
        for player in range(start[group], start[group + 1]):
            at, column = count[group], player_place[player]
            place[group, at], label_start[group, at] = column, met_start[player]
            first = met[met_start[player]]
            for code in range(met_start[player], met_start[player] + sizes[column]):
                if met[code] != first:
                    label[code] = 1
                    states[group, at] = 2
            count[group] += 1
    return count, place, states, label_start, label
