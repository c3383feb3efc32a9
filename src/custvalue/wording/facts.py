"""Facts of many customers, a column each, so that a condition is asked of all of them at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.errors import DataError

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Fact = float | str | None


class Facts:
    """Columns of facts: numbers as float64 with NaN where unknown, text as Arrow strings with null where unknown.

    Parameters
    ----------
    columns : mapping
        Name → array of float64, or Arrow string array; all of one length.
    rows : int
        That length.
    """

    def __init__(self, columns: Mapping[str, Floats | pa.StringArray], rows: int) -> None:
        self._columns, self.rows = columns, rows

    @classmethod
    def of_frame(cls, frame: pd.DataFrame, names: frozenset[str]) -> Facts:
        """Take the named columns of a table; names that it lacks stay away.

        Infinite numbers count as unknown, blank text too; text loses outer blanks, and line breaks within become blanks.

        Raises
        ------
        DataError
            A column holds text and numbers.
        """
        return cls({name: _column(name, frame[name]) for name in frame.columns if name in names}, len(frame))

    @classmethod
    def of_one(cls, facts: Mapping[str, Fact]) -> Facts:
        """Take one customer's facts; None, NaN and blank text are unknown."""
        return cls({name: _one(value) for name, value in facts.items()}, 1)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def is_text(self, name: str) -> bool:
        """Tell whether a column holds text."""
        return not isinstance(self._columns[name], np.ndarray)

    def numbers(self, name: str) -> Floats:
        """Give a column of numbers; NaN for all where it holds text."""
        column = self._columns[name]
        return column if isinstance(column, np.ndarray) else np.full(self.rows, np.nan)

    def texts(self, name: str) -> pa.StringArray:
        """Give a column of text; null for all where it holds numbers."""
        column = self._columns[name]
        return pa.nulls(self.rows, pa.string()) if isinstance(column, np.ndarray) else column

    def known(self, name: str) -> Flags:
        """Tell for whom a fact is known."""
        column = self._columns[name]
        known: Flags = ~np.isnan(column) if isinstance(column, np.ndarray) else column.is_valid().to_numpy(zero_copy_only=False)
        return known

    def take(self, rows: npt.NDArray[np.intp], names: frozenset[str]) -> Facts:
        """Keep some columns of some rows, in the order given."""
        kept = {name: column for name, column in self._columns.items() if name in names}
        return Facts({n: c[rows] if isinstance(c, np.ndarray) else c.take(pa.array(rows)) for n, c in kept.items()}, len(rows))

    def slice(self, start: int, stop: int) -> Facts:
        """Keep rows from ``start`` up to ``stop``, without copying."""
        return Facts({name: column[start:stop] for name, column in self._columns.items()}, max(0, min(stop, self.rows) - start))


def _column(name: str, series: pd.Series) -> Floats | pa.StringArray:
    if pd.api.types.is_numeric_dtype(series.dtype) and not isinstance(series.dtype, pd.CategoricalDtype):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers if not np.isinf(numbers).any() else np.where(np.isinf(numbers), np.nan, numbers)
    try:
        found = pa.array(series.astype(object), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"reasons: column {name} holds text and numbers, so that nothing can be said of it ({error}).") from error
    if pa.types.is_null(found.type):
        return np.full(len(series), np.nan)
    if pa.types.is_string(found.type) or pa.types.is_large_string(found.type):
        tidy = pc.utf8_trim_whitespace(pc.replace_substring_regex(found.cast(pa.string()), r"\s+", " "))
        return pc.if_else(pc.equal(tidy, ""), pa.scalar(None, pa.string()), tidy)
    numbers = pc.cast(found, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _one(value: Fact) -> Floats | pa.StringArray:
    if isinstance(value, str):
        return pa.array([" ".join(value.split()) or None], pa.string())
    return np.array([float(value) if isinstance(value, Real) and math.isfinite(value) else np.nan])
