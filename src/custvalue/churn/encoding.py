"""Feature columns as the matrix that the booster reads; categories as codes of a vocabulary learnt from training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.errors import ModelError, some

Floats = NDArray[np.float64]

MOST_LEVELS = 255
"""A category column keeps its most frequent levels only; the rest share the missing path."""


def learn_vocabularies(X: pd.DataFrame, columns: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Levels of each category column among the given rows, the most frequent first, equals by name."""
    vocabularies = {}
    for name in [name for name, kind in columns if kind == "category"]:
        counts = X[name].dropna().astype(str).value_counts()
        ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
        vocabularies[name] = tuple(str(level) for level, _ in ranked[:MOST_LEVELS])
    return vocabularies


def encode_columns(X: pd.DataFrame, columns: Iterable[tuple[str, str]], vocabularies: Mapping[str, tuple[str, ...]]) -> Floats:
    """Put feature columns into a float64 matrix, in the given order, whatever their order in the frame.

    Missing numbers and missing or unseen categories are NaN, which is the booster's missing path. Each column's values stand side by
    side (Fortran order), as frames hold them and trees ask for them. They stay doubles: LightGBM compares doubles with its
    thresholds, and a number rounded to float32 may come to lie on the other side of one.

    Parameters
    ----------
    X : DataFrame
        Has the columns; others are ignored.
    columns : iterable of (name, kind)
        Kind is ``number`` or ``category``.
    vocabularies : dict
        Category column → levels; a level's code is its place.

    Raises
    ------
    ModelError
        Columns are missing, a number column holds text, or a category column holds numbers.
    """
    columns = tuple(columns)
    missing = [name for name, _ in columns if name not in X.columns]
    if missing:
        raise ModelError(
            f"{len(missing)} of the model's {len(columns)} feature columns are missing, for example {some(missing)}. "
            "Score with the feature settings and tables the model was trained with, or train again."
        )
    matrix = np.empty((len(X), len(columns)), order="F")
    for place, (name, kind) in enumerate(columns):
        matrix[:, place] = _codes(X[name], vocabularies[name]) if kind == "category" else _numbers(X[name])
    return matrix


def _codes(values: pd.Series, vocabulary: tuple[str, ...]) -> Floats:
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise ModelError(f"feature column {values.name!r} must hold text; it holds {values.dtype}.")
    place, found = pd.factorize(values)  # each text is looked up once, whatever kind of column holds it
    codes = pd.Index(vocabulary, dtype=object).get_indexer(pd.Index(np.asarray(found, dtype=object), dtype=object))
    return np.append(np.where(codes < 0, np.nan, codes), np.nan)[place]


def _numbers(values: pd.Series) -> NDArray[Any]:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiub":
        return values.to_numpy()
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ModelError(f"feature column {values.name!r} must hold numbers; it holds {values.dtype}: {error}.") from error
