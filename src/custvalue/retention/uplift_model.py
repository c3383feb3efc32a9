"""What a contact does to each customer, as a model that is kept as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from custvalue.churn.encoding import encode_columns
from custvalue.errors import DataError, ModelError
from custvalue.retention.uplift_learners import Effect, Floats

RISK = "probability"
"""The column of a contact's rows that holds the churn probability known before it."""
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class EffectModel:
    """What a contact does to each customer.

    Attributes
    ----------
    learner : str
        One of `LEARNERS`.
    parts : Effect
        The learner's boosters or numbers.
    level, spread : float
        The effect is ``level + spread * (what the parts say)``: cross-fitted, so that effects are neither too large nor too far apart.
    columns : tuple of (name, kind)
        In the boosters' order; kind is ``number`` or ``category``.
    vocabularies : dict
        Category column → levels.
    take_up : float
        Share of the contacts made by lot whose offer was accepted.
    evidence : dict
        Contacts, leavers, losses of the learners, Qini and its interval.
    """

    learner: str
    parts: Effect = field(repr=False)
    level: float
    spread: float
    columns: tuple[tuple[str, str], ...] = field(repr=False)
    vocabularies: Mapping[str, tuple[str, ...]] = field(repr=False)
    take_up: float
    evidence: Mapping[str, Any] = field(repr=False)

    def effect(self, X: pd.DataFrame) -> Floats:
        """Drop of the chance of leaving by one contact, reached or not, (n,); negative where it harms.

        Parameters
        ----------
        X : DataFrame
            The columns learnt from, and ``probability``.
        """
        matrix = encode_columns(X, self.columns, self.vocabularies)
        found: Floats = self.level + self.spread * self.parts.predict(matrix, known_risk(X))
        return found


@dataclass(frozen=True, eq=False)
class Learned:
    """What randomised contacts taught.

    Attributes
    ----------
    model : EffectModel or None
        None where they are too few or show no difference between customers: the policy's stated parameters hold then.
    told : str
        The finding in one line.
    contacts, leavers : int
        Contacts drawn by lot, made or withheld, and who of them left.
    """

    model: EffectModel | None
    told: str
    contacts: int = 0
    leavers: int = 0

    def to_json(self) -> str:
        """Give it as text; boosters are LightGBM's own, and nothing is pickled."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Learned:
        """Read what `to_json` gave; whoever reads a file checks its digest before, because LightGBM trusts its text.

        Raises
        ------
        ModelError
            It was written in another format.
        """
        read = json.loads(text)
        if read.pop("format", None) != _FORMAT:
            raise ModelError("the effect of contacts was written by another version of custvalue. Train again.")
        model = read.pop("model")
        return cls(model=None if model is None else _model_of(model), **read)


def _model_of(read: dict[str, Any]) -> EffectModel:
    parts = Effect(tuple((float(weight), str(text)) for weight, text in read["parts"].pop("terms")), **read["parts"])
    columns = tuple((str(name), str(kind)) for name, kind in read["columns"])
    vocabularies = {name: tuple(levels) for name, levels in read["vocabularies"].items()}
    return EffectModel(**read | {"parts": parts, "columns": columns, "vocabularies": vocabularies})


def known_risk(X: pd.DataFrame) -> Floats:
    """Churn probability of each row; raises `DataError` where it is missing."""
    if RISK not in X.columns or X[RISK].isna().any():
        raise DataError(f"the contacts' rows need {RISK!r}, the churn probability known before each. Score them first.")
    return X[RISK].to_numpy(dtype=np.float64)
