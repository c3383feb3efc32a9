"""LightGBM's trees, read from their text: exact predictions and Shapley values, many rows at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from custvalue.trees.prediction import TreePredictor
from custvalue.trees.preparing import prepare_predict, prepare_shap
from custvalue.trees.shapley import TreeShap

__all__ = ["TreePredictor", "TreeShap", "prepare_predict", "prepare_shap", "shap_values"]


def shap_values(model: Any, X: Any, *, dtype: DTypeLike = np.float64, threads: int = 1, cache: Path | None = None) -> NDArray[np.float64]:
    """Compute path-dependent TreeSHAP values, equal to LightGBM's ``pred_contrib``.

    For many matrices prepare the model once: ``prepare_shap(model).values(X)``.

    Parameters
    ----------
    model : Booster or str
        A LightGBM booster with binary objective, or its text.
    X : DataFrame or array-like, (rows, columns)
        As `TreeShap.values` takes it.
    dtype, cache
        As `prepare_shap` takes them.
    threads : int
        As `TreeShap.values` takes it.

    Returns
    -------
    ndarray of float64, (rows, columns + 1)
        Log-odds; the last column is the mean prediction over the training rows, and a row adds up to its raw prediction.

    Raises
    ------
    ModelError
        The model cannot be explained, or `X` does not fit it.
    """
    return prepare_shap(model, dtype=dtype, cache=cache).values(X, threads=threads)
