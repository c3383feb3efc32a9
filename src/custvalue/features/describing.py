"""The declarations as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

import pandas as pd

from custvalue.features.columns import FeatureColumn


def describe(columns: Sequence[FeatureColumn]) -> pd.DataFrame:
    """Give one row a column: ``name``, ``en``, ``zh``, ``unit``, ``null``, ``reason``, ``sign``, ``kind``, ``consent``.

    Parameters
    ----------
    columns : sequence of FeatureColumn
        As in `FeatureSet.columns`.

    Examples
    --------
    >>> column = FeatureColumn(name="tenure_months", en="Tenure", zh="在网月数", unit="months", null="never", reason="tenure")
    >>> describe([column]).loc[0, ["name", "unit", "null"]].tolist()
    ['tenure_months', 'months', 'never']
    """
    return pd.DataFrame([asdict(column) for column in columns], columns=[field.name for field in fields(FeatureColumn)])
