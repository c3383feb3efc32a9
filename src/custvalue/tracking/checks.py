"""A few rows with their probabilities, kept beside a model, so that whoever loads it can see that it still says the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from custvalue.churn.bundle import ModelBundle
from custvalue.errors import ModelError

ROWS = 50


def write_check(path: Path, bundle: ModelBundle, sample: pd.DataFrame) -> None:
    """Write the sample's first rows (features alone, no customer) and their calibrated probabilities."""
    sample = sample[[name for name, _ in bundle.columns]].head(ROWS)
    content = {
        "columns": [list(column) for column in bundle.columns],
        "rows": [
            [_plain(value, kind) for value, (_, kind) in zip(row, bundle.columns, strict=True)]
            for row in sample.itertuples(index=False, name=None)
        ],
        "probabilities": bundle.predict_proba(sample).tolist(),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def largest_difference(path: Path, bundle: ModelBundle) -> float:
    """Largest absolute difference between the stored probabilities and those of `bundle`.

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        columns, rows = content["columns"], content["rows"]
        sample = pd.DataFrame(
            {
                name: pd.Series([row[place] for row in rows], dtype=float if kind == "number" else object)
                for place, (name, kind) in enumerate(columns)
            }
        )
        stored = np.asarray(content["probabilities"], dtype=float)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(f"{path.name}: the model's check rows are missing or damaged ({error}). Train again.") from error
    if not len(stored) or len(stored) != len(sample):
        raise ModelError(f"{path.name}: {len(sample)} check rows, but {len(stored)} probabilities. Train again.")
    return float(np.abs(bundle.predict_proba(sample) - stored).max())


def _plain(value: object, kind: str) -> float | str | None:
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return float(value) if kind == "number" else str(value)  # type: ignore[arg-type]
