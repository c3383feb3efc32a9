"""Trains a fitted model again on all that was over before the test slice, and calibrates it on customers it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import lightgbm
import numpy as np

from custvalue.churn.boosting import Fit
from custvalue.churn.calibration import fit_calibrator
from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.churn.ensemble import regrow
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.merging import merge_models
from custvalue.churn.portfolio import booster_settings
from custvalue.churn.sampling import correction, sample_stayers
from custvalue.churn.splits import Rows, hashes
from custvalue.config import ChurnConfig
from custvalue.features.columns import FeatureColumn

_HALVES = 2
_GROWTH = 0.3
"""Boosting rounds grow with this power of the rows: four times the rows bear half as many rounds more."""


def train_again(
    fit: Fit,
    train: TrainingFrame,
    older: TrainingFrame,
    calibrate: Sequence[object],
    columns: Sequence[FeatureColumn],
    settings: ChurnConfig,
) -> Fit:
    """Train the members of a fit on more and newer rows, with the weights they have and rounds in proportion.

    The slices that train, stop and calibrate lie a window apart, so most snapshots are in none of them and the newest are not in the
    first. Here all of them train: each half of the customers trains a booster of every member, and both together are the model. Rows of
    the snapshots that calibrate are scored by the half that has not seen their customer, and fit the calibrator anew. Of the stayers no
    more train than did before; the log-odds are corrected for those left out.

    Parameters
    ----------
    fit : Fit
        Members and their rounds, as `fit_by_month` found them.
    train : TrainingFrame
        The rows it was trained on.
    older : TrainingFrame
        All rows whose outcome windows were over before the test slice began.
    calibrate : sequence of date
        Snapshots among them that calibrate.
    columns, settings
        As for `fit_by_month`.
    """
    shape = tuple((column.name, column.kind) for column in columns)
    vocabularies = learn_vocabularies(older.X, shape)
    matrix = encode_columns(older.X, shape, vocabularies)
    share = settings.stayers_kept * min(1.0, float((train.y == 0).sum()) / float((older.y == 0).sum()))
    kept = np.isin(np.arange(len(older)), sample_stayers(older, share, seed=settings.seed))
    base = booster_settings(older.leavers, int(kept.sum()), columns, settings)
    growth = (len(older) / len(train)) ** _GROWTH
    rounds = [1 if member.candidate.linear else max(1, round(growth * float(np.mean(member.rounds)))) for member in fit.members]
    members = tuple(replace(member, rounds=(count,) * _HALVES) for member, count in zip(fit.members, rounds, strict=True))
    data = lightgbm.Dataset(
        matrix,
        label=older.y,
        feature_name=[name for name, _ in shape],
        categorical_feature=[place for place, (_, kind) in enumerate(shape) if kind == "category"],
        params=dict(base),
    )
    half = _halves(older, settings.seed)
    less = correction(share) - correction(settings.stayers_kept)
    shift = fit.shift + less * sum(member.weight for member in members)
    learning = [np.flatnonzero(kept & (half != left)).tolist() for left in range(_HALVES)]
    texts = [regrow(data.subset(rows), partial(matrix.__getitem__, rows), members, base, shift=shift) for rows in learning]
    days = np.isin(older.snapshot, np.array(list(calibrate), dtype="datetime64[D]"))
    judged = [np.flatnonzero(days & (half == left)) for left in range(_HALVES)]
    raw = [_raw(text, matrix[rows], settings.threads) for text, rows in zip(texts, judged, strict=True)]
    rows = np.concatenate(judged)
    return Fit(
        model_text=merge_models(texts, [1 / _HALVES] * _HALVES),
        rounds=max(rounds),
        calibrator=fit_calibrator(np.concatenate(raw), older.y[rows], kind=settings.calibration, groups=older.customer[rows]),
        vocabularies=vocabularies,
        params={**base, "members": [member.to_dict() for member in members]},
        members=members,
        shift=shift,
    )


def _halves(frame: TrainingFrame, seed: int) -> Rows:
    """Give the half of each row's customer, 0 or 1."""
    names, code = np.unique(frame.customer.astype(str), return_inverse=True)
    half: Rows = (hashes(names, seed) % _HALVES).astype(np.intp)[code]
    return half


def _raw(text: str, matrix: np.ndarray, threads: int) -> np.ndarray:
    return np.asarray(lightgbm.Booster(model_str=text).predict(matrix, raw_score=True, num_threads=threads))
