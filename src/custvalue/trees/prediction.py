"""Predictions of a binary LightGBM model, bit by bit those of LightGBM, many rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Bins, Codes, smallest
from custvalue.trees.kernel import add_trees
from custvalue.trees.matrix import Matrix
from custvalue.trees.moves import TOGETHER, Moves

BLOCK = 8_192
"""Rows that are binned together, and then pass all trees and tables: enough to pay for a table's way through the cache, few enough that
their sums stay in it."""


@dataclass(frozen=True, eq=False)
class TreePredictor:
    """A model made ready for predictions.

    Attributes
    ----------
    columns : tuple of str
        In the booster's order.
    """

    columns: tuple[str, ...]
    bins: Bins
    moves: Moves

    def raw(self, X: Any, *, threads: int = 1) -> NDArray[np.float64]:
        """Predict the log-odds of every row.

        Parameters
        ----------
        X : DataFrame or array-like, (rows, columns)
            Numbers, NaN where missing; categories as the codes that the booster was trained with. A frame's columns are found
            by name, an array's by place. Infinity is compared like any number, as LightGBM does.
        threads : int
            Blocks of rows are shared among so many.

        Returns
        -------
        ndarray of float64, (rows,)
            What ``Booster.predict(X, raw_score=True)`` gives: a row's leaves are added tree by tree in the same order, so that
            every bit is the same, whatever the other rows and the threads.

        Raises
        ------
        ModelError
            Columns are missing or too many, or do not hold numbers.
        """
        matrix = Matrix(X, self.columns)
        total = np.zeros(matrix.rows)
        self.work_by_block(matrix, lambda codes, rows: self.add(codes, total[rows]), threads=threads)
        return total

    def add(self, codes: Codes, total: NDArray[np.float64]) -> None:
        """Add the trees' values to ``total``, (rows,); ``codes`` holds the rows' bins, (used columns, rows)."""
        leaves = np.empty((TOGETHER, len(total)), smallest(self.moves.most_leaves))
        arrays = {field.name: getattr(self.moves, field.name) for field in fields(self.moves)}
        add_trees(codes=codes, leaves=leaves, total=total, **arrays)

    def work_by_block(self, matrix: Matrix, work: Callable[[Codes, slice], None], *, threads: int) -> None:
        """Bin the rows block by block, and hand each block's bins, (used columns, rows), and its place among the rows to `work`."""

        def bin_and_work(start: int) -> None:
            rows = slice(start, min(start + BLOCK, matrix.rows))
            codes = np.empty((len(self.bins.columns), rows.stop - start), self.bins.dtype)
            for place, column in enumerate(self.bins.columns):
                self.bins.code(place, matrix.part(column, rows), codes[place])
            work(codes, rows)

        with ThreadPoolExecutor(max(1, threads)) as pool:
            for _ in pool.map(bin_and_work, range(0, matrix.rows, BLOCK)):
                pass
