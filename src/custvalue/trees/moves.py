"""Trees as moves: a row begins in the leftmost leaf of a tree, and every split on its way that sends it right moves it on.

The leaves of a tree are numbered from left to right. A split parts the leaves below it into those from ``source`` on and those from
``target`` on, so that a row which has come to the split stands at ``source``; no other row does. Whoever goes right moves to
``target``, and after the moves of all splits, parents first, every row stands at its leaf. A move asks each row the same question,
with no jump from node to node, so that a processor answers it for many rows at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custvalue.errors import ModelError
from custvalue.trees.bins import Bins, Splits
from custvalue.trees.compiling import compiled
from custvalue.trees.text import Forest

TOGETHER = 4
"""So many trees are added to a row's sum at a time; trees of one leaf of 0 fill the last such batch up, which changes no bit."""
_MOST_RUNS = 8
"""Beyond so many runs of bins that go right a look-up by bin is faster than a move for each."""
_MOST_LEAVES = 65_536


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves of all trees, one after another, as flat arrays that one kernel reads.

    Attributes
    ----------
    start : ndarray of int64, (trees + 1,)
        Where each tree's moves begin.
    place : ndarray of int64, (moves,)
        The column that is asked, as a place in ``Bins.columns``.
    low, width : ndarray of int64, (moves,)
        Bins from ``low`` to ``low + width`` move.
    source, target : ndarray of int64, (moves,)
        Leaf of the tree, counted from its leftmost.
    by_bin_start : ndarray of int64, (moves,)
        Where the column's answers begin in ``by_bin``; -1 where ``low`` and ``width`` answer.
    by_bin : ndarray of bool
        Whether a bin moves.
    leaf_start : ndarray of int64, (trees,)
        Where each tree's leaves begin.
    leaf_value : ndarray of float64
        Log-odds, from left to right.
    """

    start: NDArray[np.int64]
    place: NDArray[np.int64]
    low: NDArray[np.int64]
    width: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    by_bin_start: NDArray[np.int64]
    by_bin: NDArray[np.bool_]
    leaf_start: NDArray[np.int64]
    leaf_value: NDArray[np.float64]

    @property
    def most_leaves(self) -> int:
        """Leaves of the largest tree."""
        return int(self.target.max(initial=0)) + 1


def list_moves(forest: Forest, bins: Bins, splits: Splits) -> Moves:
    """Turn every split into its moves.

    Raises
    ------
    ModelError
        A tree has more than 65,536 leaves.
    """
    leaves = np.diff(forest.leaf_start)
    if leaves.max(initial=0) > _MOST_LEAVES:
        raise ModelError(f"a tree of the model has {leaves.max():,} leaves; at most {_MOST_LEAVES:,} can be predicted. Lower num_leaves.")
    source, target, in_order = _number_leaves(forest.node_start, forest.leaf_start, forest.children)
    node, low, high = _runs(splits)
    runs = np.bincount(node, minlength=len(source))
    looked_up = runs[node] > _MOST_RUNS
    kept = ~looked_up | (np.diff(node, prepend=-1) > 0)
    node, low, high, looked_up = node[kept], low[kept], high[kept], looked_up[kept]
    size = bins.size[splits.place[node[looked_up]]]
    by_bin_start = np.full(len(node), -1)
    by_bin_start[looked_up] = np.cumsum(size) - size
    bins_of = np.arange(size.sum()) + np.repeat(splits.start[node[looked_up]] - by_bin_start[looked_up], size)
    filling = -len(leaves) % TOGETHER
    start = np.searchsorted(node, np.append(forest.node_start, np.repeat(forest.node_start[-1], filling)))
    return Moves(
        start.astype(np.int64),
        splits.place[node],
        low - splits.start[node],
        high - low,
        source[node],
        target[node],
        by_bin_start,
        ~splits.left[bins_of],
        np.append(forest.leaf_start[:-1], np.repeat(forest.leaf_start[-1], filling)),
        np.append(forest.leaf_value[in_order], 0.0),
    )


def _runs(splits: Splits) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of bins that go right: their node, ascending, and first and last place in ``Splits.left``."""
    by_start = np.argsort(splits.start)
    begins = np.zeros(len(splits.left) + 1, bool)
    begins[splits.start], begins[-1] = True, True
    right = ~splits.left
    low = np.flatnonzero(right & (begins[:-1] | ~np.append(False, right[:-1])))
    high = np.flatnonzero(right & (begins[1:] | ~np.append(right[1:], False)))
    node = by_start[np.searchsorted(splits.start[by_start], low, side="right") - 1]
    order = np.argsort(node, kind="stable")
    return node[order], low[order], high[order]


@compiled
def _number_leaves(
    node_start: NDArray[np.int64], leaf_start: NDArray[np.int64], children: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give each node's source and target, and all leaves, tree by tree, from left to right."""
    below, source, target = np.zeros(len(children), np.int64), np.zeros(len(children), np.int64), np.zeros(len(children), np.int64)
    in_order = np.arange(leaf_start[-1])
    for tree in range(len(node_start) - 1):
        for node in range(node_start[tree + 1] - 1, node_start[tree] - 1, -1):
            for child in children[node]:
                below[node] += below[child] if child >= 0 else 1
        for node in range(node_start[tree], node_start[tree + 1]):
            left = children[node, 0]
            target[node] = source[node] + (below[left] if left >= 0 else 1)
            for side in range(2):
                child, first = children[node, side], target[node] if side else source[node]
                if child >= 0:
                    source[child] = first
                else:
                    in_order[leaf_start[tree] + first] = ~child
    return source, target, in_order
