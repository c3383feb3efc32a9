"""Everything that scoring needs in two text files: the booster and what belongs to it. Nothing is pickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd

from custvalue.churn.calibration import Calibrator
from custvalue.churn.encoding import Floats, encode_columns
from custvalue.errors import ModelError, some

if TYPE_CHECKING:
    from custvalue.trees import TreePredictor, TreeShap

MODEL_FILE = "model.txt"
BUNDLE_FILE = "bundle.json"
FEW_ROWS = 500
"""Below it LightGBM's own Shapley values are there sooner, whatever the model's size: preparation and LightGBM's time for a row both
grow with the leaves (``benchmarks/shapley_speed.py`` measures where they cross)."""
FEW_PREDICTED = 10_000
"""Below it LightGBM's own predictions are there sooner (``benchmarks/prediction.py`` measures preparation; numba has to load as well)."""
_FORMAT = 1
_OBJECTIVE = "binary sigmoid:1"


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A calibrated churn model with its columns.

    Attributes
    ----------
    model_text : str
        LightGBM's text format, binary objective.
    columns : tuple of (name, kind)
        In the booster's order; kind is ``number`` or ``category``.
    vocabularies : dict
        Category column → its values; a value's code is its place. Others and missing ones share the missing path.
    calibrator : Calibrator
        From log-odds to probability.
    feature_spec_hash : str
        Of the declarations the features were built from.
    outcome : dict
        What counts as leaving: kinds, gap and horizon in months.
    trained : dict
        As-of date, snapshots, slices, rounds and settings of the training.
    versions : dict
        Package → version at training time.

    Raises
    ------
    ModelError
        Columns, vocabularies and model text do not belong together.
    """

    model_text: str = field(repr=False)
    columns: tuple[tuple[str, str], ...]
    vocabularies: Mapping[str, tuple[str, ...]] = field(repr=False)
    calibrator: Calibrator
    feature_spec_hash: str
    outcome: Mapping[str, Any]
    trained: Mapping[str, Any] = field(repr=False)
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        _check_text(self.model_text, tuple(name for name, _ in self.columns))
        categories = {name for name, kind in self.columns if kind == "category"}
        if categories != set(self.vocabularies):
            odd = some(sorted(categories ^ set(self.vocabularies)))
            raise ModelError(f"the model bundle's vocabularies do not match its category columns: {odd}.")

    def encode(self, X: pd.DataFrame) -> Floats:
        """Give the matrix that the booster reads; see `encode_columns`."""
        return encode_columns(X, self.columns, self.vocabularies)

    def raw(self, X: pd.DataFrame, *, num_threads: int = 1) -> Floats:
        """Log-odds before calibration, (rows,).

        Few rows are predicted by LightGBM itself, many by `tree_predictor`: every bit is the same.
        """
        if len(X) < FEW_PREDICTED and not {"tree_predictor", "tree_shap"} & self.__dict__.keys():
            return self._predict(X, num_threads, raw_score=True)
        return self.tree_predictor.raw(self.encode(X), threads=num_threads)

    def predict_proba(self, X: pd.DataFrame, *, num_threads: int = 1) -> Floats:
        """Calibrated probability of leaving, (rows,); columns of ``X`` are found by name, others are ignored.

        Raises
        ------
        ModelError
            ``X`` lacks columns, or holds the wrong kind of values in one.
        """
        return self.calibrator.apply(self.raw(X, num_threads=num_threads))

    def contributions(self, X: pd.DataFrame, *, num_threads: int = 1) -> Floats:
        """Exact Shapley values in log-odds, (rows, columns + 1); the last column is the base, rows add up to `raw`.

        Few rows are explained by LightGBM itself, unless the model's tables have been prepared already: the values are the same to
        1e-9, relative to the larger of 1 and the value.
        """
        if len(X) < FEW_ROWS and "tree_shap" not in self.__dict__:
            return self._predict(X, num_threads, pred_contrib=True)
        return self.tree_shap.values(self.encode(X), threads=num_threads)

    def predict_and_explain(self, X: pd.DataFrame, *, num_threads: int = 1) -> tuple[Floats, Floats]:
        """`raw` and `contributions` of rows that are encoded and binned once.

        However many the rows, they take the same way, so that a customer's numbers are the same to the last bit in whatever part of
        the base he stands and whatever was asked of the bundle before.
        """
        return self.tree_shap.predict_and_explain(self.encode(X), threads=num_threads)

    @cached_property
    def tree_predictor(self) -> TreePredictor:
        """The model's trees for predictions; prepared once."""
        from custvalue.trees import prepare_predict

        return self.tree_shap.predictor if "tree_shap" in self.__dict__ else prepare_predict(self.model_text)

    @cached_property
    def tree_shap(self) -> TreeShap:
        """The model's tables for Shapley values; prepared once, in about the time in which LightGBM explains `FEW_ROWS` rows."""
        from custvalue.trees import prepare_shap  # numba takes a second to load, which predictions need not wait for

        return prepare_shap(self.model_text)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over the canonical bytes of ``bundle.json``, which hold that of ``model.txt``."""
        return _sha256(_canonical(self._content()))

    def save(self, folder: Path) -> None:
        """Write ``model.txt`` and ``bundle.json`` into a folder, which is made if absent."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MODEL_FILE).write_bytes(self.model_text.encode())
        (folder / BUNDLE_FILE).write_bytes(_canonical(self._content()))

    @classmethod
    def load(cls, folder: Path, digest: str | None = None) -> ModelBundle:
        """Read a saved bundle; LightGBM sees the text only when its hash is right.

        Parameters
        ----------
        folder : Path
            Where `save` wrote.
        digest : str, optional
            The digest noted at registration. Without it only damage is found, not a forged pair of files.

        Raises
        ------
        ModelError
            A file is missing, damaged or changed, or the parts do not belong together.
        """
        content = _read_json(folder / BUNDLE_FILE)
        found = _sha256(_canonical(content))
        if digest is not None and found != digest:
            raise ModelError(f"{folder / BUNDLE_FILE}: digest {found[:12]}… is not the registered {digest[:12]}…. {_AGAIN}")
        text = _read_bytes(folder / MODEL_FILE)
        if content.get("format") != _FORMAT:
            raise ModelError(f"{folder / BUNDLE_FILE}: format {content.get('format')!r} is unknown; this is {_FORMAT}.")
        if _sha256(text) != content.get("model_sha256"):
            raise ModelError(f"{folder / MODEL_FILE}: was changed after training, its SHA-256 does not match. {_AGAIN}")
        try:
            return cls(
                model_text=text.decode(),
                columns=tuple((str(name), str(kind)) for name, kind in content["columns"]),
                vocabularies={name: tuple(values) for name, values in content["vocabularies"].items()},
                calibrator=Calibrator.from_dict(content["calibrator"]),
                feature_spec_hash=content["feature_spec_hash"],
                outcome=content["outcome"],
                trained=content["trained"],
                versions=content["versions"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{folder / BUNDLE_FILE}: is incomplete ({error!r}). {_AGAIN}") from error

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The parsed booster; its matrix comes from `encode`."""
        try:
            return lightgbm.Booster(model_str=self.model_text)
        except lightgbm.basic.LightGBMError as error:
            raise ModelError(f"the model text cannot be read: {error}. {_AGAIN}") from error

    def _predict(self, X: pd.DataFrame, num_threads: int, **how: bool) -> Floats:
        matrix = self.encode(X)
        if not len(matrix):
            return np.empty((0, len(self.columns) + 1) if how.get("pred_contrib") else 0)
        return np.asarray(self.booster.predict(matrix, num_threads=num_threads, **how), dtype=np.float64)

    def _content(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "model_sha256": _sha256(self.model_text.encode()),
            "columns": [list(column) for column in self.columns],
            "vocabularies": {name: list(values) for name, values in self.vocabularies.items()},
            "calibrator": self.calibrator.to_dict(),
            "feature_spec_hash": self.feature_spec_hash,
            "outcome": dict(self.outcome),
            "trained": dict(self.trained),
            "versions": dict(self.versions),
        }


def _check_text(text: str, names: tuple[str, ...]) -> None:
    """Refuse a text that is not the booster these columns belong to, from its header alone."""
    header = dict(line.partition("=")[::2] for line in text.partition("\n\n")[0].splitlines())
    if header.get("objective") != _OBJECTIVE or header.get("num_class") != "1" or "average_output" in header:
        raise ModelError(f"the model's objective is {header.get('objective')!r}; only {_OBJECTIVE!r} can be scored. {_AGAIN}")
    found = tuple(header.get("feature_names", "").split(" "))
    if found != names:
        odd = some([f"{a} / {b}" for a, b in zip(found, names, strict=False) if a != b]) or f"{len(found)} / {len(names)}"
        raise ModelError(f"the model's columns do not match the bundle's (model / bundle): {odd}. {_AGAIN}")


def _read_json(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    try:
        content = json.loads(_read_bytes(path), parse_constant=refuse)
    except ValueError as error:
        raise ModelError(f"{path}: is not JSON ({error}). {_AGAIN}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: must hold an object, not {type(content).__name__}. {_AGAIN}")
    return content


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}). {_AGAIN}") from error


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_AGAIN = "Restore the model from the registry, or train again."
