"""Folds inside the training slice, on which settings are tried: no row that stops, calibrates or tests is read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.special import logit

from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.sampling import correction, sample_stayers
from custvalue.churn.splits import Rows, fold_customers
from custvalue.churn.time_split import TimeSplit
from custvalue.config import ChurnConfig
from custvalue.errors import ConfigError
from custvalue.features.columns import FeatureColumn

_MOST_FOLDS = 4
_PATIENCE = 50
_LEAST_RATE = 1e-6


def inner_folds(train: TrainingFrame, settings: ChurnConfig) -> list[tuple[Rows, Rows]]:
    """Rows that train and that judge, a pair a fold: later snapshots where the slice has enough of them, else other customers."""
    groups = train.customer if settings.customers_apart else None
    for n_splits in range(_MOST_FOLDS, 1, -1):
        try:
            cv = TimeSplit(train.snapshot, purge=settings.gap_months + settings.horizon_months, n_splits=n_splits, seed=settings.seed)
        except ConfigError:
            continue
        return list(cv.split(groups=groups))
    fold = fold_customers(train.customer, train.y, seed=settings.seed)
    return [(np.flatnonzero(fold != held), np.flatnonzero(fold == held)) for held in np.unique(fold)]


@dataclass(frozen=True, eq=False)
class InnerFold:
    """One fold, encoded and binned once for all settings that are tried on it.

    Attributes
    ----------
    train, judge : lightgbm.Dataset
        Bins are those of the training rows.
    """

    train: lightgbm.Dataset
    judge: lightgbm.Dataset

    @classmethod
    def of(cls, frame: TrainingFrame, pair: tuple[Rows, Rows], columns: Sequence[FeatureColumn], settings: ChurnConfig) -> InnerFold:
        """Learn the vocabulary from the fold's training rows, of which a share of the stayers may be left out.

        Then training begins from the sample's log-odds and judging from those of all rows, so the log loss is that of probabilities
        that can be used.
        """
        learn, judge = frame.take(pair[0]), frame.take(pair[1])
        learn = learn.take(sample_stayers(learn, settings.stayers_kept, seed=settings.seed))
        shape = [(column.name, column.kind) for column in columns]
        vocabularies = learn_vocabularies(learn.X, shape)
        start = float(logit(np.clip(learn.y.mean(), _LEAST_RATE, 1 - _LEAST_RATE)))
        train = lightgbm.Dataset(
            encode_columns(learn.X, shape, vocabularies),
            label=learn.y,
            init_score=np.full(len(learn), start),
            feature_name=[name for name, _ in shape],
            categorical_feature=[place for place, (_, kind) in enumerate(shape) if kind == "category"],
            params={"feature_pre_filter": False, "verbosity": -1, "num_threads": settings.threads},
        )
        offset = start + correction(settings.stayers_kept)
        judged = train.create_valid(
            encode_columns(judge.X, shape, vocabularies), label=judge.y, init_score=np.full(len(judge), offset), params=train.params
        )
        return cls(train.construct(), judged.construct())

    def log_loss(self, params: Mapping[str, Any], rounds: int) -> float:
        """Least log loss on the judged rows along the rounds; it is given up when it has not fallen for a while."""
        booster = lightgbm.Booster(dict(params) | {"feature_pre_filter": False}, self.train)
        booster.add_valid(self.judge, "judge")
        least, at = math.inf, 0
        for done in range(rounds):
            booster.update()
            loss = float(booster.eval_valid()[0][2])
            if loss < least:
                least, at = loss, done
            elif done - at >= _PATIENCE:
                break
        return least
