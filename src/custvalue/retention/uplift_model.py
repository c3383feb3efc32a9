"""What a contact does to each customer, as a model that is kept as text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from custvalue.churn.encoding import encode_columns
from custvalue.errors import DataError, ModelError
from custvalue.retention.uplift_learners import Effect, Floats

EFFECT_FILE = "effect.json"
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

    def save(self, folder: Path) -> str:
        """Write ``effect.json`` into a folder and give its SHA-256; boosters are LightGBM text, and nothing is pickled."""
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
        (folder / EFFECT_FILE).write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    @classmethod
    def load(cls, folder: Path, digest: str) -> EffectModel:
        """Read a saved model; LightGBM sees its text only when the digest is the one noted when it was saved.

        Raises
        ------
        ModelError
            The file is missing, was changed, or is of another format.
        """
        path = folder / EFFECT_FILE
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}). Learn the effect again.") from error
        if (found := hashlib.sha256(content).hexdigest()) != digest:
            raise ModelError(f"{path}: digest {found[:12]}… is not the noted {digest[:12]}…. Restore the file, or learn the effect again.")
        read = json.loads(content)
        if read.pop("format") != _FORMAT:
            raise ModelError(f"{path}: was written by another version of custvalue. Learn the effect again.")
        parts = Effect(tuple((float(weight), str(text)) for weight, text in read["parts"].pop("terms")), **read["parts"])
        columns = tuple((str(name), str(kind)) for name, kind in read["columns"])
        return cls(**read | {"parts": parts, "columns": columns, "vocabularies": {k: tuple(v) for k, v in read["vocabularies"].items()}})


def known_risk(X: pd.DataFrame) -> Floats:
    """Churn probability of each row; raises `DataError` where it is missing."""
    if RISK not in X.columns or X[RISK].isna().any():
        raise DataError(f"the contacts' rows need {RISK!r}, the churn probability known before each. Score them first.")
    return X[RISK].to_numpy(dtype=np.float64)
