"""The models of `quality.py`: each a function that fits on rows and gives probabilities for others. An absent package gives None."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from contextlib import chdir
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Floats = NDArray[np.float64]
Peer = Callable[[pd.DataFrame, NDArray[np.int8], pd.DataFrame, float], Floats]
SEED = 7


def ours(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """ChurnClassifier() with its defaults."""
    from custvalue import ChurnClassifier

    return np.asarray(ChurnClassifier().fit(X, y).predict_proba(later)[:, 1])


def logistic(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """Medians and a mark for missing numbers, one column a category, ridge of 1."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
    columns = make_column_transformer((numbers, make_column_selector(dtype_include="number")), remainder=categories)
    return _positive(make_pipeline(columns, LogisticRegression(max_iter=5_000)), _as_text(X), y, _as_text(later))


def lightgbm(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """LGBMClassifier() with its defaults; text as categories."""
    from lightgbm import LGBMClassifier

    first = X.apply(lambda values: values if pd.api.types.is_numeric_dtype(values) else values.astype("category"))
    second = later.apply(lambda values: values.astype(first[values.name].dtype) if values.name in first else values)
    return _positive(LGBMClassifier(verbose=-1, random_state=SEED, n_jobs=1), first, y, second)


def catboost(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """CatBoostClassifier() with its defaults; text as categories."""
    from catboost import CatBoostClassifier

    categories = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    model = CatBoostClassifier(verbose=0, random_seed=SEED, thread_count=1, allow_writing_files=False, cat_features=categories)
    return _positive(model, _as_text(X), y, _as_text(later))


def flaml(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, seconds: float) -> Floats:
    """AutoML over its default learners for so many seconds, by log loss."""
    from flaml import AutoML

    logging.getLogger("flaml").setLevel(logging.ERROR)
    model = AutoML()
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # its CatBoost writes where it stands
        model.fit(_as_text(X), y, task="classification", metric="log_loss", time_budget=seconds, seed=SEED, n_jobs=1, verbose=0)
    return np.asarray(model.predict_proba(_as_text(later))[:, 1])


def autogluon(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, seconds: float) -> Floats:
    """TabularPredictor, best quality, for so many seconds."""
    from autogluon.tabular import TabularPredictor

    model = TabularPredictor("left", eval_metric="log_loss", verbosity=0)
    model.fit(X.assign(left=y), presets="best_quality", time_limit=seconds)
    return model.predict_proba(later)[1].to_numpy()


def tabpfn(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """TabPFNClassifier() with its defaults, where the weights are there."""
    from tabpfn import TabPFNClassifier

    return _positive(TabPFNClassifier(random_state=SEED), X, y, later)


def tabicl(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, _: float) -> Floats:
    """TabICLClassifier() with its defaults, where the weights are there."""
    from tabicl import TabICLClassifier

    return _positive(TabICLClassifier(random_state=SEED), X, y, later)


PEERS: dict[str, tuple[Peer, str]] = {
    "custvalue": (ours, "lightgbm"),
    "logistic regression": (logistic, "sklearn"),
    "LightGBM default": (lightgbm, "lightgbm"),
    "CatBoost default": (catboost, "catboost"),
    "FLAML": (flaml, "flaml.automl.automl"),
    "AutoGluon": (autogluon, "autogluon"),
    "TabPFN": (tabpfn, "tabpfn"),
    "TabICL": (tabicl, "tabicl"),
}
"""Name → its function, and the module without which it is left out."""


def missing() -> list[str]:
    """Peers whose package cannot be imported."""
    return [name for name, (_, package) in PEERS.items() if not _imports(package)]


def _imports(package: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import_module(package)
        except ImportError:
            return False
    return True


def _positive(model: Any, X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(model.fit(X, y).predict_proba(later)[:, 1], dtype=np.float64)


def _as_text(X: pd.DataFrame) -> pd.DataFrame:
    """Categories as plain text, unknown ones as a level of their own."""
    return X.apply(lambda values: values if pd.api.types.is_numeric_dtype(values) else values.astype("string").fillna("").astype(object))
