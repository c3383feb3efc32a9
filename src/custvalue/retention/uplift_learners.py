"""Ways to learn from randomised contacts what one does to a customer: T-, X- and DR-learner on LightGBM, and a line in the risk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FOLDS = 3
_ROUNDS, _LEAVES = 80, 4
"""Effects are small and randomised contacts few: short sums of shallow trees, strongly shrunk."""
_LEAST_IN_LEAF, _MOST_LEAVES_WORTH = 50, 20


@dataclass(frozen=True, eq=False)
class Sample:
    """Randomised contacts as arrays, one row each.

    Attributes
    ----------
    matrix : (n, columns) float
        What was known before the contact; NaN where missing.
    risk : (n,) float
        The churn probability known before the contact.
    left : (n,) float
        1 for those who left within the window after it.
    contacted : (n,) bool
        The others were held out, by lot.
    customer : (n,) int
        Whose row it is; one's rows never lie in two folds.
    """

    matrix: Floats
    risk: Floats
    left: Floats
    contacted: Flags
    customer: NDArray[np.intp]

    def take(self, rows: NDArray[Any]) -> Sample:
        """Keep some rows, by mask or position."""
        return Sample(*(getattr(self, name)[rows] for name in ("matrix", "risk", "left", "contacted", "customer")))

    @property
    def share(self) -> float:
        """Share of the rows that were contacted: the chance that the lot gave each of them."""
        return float(self.contacted.mean())

    def folds(self, count: int, seed: int) -> NDArray[np.intp]:
        """Fold of each row, by customer."""
        _, place = np.unique(self.customer, return_inverse=True)
        return np.random.default_rng(seed).permutation(int(place.max()) + 1)[place] % count


@dataclass(frozen=True, eq=False)
class Effect:
    """Leaving that a contact prevents: a weighted sum of boosters, and of the risk and what is missing from it to 1.

    Attributes
    ----------
    terms : tuple of (weight, LightGBM text)
    saved, harmed : float
        Share of would-be leavers whom a contact keeps, and share of would-be stayers whom it drives away.
    """

    terms: tuple[tuple[float, str], ...] = ()
    saved: float = 0.0
    harmed: float = 0.0

    def predict(self, matrix: Floats, risk: Floats) -> Floats:
        """Expected drop of the chance of leaving by a contact, (n,); negative where contacts harm."""
        total: Floats = self.saved * risk - self.harmed * (1 - risk)
        for weight, booster in self._boosters:
            total = total + weight * np.asarray(booster.predict(matrix, num_threads=1), dtype=np.float64)
        return total

    @cached_property
    def _boosters(self) -> tuple[tuple[float, lightgbm.Booster], ...]:
        return tuple((weight, lightgbm.Booster(model_str=text)) for weight, text in self.terms)


def doubly_robust(sample: Sample, untouched: Floats, contacted: Floats) -> Floats:
    """Give each row's unbiased, noisy view of its own effect (Kennedy 2023): the models' difference, corrected by what happened.

    Parameters
    ----------
    untouched, contacted : (n,)
        Chance of leaving without and with a contact, by models that have not seen the row's customer.
    """
    missed = np.where(sample.contacted, -(sample.left - contacted) / sample.share, (sample.left - untouched) / (1 - sample.share))
    view: Floats = untouched - contacted + missed
    return view


def outcome_models(sample: Sample, seed: int) -> tuple[Effect, Effect]:
    """Chance of leaving without and with a contact, each learnt from the rows that had it so."""
    return _boosted(sample.take(~sample.contacted), seed), _boosted(sample.take(sample.contacted), seed)


def cross_fitted(sample: Sample, seed: int) -> tuple[Floats, Floats]:
    """Chances of `outcome_models` for every row, from folds without the row's customer."""
    fold, found = sample.folds(_FOLDS, seed), np.empty((2, len(sample.left)))
    for number in range(_FOLDS):
        judged = sample.take(fold == number)
        for place, model in enumerate(outcome_models(sample.take(fold != number), seed)):
            found[place, fold == number] = model.predict(judged.matrix, judged.risk)
    return found[0], found[1]


def learn_t(sample: Sample, _untouched: Floats, _contacted: Floats, seed: int) -> Effect:
    """T-learner: one model of leaving without a contact, one with, and their difference."""
    without, made = outcome_models(sample, seed)
    return Effect(without.terms + _times(-1.0, made))


def learn_x(sample: Sample, untouched: Floats, contacted: Floats, seed: int) -> Effect:
    """X-learner (Künzel et al. 2019): each group against what the other group's model says of it."""
    ours, theirs = sample.take(sample.contacted), sample.take(~sample.contacted)
    of_contacted = _boosted(ours, seed, untouched[sample.contacted] - ours.left)
    of_untouched = _boosted(theirs, seed, theirs.left - contacted[~sample.contacted])
    return Effect(_times(1 - sample.share, of_contacted) + _times(sample.share, of_untouched))


def learn_dr(sample: Sample, untouched: Floats, contacted: Floats, seed: int) -> Effect:
    """DR-learner (Kennedy 2023): one model of the `doubly_robust` views."""
    return _boosted(sample, seed, doubly_robust(sample, untouched, contacted))


def learn_line(sample: Sample, untouched: Floats, contacted: Floats, _seed: int) -> Effect:
    """Two numbers alone, the formula's own: the shares saved of would-be leavers and harmed of would-be stayers, by least squares."""
    view = doubly_robust(sample, untouched, contacted)
    saved, harmed = np.linalg.lstsq(np.column_stack([sample.risk, sample.risk - 1]), view)[0]
    return Effect(saved=float(saved), harmed=float(harmed))


LEARNERS: Mapping[str, Callable[[Sample, Floats, Floats, int], Effect]] = {"line": learn_line, "T": learn_t, "X": learn_x, "DR": learn_dr}
"""Every way of learning, from a sample, what `cross_fitted` gives for it, and a seed; the first of equals is taken, the simplest."""


def _times(weight: float, effect: Effect) -> tuple[tuple[float, str], ...]:
    return tuple((weight * own, text) for own, text in effect.terms)


def _boosted(sample: Sample, seed: int, target: Floats | None = None) -> Effect:
    """Model of a number (whether somebody left, if none is given) by least squares."""
    least = max(_LEAST_IN_LEAF, len(sample.left) // _MOST_LEAVES_WORTH)
    settings = {
        "objective": "regression",
        "num_leaves": _LEAVES,
        "learning_rate": 0.05,
        "min_data_in_leaf": least,
        "lambda_l2": float(least),
        "feature_fraction": 0.5,
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(sample.matrix, sample.left if target is None else target)
    return Effect(((1.0, lightgbm.train(settings, data, _ROUNDS).model_to_string()),))
