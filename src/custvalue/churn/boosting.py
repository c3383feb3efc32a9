"""Fits the model and its calibrator, in the two ways that a split allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from custvalue.churn.calibration import Calibrator, fit_calibrator
from custvalue.churn.encoding import Floats, encode_columns, learn_vocabularies
from custvalue.churn.ensemble import Ensemble, Fold, Member, grow
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.portfolio import MANY_LEAVERS, Candidate, booster_settings
from custvalue.churn.portfolio import candidates as default_candidates
from custvalue.churn.sampling import correction, sample_stayers
from custvalue.config import ChurnConfig
from custvalue.features.columns import FeatureColumn

FOLDS_OF_MANY = 2
"""With `MANY_LEAVERS` so many folds stop and calibrate; their boosters together still see every row."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A model's text, each booster in it cut at its best round, and what was fitted with it.

    Attributes
    ----------
    model_text : str
        All boosters as one; see `merge_models`.
    rounds : int
        The most that any of them has.
    calibrator : Calibrator
    vocabularies : dict
        Category column → levels seen by the boosters.
    params : dict
        LightGBM's that all share, and ``members``, each with its own.
    members : tuple of Member
        The heaviest first.
    shift : float
        What is added to their weighted log-odds; part of the text.
    """

    model_text: str
    rounds: int
    calibrator: Calibrator
    vocabularies: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Any]
    members: tuple[Member, ...]
    shift: float


def fit_by_month(
    train: TrainingFrame,
    stop: TrainingFrame,
    calibrate: TrainingFrame,
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
    *,
    candidates: Sequence[Candidate] | None = None,
) -> Fit:
    """Train until the log loss of later months stops falling, blend on these, and calibrate on months later still.

    Parameters
    ----------
    train, stop, calibrate : TrainingFrame
    columns : sequence of FeatureColumn
        In the booster's order.
    settings : ChurnConfig
        Seed, threads, most rounds, kind of calibration, and the share of stayers that train.
    candidates : sequence of Candidate, optional
        Boosters to try; those of `portfolio.candidates` if left out.
    """
    encoding = _Encoding.learn(train, columns)
    base = booster_settings(train.leavers, len(train), columns, settings)
    kept = train.take(sample_stayers(train, settings.stayers_kept, seed=settings.seed))
    shift = correction(settings.stayers_kept)
    data, unseen = encoding.dataset(kept, base), encoding.matrix(stop)
    judge = data.create_valid(unseen, label=stop.y, init_score=np.full(len(stop), shift))
    folds = [Fold(data, judge, lambda: encoding.matrix(kept), unseen, stop.y.astype(np.float64))]
    grown = grow(folds, _tried(candidates, train, columns), base, max_rounds=settings.max_rounds, shift=shift)
    raw = lightgbm.Booster(model_str=grown.model_text).predict(encoding.matrix(calibrate), raw_score=True, num_threads=settings.threads)
    calibrator = fit_calibrator(raw, calibrate.y, kind=settings.calibration, groups=calibrate.customer)
    return _fit(grown, calibrator, encoding, base)


def fit_by_customer(
    train: TrainingFrame,
    folds: NDArray[np.intp],
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
    *,
    candidates: Sequence[Candidate] | None = None,
) -> Fit:
    """Train a booster for each fold left out, keep them all as a bag, and cross-fit blend and calibrator.

    Each row's log-odds for blend and calibrator come from the boosters that have not seen its customer. ``folds`` holds the
    fold of each row; the other parameters are those of `fit_by_month`.
    """
    encoding = _Encoding.learn(train, columns)
    base = booster_settings(train.leavers, len(train), columns, settings)
    kept = np.isin(np.arange(len(train)), sample_stayers(train, settings.stayers_kept, seed=settings.seed))
    shift = correction(settings.stayers_kept)
    data, matrix = encoding.dataset(train, base), encoding.matrix(train)
    left_out = np.unique(folds)[: FOLDS_OF_MANY if train.leavers >= MANY_LEAVERS else None]
    seen = [np.flatnonzero(kept & (folds != fold)) for fold in left_out]
    unseen = [np.flatnonzero(folds == fold) for fold in left_out]
    parts = [
        Fold(
            data.subset(learnt.tolist()),
            data.subset(rows.tolist()).set_init_score(np.full(rows.size, shift)),
            partial(matrix.__getitem__, learnt),
            matrix[rows],
            train.y[rows].astype(np.float64),
        )
        for learnt, rows in zip(seen, unseen, strict=True)
    ]
    grown = grow(parts, _tried(candidates, train, columns), base, max_rounds=settings.max_rounds, shift=shift)
    judged = np.concatenate(unseen)
    calibrator = fit_calibrator(grown.raw, train.y[judged], kind=settings.calibration, groups=train.customer[judged])
    return _fit(grown, calibrator, encoding, base)


@dataclass(frozen=True)
class _Encoding:
    """From feature columns to the boosters' matrix."""

    shape: tuple[tuple[str, str], ...]
    vocabularies: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(cls, train: TrainingFrame, columns: Sequence[FeatureColumn]) -> _Encoding:
        shape = tuple((column.name, column.kind) for column in columns)
        return cls(shape, learn_vocabularies(train.X, shape))

    def matrix(self, frame: TrainingFrame) -> Floats:
        return encode_columns(frame.X, self.shape, self.vocabularies)

    def dataset(self, frame: TrainingFrame, params: Mapping[str, Any]) -> lightgbm.Dataset:
        return lightgbm.Dataset(
            self.matrix(frame),
            label=frame.y,
            feature_name=[name for name, _ in self.shape],
            categorical_feature=[place for place, (_, kind) in enumerate(self.shape) if kind == "category"],
            params=dict(params),
        )


def _tried(candidates: Sequence[Candidate] | None, train: TrainingFrame, columns: Sequence[FeatureColumn]) -> Sequence[Candidate]:
    return default_candidates(train.leavers, len(train), len(columns)) if candidates is None else candidates


def _fit(grown: Ensemble, calibrator: Calibrator, encoding: _Encoding, base: Mapping[str, Any]) -> Fit:
    return Fit(
        model_text=grown.model_text,
        rounds=max(rounds for member in grown.members for rounds in member.rounds),
        calibrator=calibrator,
        vocabularies=encoding.vocabularies,
        params={**base, "members": [member.to_dict() for member in grown.members]},
        members=grown.members,
        shift=grown.shift,
    )
