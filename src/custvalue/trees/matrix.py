"""The rows to predict or explain, column by column, whatever they come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.errors import ModelError, some


class Matrix:
    """Gives parts of columns as float64, without a copy of the whole.

    Parameters
    ----------
    X : DataFrame or array-like, (rows, columns)
        A frame's columns are found by name, an array's by place.
    columns : sequence of str
        The booster's, in its order.

    Raises
    ------
    ModelError
        Columns are missing or too many, or do not hold numbers.
    """

    def __init__(self, X: Any, columns: Sequence[str]) -> None:
        self._columns = _of_frame(X, columns) if isinstance(X, pd.DataFrame) else _of_array(X, columns)
        self.rows = len(X)

    def part(self, column: int, rows: slice) -> NDArray[np.float64]:
        """Give some rows of the booster's column."""
        return np.ascontiguousarray(self._columns[column][rows], dtype=np.float64)


def _of_frame(X: pd.DataFrame, columns: Sequence[str]) -> list[NDArray[Any]]:
    # LightGBM writes names without white space.
    named = {"_".join(str(name).split(" ")): place for place, name in enumerate(X.columns)}
    if missing := [name for name in columns if name not in named]:
        raise ModelError(f"{len(missing)} of the model's {len(columns)} columns are missing, for example {some(missing)}.")
    found = [X.iloc[:, named[name]] for name in columns]
    if odd := [f"{name} ({column.dtype})" for name, column in zip(columns, found, strict=True) if not _is_number(column.dtype)]:
        raise ModelError(
            f"{len(odd)} columns do not hold numbers: {some(odd)}. Give categories as the codes that the booster was trained with; "
            "NaN or -1 where missing."
        )
    return [column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(np.float64, na_value=np.nan) for column in found]


def _of_array(X: Any, columns: Sequence[str]) -> list[NDArray[Any]]:
    try:
        matrix = np.asarray(X)
    except ValueError as error:
        raise ModelError(f"the rows do not form a matrix: {error}.") from error
    if matrix.ndim != 2 or matrix.shape[1] != len(columns):
        raise ModelError(f"the rows have shape {matrix.shape}; the model has {len(columns)} columns.")
    if not _is_number(matrix.dtype):
        raise ModelError(f"the rows must be numbers, not {matrix.dtype}.")
    return list(matrix.T)


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_bool_dtype(dtype) or (pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype))
