"""The strongest reasons of each customer: contributions grouped by reason, said as observed facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.errors import ConfigError, ModelError
from custvalue.features.columns import FeatureColumn
from custvalue.wording import LANGUAGES, Catalogue, Direction, Facts

LAST_RESORT = "overall"
"""The reason code that is said where no fact can be; its weight is the sum of all contributions."""


@dataclass(frozen=True)
class Reason:
    """One reason of one customer.

    Attributes
    ----------
    code : str
        Reason code, as in `FeatureColumn.reason`.
    en, zh : str
        The fact in words.
    weight : float
        Sum of the contributions of the reason's columns, log-odds; for ranking, not for showing.
    """

    code: str
    en: str
    zh: str
    weight: float


def explain(
    contributions: npt.NDArray[np.float64],
    facts: pd.DataFrame,
    columns: Sequence[FeatureColumn],
    catalogue: Catalogue,
    *,
    currency: str,
    limit: int = 3,
) -> list[tuple[Reason, ...]]:
    """Give each customer's strongest reasons.

    Contributions of all columns with the same reason are summed, so that correlated columns count once. Reasons that
    raise the risk come strongest first, equal ones by code; one that cannot be said truthfully, or is sensitive, is
    passed over. Where none is left, plain facts follow by the size of their weight, and at last `LAST_RESORT`.

    Parameters
    ----------
    contributions : ndarray, shape (n, len(columns) + 1)
        Shapley values, log-odds; the last column, the base value, is not read.
    facts : DataFrame, n rows
        The feature columns, with missing values as NaN or None.
    columns : sequence of FeatureColumn
        Declarations in the order of `contributions`.
    catalogue : Catalogue
        The words.
    currency : str
        ISO code.
    limit : int
        At most so many reasons.

    Returns
    -------
    list of tuple of Reason
        Between one and `limit` reasons a row, in the rows' order.

    Raises
    ------
    ModelError
        The shapes do not fit, or a contribution is not finite.
    ConfigError
        A reason is not in the catalogue, or `limit` is below one.
    """
    if limit < 1:
        raise ConfigError(f"explain: limit must be at least 1, not {limit}.")
    if contributions.shape != (len(facts), len(columns) + 1):
        raise ModelError(
            f"explain: contributions have shape {contributions.shape}; {len(facts)} customers and {len(columns)} columns "
            f"need ({len(facts)}, {len(columns) + 1}). Pass the facts and columns that were scored."
        )
    codes, weights = _grouped(contributions, columns)
    records: list[dict[str, Any]] = [dict(zip(facts.columns, row, strict=True)) for row in facts.astype(object).to_numpy()]
    return [
        _reasons(dict(zip(codes, row, strict=True)), record, catalogue, currency, limit)
        for row, record in zip(weights.tolist(), records, strict=True)
    ]


def check_reasons(columns: Sequence[FeatureColumn], catalogue: Catalogue) -> None:
    """Check before a run that every column's reason can be said.

    Raises
    ------
    ConfigError
        A column's reason, or `LAST_RESORT`, has no entry in the catalogue, or `LAST_RESORT` cannot always be said.
    """
    missing: dict[str, str] = {}
    for column in columns:
        if column.reason not in catalogue.reasons:
            missing.setdefault(column.reason, column.name)
    if missing:
        named = ", ".join(f"{code!r} (column {column})" for code, column in sorted(missing.items()))
        raise ConfigError(f"wording: reasons.yaml lacks {len(missing)} reason(s): {named}. Add words in en and zh.")
    words = catalogue.reasons.get(LAST_RESORT)
    if words is None or words.sensitive or not any(v.direction == "context" and v.fits({}) for v in words.variants.values()):
        raise ConfigError(
            f"wording: reasons.yaml needs {LAST_RESORT!r} with a context variant that has no conditions and shows no fact: "
            "it is said where nothing else can be."
        )


def _grouped(contributions: npt.NDArray[np.float64], columns: Sequence[FeatureColumn]) -> tuple[list[str], npt.NDArray[np.float64]]:
    codes = sorted({column.reason for column in columns})
    weights = np.zeros((len(contributions), len(codes)))
    # Column by column: a matrix product may differ in the last digit with the number and order of rows.
    for j, column in enumerate(columns):
        weights[:, codes.index(column.reason)] += contributions[:, j]
    if not np.isfinite(weights).all():
        raise ModelError("explain: some contributions are not finite. The model or its input is broken; train again.")
    return codes, weights


def _reasons(weights: Mapping[str, float], facts: Facts, catalogue: Catalogue, currency: str, limit: int) -> tuple[Reason, ...]:
    raising = sorted((code for code, weight in weights.items() if weight > 0), key=lambda code: (-weights[code], code))
    said = _said(raising, weights, facts, catalogue, currency, limit)
    if not said:
        by_size = sorted(weights, key=lambda code: (-abs(weights[code]), code))
        said = _said(by_size, weights, facts, catalogue, currency, limit, "context")
    if not said:
        total = {LAST_RESORT: sum(weights.values())}
        said = _said([LAST_RESORT], total, facts, catalogue, currency, limit, "context")
    return said


def _said(
    codes: Sequence[str],
    weights: Mapping[str, float],
    facts: Facts,
    catalogue: Catalogue,
    currency: str,
    limit: int,
    direction: Direction | None = None,
) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    for code in codes:
        if len(reasons) == limit:
            break
        if code in catalogue.reasons and catalogue.reasons[code].sensitive:
            continue
        en, zh = (catalogue.phrase(code, facts, language=name, currency=currency, direction=direction) for name in LANGUAGES)
        if en is not None and zh is not None:
            reasons.append(Reason(code, en, zh, weights[code]))
    return tuple(reasons)
