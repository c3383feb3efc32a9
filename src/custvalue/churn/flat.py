"""Any flat frame as feature columns: what is a number, what is a category, and the same again when scoring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from custvalue.churn.encoding import Floats
from custvalue.errors import ConfigError, DataError, some
from custvalue.features.columns import FeatureColumn

_UNSAFE = re.compile(r"[\s\",:\[\]{}]+")
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"}
_DAYS = {"datetime", "datetime64", "date"}
_DAY = pd.Timedelta(days=1)


def learn_columns(X: pd.DataFrame, monotone: Mapping[str, int]) -> tuple[FeatureColumn, ...]:
    """Declare each column of a flat frame, in its order.

    Numbers, booleans, days and durations (both in days) are numbers; everything else is a category, a pandas category also where its
    levels are numbers. A column of objects is judged by what it holds. Spaces and the characters that LightGBM's text cannot hold become
    ``_`` in the column's name.

    Parameters
    ----------
    X : DataFrame
        With distinct names.
    monotone : dict
        Column → +1 or −1, where more of it can only raise or lower the risk.

    Raises
    ------
    ConfigError
        ``monotone`` names an unknown column or a category, or a sign is none.
    """
    signs = {str(name): sign for name, sign in monotone.items()}
    unknown = [name for name in signs if name not in set(map(str, X.columns))]
    if unknown:
        raise ConfigError(f"monotone names {len(unknown)} column(s) that X lacks, for example {some(unknown)}.")
    wrong = [f"{name}: {sign!r}" for name, sign in signs.items() if sign not in (-1, 0, 1)]
    if wrong:
        raise ConfigError(f"monotone signs must be -1, 0 or 1, not {some(wrong)}.")
    columns, taken = [], set[str]()
    for place, name in enumerate(map(str, X.columns)):
        kind = _kind(X.iloc[:, place])
        if signs.get(name) and kind == "category":
            raise ConfigError(f"monotone names {name!r}, which is a category: only numbers can have a sign.")
        safe = _UNSAFE.sub("_", name) or "_"
        while safe in taken:
            safe += "_"
        taken.add(safe)
        columns.append(_declared(safe, kind, signs.get(name, 0)))
    return tuple(columns)


def convert_columns(
    X: pd.DataFrame, columns: tuple[FeatureColumn, ...], vocabularies: Mapping[str, tuple[str, ...]] | None = None
) -> pd.DataFrame:
    """Give the columns as float64 and text under their declared names, by place.

    Parameters
    ----------
    X : DataFrame
        As many columns as declared.
    columns : tuple of FeatureColumn
        From `learn_columns`.
    vocabularies : dict, optional
        Category column → levels learnt, when scoring.

    Raises
    ------
    DataError
        A number column holds text or an infinite number, or a category column holds numbers of which none was learnt as a level.
    """
    converted: dict[str, Any] = {}
    for place, column in enumerate(columns):
        values = X.iloc[:, place]
        if column.kind == "number":
            converted[column.name] = _numbers(values)
            continue
        texts = converted[column.name] = _texts(values)
        if vocabularies is not None and pd.api.types.is_numeric_dtype(values) and values.notna().any():
            learnt = vocabularies[column.name]
            if not np.isin(texts[values.notna()], learnt).any():
                raise DataError(f"column {values.name!r} holds numbers ({values.dtype}); it held text when fitted, such as {some(learnt)}.")
    return pd.DataFrame(converted, index=X.index)


def _kind(values: pd.Series) -> Literal["number", "category"]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return "number"
    held = pd.api.types.infer_dtype(values, skipna=True)
    return "number" if held in _NUMBERS | _DAYS or held.startswith(("timedelta", "datetime")) else "category"


def _declared(name: str, kind: Literal["number", "category"], sign: int) -> FeatureColumn:
    unit = "category" if kind == "category" else "count"
    checked: Any = sign
    return FeatureColumn(name=name, en=name, zh=name, unit=unit, null="unknown", reason=name, kind=kind, sign=checked)


def _numbers(values: pd.Series) -> Floats:
    try:
        numbers = _floats(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {values.name!r} holds {values.dtype} that cannot be read as numbers ({error}); it held numbers when the model was "
            "fitted. Give the same type as then."
        ) from error
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        raise DataError(
            f"column {values.name!r} holds {infinite.size} infinite value(s) (infinity), first in row {infinite[0]}. "
            "Give NaN where a value is unknown."
        )
    return numbers


def _floats(values: pd.Series) -> Floats:
    held = pd.api.types.infer_dtype(values, skipna=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if held in _DAYS or held.startswith("datetime"):
        return np.asarray((pd.to_datetime(values, utc=True) - pd.Timestamp(0, tz="UTC")) / _DAY, dtype=np.float64)
    if held.startswith("timedelta"):
        return np.asarray(pd.to_timedelta(values) / _DAY, dtype=np.float64)
    if held not in _NUMBERS and not pd.api.types.is_numeric_dtype(values):
        raise TypeError(f"for example {values.dropna().iloc[0]!r}")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _texts(values: pd.Series) -> Any:
    """Categories as text; whole numbers are written without a decimal point, however they are stored."""
    codes, levels = pd.factorize(values)
    words = np.array([_word(level) for level in levels] + [None], dtype=object)
    return words[codes]


def _word(level: Any) -> str:
    whole = isinstance(level, float | np.floating) and float(level).is_integer()
    return str(int(level)) if whole else str(level)
