"""A column's values as small codes: two values share a bin where no tree can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.errors import ModelError
from custvalue.trees.compiling import compiled
from custvalue.trees.text import CATEGORICAL, DEFAULT_LEFT, MISSING_IS_NAN, MISSING_IS_ZERO, Forest

ZERO = float(np.float32(1e-35))
"""LightGBM takes numbers no further from 0 than this for zero, where zero means missing."""
Codes = NDArray[np.unsignedinteger[Any]]
"""Bytes where they suffice, so that a processor holds many in a register; two bytes otherwise."""
_MOST = 65_535
_TOGETHER = 1_024


@dataclass(frozen=True, eq=False)
class Bins:
    """Codes of the columns that a forest splits; a column that no tree uses has no bins.

    Attributes
    ----------
    columns : ndarray of int64, (used,)
        Which of the booster's columns are used.
    size : ndarray of int64, (used,)
        Number of bins of each.
    is_category : ndarray of bool, (used,)
    bound_start : ndarray of int64, (used + 1,)
        Where each column's part of ``bounds`` or ``category_bin`` begins.
    bounds : ndarray of float64
        Of a number column: bin ``b`` ends with the ``b``-th bound, the last but one has no end, the last is NaN.
    category_bin : ndarray of int64
        Of a category column: the bin of category 0, 1, …; all others share the last bin.
    """

    columns: NDArray[np.int64]
    size: NDArray[np.int64]
    is_category: NDArray[np.bool_]
    bound_start: NDArray[np.int64]
    bounds: NDArray[np.float64]
    category_bin: NDArray[np.int64]

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """What holds the codes."""
        return smallest(int(self.size.max(initial=0)))

    def code(self, place: int, values: NDArray[np.float64], out: Codes) -> None:
        """Write the bins of one used column's values."""
        part = slice(self.bound_start[place], self.bound_start[place + 1])
        if self.is_category[place]:
            _code_categories(values, self.category_bin[part], self.size[place] - 1, out)
        else:
            _code_numbers(values, self.bounds[part], out)


def smallest(count: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Give the type that tells so many things apart."""
    return np.dtype(np.uint8 if count <= 1 << 8 else np.uint16)


@dataclass(frozen=True, eq=False)
class Splits:
    """Each node's decision, bin by bin.

    Attributes
    ----------
    place : ndarray of int64, (nodes,)
        The node's column, as a place in ``Bins.columns``.
    start : ndarray of int64, (nodes,)
        Where the node's decisions begin in ``left``; there is one for each bin of its column.
    left : ndarray of bool
        Whether the bin goes left.
    """

    place: NDArray[np.int64]
    start: NDArray[np.int64]
    left: NDArray[np.bool_]


def bin_forest(forest: Forest) -> tuple[Bins, Splits]:
    """Find each column's bins, and what every node does with each of them.

    A number column's bins end at its thresholds; decisions are then made as LightGBM makes them, on the last value of each bin.

    Raises
    ------
    ModelError
        A column is split by number in one place and by category in another, or has more than 65,535 bins.
    """
    columns, place = np.unique(forest.split_column, return_inverse=True)
    start = np.zeros(len(place), np.int64)
    parts: dict[str, list[NDArray[np.float64] | NDArray[np.int64]]] = {"bounds": [], "category_bin": []}
    lefts, sizes, kinds, total = [], [], [], 0
    for used in range(len(columns)):
        nodes = np.flatnonzero(place == used)
        categorical = (forest.decision[nodes] & CATEGORICAL) > 0
        name = forest.columns[columns[used]]
        if categorical.any() and not categorical.all():
            raise ModelError(f"the model splits column {name!r} both as a number and as a category. Train again.")
        if categorical.all():
            codes, left = _split_categories([forest.categories[int(forest.threshold[node])] for node in nodes])
            parts["category_bin"].append(codes)
            parts["bounds"].append(np.zeros(len(codes)))
        else:
            bounds, left = _split_numbers(forest.threshold[nodes], forest.decision[nodes])
            parts["bounds"].append(bounds)
            parts["category_bin"].append(np.zeros(len(bounds), np.int64))
        if left.shape[1] > _MOST:
            raise ModelError(
                f"the model cuts column {name!r} into {left.shape[1]:,} parts; at most {_MOST:,} can be told apart. Lower max_bin."
            )
        start[nodes] = total + left.shape[1] * np.arange(len(nodes))
        total += left.size
        lefts.append(left.ravel())
        sizes.append(left.shape[1])
        kinds.append(bool(categorical.all()))
    bins = Bins(
        columns,
        np.array(sizes, np.int64),
        np.array(kinds, bool),
        np.cumsum([0, *(len(bounds) for bounds in parts["bounds"])], dtype=np.int64),
        np.concatenate([np.empty(0), *parts["bounds"]]),
        np.concatenate([np.empty(0, np.int64), *parts["category_bin"]]),
    )
    return bins, Splits(place.astype(np.int64), start, np.concatenate([np.empty(0, bool), *lefts]))


def _split_numbers(threshold: NDArray[np.float64], decision: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    missing = (decision >> 2 & 3)[:, None]
    # Zero is a bin of its own where it means missing; NaN is read as 0 where it does not mean missing.
    zero = [np.nextafter(-ZERO, -np.inf), ZERO] if (missing == MISSING_IS_ZERO).any() else []
    bounds = np.unique(np.r_[threshold, zero])
    bounds = bounds[bounds < np.inf]
    last = np.r_[bounds, np.inf, np.nan]
    read = np.where(np.isnan(last) & (missing != MISSING_IS_NAN), 0.0, last)
    absent = np.where(missing == MISSING_IS_ZERO, np.abs(read) <= ZERO, np.isnan(read))
    return bounds, np.where(absent & (missing > 0), (decision[:, None] & DEFAULT_LEFT) > 0, read <= threshold[:, None])


def _split_categories(sets: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    left = np.zeros((len(sets), max(int(found.max(initial=-1)) for found in sets) + 2), bool)
    for row, found in zip(left, sets, strict=True):
        row[found] = True
    kinds, kind = np.unique(left, axis=1, return_inverse=True)
    # Categories that no set holds are like unseen ones: their decisions are all False, which sorts first.
    codes = (kind.ravel()[:-1] - 1) % kinds.shape[1]
    return codes.astype(np.int64), np.roll(kinds, -1, axis=1)


@compiled
def _code_numbers(values: NDArray[np.float64], bounds: NDArray[np.float64], out: Codes) -> None:
    """Count the bounds below each value by halving; rows take a step together, so that none waits for the memory of another."""
    found = np.empty(_TOGETHER, np.int64)
    for start in range(0, len(values), _TOGETHER):
        value = values[start : start + _TOGETHER]
        below = found[: len(value)]
        below[:] = 0
        left = len(bounds)
        while left > 0:
            half = (left + 1) >> 1
            for row in range(len(value)):
                below[row] += half if bounds[below[row] + half - 1] < value[row] else 0
            left -= half
        for row in range(len(value)):
            out[start + row] = len(bounds) + 1 if np.isnan(value[row]) else below[row]


@compiled
def _code_categories(values: NDArray[np.float64], codes: NDArray[np.int64], other: int, out: Codes) -> None:
    for row in range(len(values)):
        value = values[row]
        out[row] = codes[int(value)] if -1.0 < value < len(codes) else other
