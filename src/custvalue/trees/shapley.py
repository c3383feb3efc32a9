"""Path-dependent TreeSHAP of a binary LightGBM model, exact and fast enough for every customer, every night."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.trees.bins import Codes
from custvalue.trees.games import Games
from custvalue.trees.kernel import add_games, add_tables
from custvalue.trees.matrix import Matrix
from custvalue.trees.prediction import TreePredictor
from custvalue.trees.quadrature import integration_rules
from custvalue.trees.tables import Tables


@dataclass(frozen=True, eq=False)
class TreeShap:
    """A model made ready for Shapley values, and for predictions beside them.

    Attributes
    ----------
    predictor : TreePredictor
        The same model's.
    expected : float
        Mean prediction over the training rows, log-odds.
    """

    predictor: TreePredictor
    expected: float
    tables: tuple[Tables, ...]
    wide: tuple[Games, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in the booster's order."""
        return self.predictor.columns

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
        out = self._means(matrix)
        self.predictor.work_by_block(matrix, lambda codes, rows: self._add(codes, out[rows]), threads=threads)
        return out

    def predict_and_explain(self, X: Any, *, threads: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give `TreePredictor.raw` and `values` of rows that are binned once; every bit is that of the two by themselves."""
        matrix = Matrix(X, self.columns)
        total, out = np.zeros(matrix.rows), self._means(matrix)

        def add(codes: Codes, rows: slice) -> None:
            self.predictor.add(codes, total[rows])
            self._add(codes, out[rows])

        self.predictor.work_by_block(matrix, add, threads=threads)
        return total, out

    def _means(self, matrix: Matrix) -> NDArray[np.float64]:
        """Begin every row with the mean prediction alone."""
        out = np.zeros((matrix.rows, len(self.columns) + 1))
        out[:, -1] = self.expected
        return out

    def _add(self, codes: Codes, out: NDArray[np.float64]) -> None:
        total = np.zeros(codes.shape)
        for tables in self.tables:
            add_tables(codes=codes, total=total, **_arrays(tables))
        for games in self.wide:
            add_games(codes, self.predictor.bins.size, *integration_rules(), total=total, **_arrays(games))
        out[:, self.predictor.bins.columns] = total.T


def _arrays(parts: Tables | Games) -> dict[str, NDArray[Any]]:
    return {field.name: getattr(parts, field.name) for field in fields(parts)}
