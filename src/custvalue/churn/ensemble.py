"""Grows the boosters of each candidate, blends their log-odds, and merges them into one model text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from custvalue.churn.blending import blend_with_lines, losses
from custvalue.churn.linear import STRENGTHS, LinearModel, as_trees, fit_linear
from custvalue.churn.merging import merge_models
from custvalue.churn.portfolio import Candidate

Floats = NDArray[np.float64]

_PATIENCE = 3.0
_FEWEST_PATIENT_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that train, rows that stop, and the latter once more as a matrix.

    Attributes
    ----------
    train, stop : lightgbm.Dataset
        Binned alike.
    seen : callable
        Gives the rows of ``train`` as a matrix: only a linear candidate asks for it.
    unseen : (n, columns) array
        The rows of ``stop``.
    y : (n,) array
        Their outcomes.
    """

    train: lightgbm.Dataset
    stop: lightgbm.Dataset
    seen: Callable[[], Floats]
    unseen: Floats
    y: Floats


@dataclass(frozen=True)
class Member:
    """What a candidate has become in the blend.

    Attributes
    ----------
    candidate : Candidate
    weight : float
        What the mean of its boosters' log-odds is multiplied with; all members' need not add up to 1.
    rounds : tuple of int
        One for each fold's booster; these are averaged. A linear one has a single round.
    """

    candidate: Candidate
    weight: float
    rounds: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "name": self.candidate.name,
            "weight": self.weight,
            "rounds": list(self.rounds),
            "params": dict(self.candidate.params),
        }

    def __str__(self) -> str:
        boosters = f"{len(self.rounds)} boosters, " if len(self.rounds) > 1 else ""
        how = f"C {self.candidate.params['C']:g}" if self.candidate.linear else f"{round(float(np.mean(self.rounds)))} rounds"
        return f"{self.weight:.2f} {self.candidate.name} ({boosters}{how})"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """One model text of all members.

    Attributes
    ----------
    model_text : str
    members : tuple of Member
        The heaviest first.
    shift : float
        What is added to their weighted log-odds.
    raw : (n,) array
        Log-odds of all folds' unseen rows, fold after fold, each from the boosters that have not seen it.
    """

    model_text: str
    members: tuple[Member, ...]
    shift: float
    raw: Floats


@dataclass(frozen=True, eq=False)
class _Tried:
    """A candidate with its boosters, one a fold."""

    candidate: Candidate
    boosters: tuple[lightgbm.Booster, ...]
    rounds: tuple[int, ...]


def grow(
    folds: Sequence[Fold], candidates: Sequence[Candidate], base: Mapping[str, Any], *, max_rounds: int, shift: float = 0.0
) -> Ensemble:
    """Train each candidate on each fold until the log loss of its unseen rows stops falling, and blend.

    Parameters
    ----------
    folds : sequence of Fold
        Of one binned data set.
    candidates : sequence of Candidate
    base : dict
        LightGBM parameters that candidates override.
    max_rounds : int
        Of one booster.
    shift : float
        Added to the log-odds of each booster; the folds' ``stop`` holds it as initial score.
    """
    y = np.concatenate([fold.y for fold in folds])
    tried = [
        _lines(folds, y, candidate, base, shift) if candidate.linear else _boosted(folds, candidate, base, max_rounds)
        for candidate in candidates
    ]
    raw = np.column_stack([_unseen(one, folds) for one in tried])
    weights, intercept = blend_with_lines(raw + shift, y, np.array([one.candidate.linear for one in tried]))
    intercept += shift * float(weights.sum())
    used = sorted(np.flatnonzero(weights).tolist(), key=lambda place: -weights[place])
    text = merge_models(
        [booster.model_to_string(num_iteration=booster.best_iteration) for place in used for booster in tried[place].boosters],
        [float(weights[place]) / len(folds) for place in used for _ in folds],
        shift=intercept,
    )
    members = tuple(Member(tried[place].candidate, float(weights[place]), tried[place].rounds) for place in used)
    return Ensemble(text, members, intercept, raw @ weights + intercept)


def regrow(train: lightgbm.Dataset, seen: Callable[[], Floats], members: Sequence[Member], base: Mapping[str, Any], *, shift: float) -> str:
    """Train each member once on other rows for the rounds it had on average, and merge with the same weights."""
    texts = []
    for member in members:
        if member.candidate.linear:
            strength, matrix = member.candidate.params["C"], seen()
            texts.append(as_trees(_fit_lines(train, matrix, [strength])[strength], matrix, train, base))
            continue
        rounds = max(1, round(float(np.mean(member.rounds))))
        texts.append(lightgbm.train(dict(base) | dict(member.candidate.params), train, num_boost_round=rounds).model_to_string())
    return merge_models(texts, [member.weight for member in members], shift=shift)


def _lines(folds: Sequence[Fold], y: Floats, candidate: Candidate, base: Mapping[str, Any], shift: float) -> _Tried:
    """Fit a logistic regression on each fold, with the ridge that suits the unseen rows of all best."""
    seen = [fold.seen() for fold in folds]
    fits = [_fit_lines(fold.train, matrix, STRENGTHS) for fold, matrix in zip(folds, seen, strict=True)]
    raw = [np.concatenate([fit[strength].log_odds(fold.unseen) for fit, fold in zip(fits, folds, strict=True)]) for strength in STRENGTHS]
    best = STRENGTHS[int(np.argmin([losses(score + shift, y).mean() for score in raw]))]
    texts = [as_trees(fit[best], matrix, fold.train, base) for fit, matrix, fold in zip(fits, seen, folds, strict=True)]
    return _Tried(replace(candidate, params={"C": best}), tuple(lightgbm.Booster(model_str=text) for text in texts), (1,) * len(folds))


def _boosted(folds: Sequence[Fold], candidate: Candidate, base: Mapping[str, Any], max_rounds: int) -> _Tried:
    boosters = tuple(_train(fold, dict(base) | dict(candidate.params), max_rounds) for fold in folds)
    return _Tried(candidate, boosters, tuple(booster.best_iteration for booster in boosters))


def _fit_lines(train: lightgbm.Dataset, seen: Floats, strengths: Sequence[float]) -> Mapping[float, LinearModel]:
    categories = [int(place) for place in train.construct().categorical_feature]
    return fit_linear(seen, np.asarray(train.get_label()), categories, strengths)


def _train(fold: Fold, params: Mapping[str, Any], max_rounds: int) -> lightgbm.Booster:
    """Stop after a patience that is the longer the slower the rate: at a slow one a flat stretch can be long."""
    patience = max(_FEWEST_PATIENT_ROUNDS, round(_PATIENCE / params["learning_rate"]))
    return lightgbm.train(
        dict(params),
        fold.train,
        num_boost_round=max_rounds,
        valid_sets=[fold.stop],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )


def _unseen(tried: _Tried, folds: Sequence[Fold]) -> Floats:
    """Log-odds of all folds' unseen rows, fold after fold."""
    each = zip(tried.boosters, folds, strict=True)
    return np.concatenate([booster.predict(fold.unseen, raw_score=True, num_iteration=booster.best_iteration) for booster, fold in each])
