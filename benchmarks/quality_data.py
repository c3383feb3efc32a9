"""Flat labelled data sets for `quality.py`: by name from the data folder, or any file as PATH:TARGET[:COLUMN,COLUMN]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Data = tuple[pd.DataFrame, NDArray[np.int8]]

NAMED = {
    "ibm_telco": "ibm_telco/Telco-Customer-Churn.csv.gz:Churn:customerID",
    "iranian_churn": "iranian_churn/Customer_Churn.csv.gz:Churn",
    "mlc_churn": "mlc_churn/mlc_churn.parquet:churn",
    "tv_subscriptions": "tv_subscriptions/churn_tv_subscriptions.csv.gz:target:id,C_FP,C_FN,C_TP,C_TN",
}


def load(asked: str, folder: Path) -> tuple[str, Data]:
    """Read a data set; the second label by sort order is the outcome, columns of blanks and numbers alone become numbers.

    Exact duplicates of rows are dropped where rows carry no id: the same row must not train and judge.
    """
    given = str(folder / NAMED[asked]) if asked in NAMED else asked
    path, target, dropped = (*given.split(":"), "")[:3]
    frame = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, sep=None, engine="python")
    frame.columns = [" ".join(str(name).split()) for name in frame.columns]
    names = [name for name in dropped.split(",") if name in frame]
    frame = frame.drop(columns=names)
    if not names:
        frame = frame.drop_duplicates()
    labels = frame.pop(target).reset_index(drop=True)
    y = (labels.astype(str) == sorted(labels.astype(str).unique())[1]).to_numpy(dtype=np.int8)
    return (asked if asked in NAMED else Path(path).stem), (frame.reset_index(drop=True).apply(_numbers), y)


def _numbers(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) or isinstance(values.dtype, pd.CategoricalDtype):
        return values
    stripped = values.astype("string").str.strip().replace("", pd.NA)
    numbers = pd.to_numeric(stripped, errors="coerce")
    return numbers.astype(float) if numbers.notna().eq(stripped.notna()).all() else values
