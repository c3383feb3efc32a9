"""Path-dependent TreeSHAP of a binary LightGBM model, exact and fast enough for every customer, every night."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Bins
from custvalue.trees.games import Games
from custvalue.trees.kernel import add_games, add_tables
from custvalue.trees.matrix import Matrix
from custvalue.trees.quadrature import integration_rules
from custvalue.trees.tables import Tables

BLOCK = 8_192
"""Rows that pass all tables together: enough to pay for a table's way through the cache, few enough that their sums stay in it."""


@dataclass(frozen=True, eq=False)
class TreeShap:
    """A model made ready for Shapley values.

    Attributes
    ----------
    columns : tuple of str
        In the booster's order.
    expected : float
        Mean prediction over the training rows, log-odds.
    """

    columns: tuple[str, ...]
    expected: float
    bins: Bins
    tables: tuple[Tables, ...]
    wide: tuple[Games, ...]

    def values(self, X: Any, *, threads: int = 1) -> NDArray[np.float64]:
        """Compute the Shapley values of every row.

        Parameters
        ----------
        X : DataFrame or array-like, (rows, columns)
            Numbers, NaN where missing; categories as the codes that the booster was trained with. A frame's columns are found
            by name, an array's by place. Infinity is compared like any number, as LightGBM does.
        threads : int
            Blocks of rows are shared among so many.

        Returns
        -------
        ndarray of float64, (rows, columns + 1)
            Log-odds; the last column is `expected`, and a row adds up to its raw prediction.

        Raises
        ------
        ModelError
            Columns are missing or too many, or do not hold numbers.
        """
        matrix = Matrix(X, self.columns)
        out = np.zeros((matrix.rows, len(self.columns) + 1))
        out[:, -1] = self.expected
        starts = range(0, matrix.rows, BLOCK)
        with ThreadPoolExecutor(max(1, threads)) as pool:
            for _ in pool.map(lambda start: self._explain(matrix, start, out[start : start + BLOCK]), starts):
                pass
        return out

    def _explain(self, matrix: Matrix, start: int, out: NDArray[np.float64]) -> None:
        used = self.bins.columns
        codes, total = np.empty((len(used), len(out)), np.uint16), np.zeros((len(used), len(out)))
        for place, column in enumerate(used):
            self.bins.code(place, matrix.part(column, start, start + len(out)), codes[place])
        for tables in self.tables:
            add_tables(codes=codes, total=total, **_arrays(tables))
        for games in self.wide:
            add_games(codes, self.bins.size, *integration_rules(), total=total, **_arrays(games))
        out[:, used] = total.T


def _arrays(parts: Tables | Games) -> dict[str, NDArray[Any]]:
    return {field.name: getattr(parts, field.name) for field in fields(parts)}
