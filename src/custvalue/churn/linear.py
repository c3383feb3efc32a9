"""A logistic regression, written as trees of one column each: where effects add up, few rows tell a line sooner than its steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from custvalue.churn.merging import merge_models

Floats = NDArray[np.float64]

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""The inverse ridge (scikit-learn's ``C``), from strong to weak; columns have unit spread."""

_ENDS = (0.01, 0.99)  # a number beyond these quantiles counts as the quantile
_LEVELS = 20  # of a category, the most frequent ones
_STEPS = 32  # that a line becomes, at most
_SMALL = 0.01  # a column that spreads the log-odds by less than this share is left out: its tree costs as much to score as any
_DRAWING = {
    "objective": "none",
    "num_leaves": _STEPS,
    "learning_rate": 1.0,
    "feature_fraction": 1.0,
    "min_data_in_leaf": 1,
    "min_sum_hessian_in_leaf": 0.0,
    "lambda_l2": 0.0,
    "cat_l2": 0.0,
    "cat_smooth": 0.0,
    "min_data_per_group": 1,
    "max_cat_to_onehot": _LEVELS + 1,
}
"""A tree that draws a given function of a column as near as its leaves allow."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Log-odds that are a constant and a part of each column.

    Attributes
    ----------
    terms : tuple of Term
    effects : tuple of array
        What the columns of each term's design are multiplied with.
    intercept : float
    """

    terms: tuple[Term, ...]
    effects: tuple[Floats, ...]
    intercept: float

    def parts(self, matrix: Floats) -> dict[int, Floats]:
        """Place of a column → what it adds to each row's log-odds."""
        both = zip(self.terms, self.effects, strict=True)
        return {term.place: term.design(matrix[:, term.place]) @ effect for term, effect in both}

    def log_odds(self, matrix: Floats) -> Floats:
        """Log-odds of rows of the booster's matrix."""
        return np.asarray(sum(self.parts(matrix).values(), np.full(len(matrix), self.intercept)), dtype=np.float64)


@dataclass(frozen=True)
class Term:
    """How a column enters: a number within its usual bounds, of mean 0 and unit spread, with its missingness; or levels one by one."""

    place: int
    levels: int = 0
    bounds: tuple[float, float] = (0.0, 0.0)
    middle: float = 0.0
    spread: float = 1.0
    missing: bool = False

    @classmethod
    def of(cls, place: int, values: Floats, *, category: bool) -> Term:
        """Learn a column's levels, or its bounds, mean and spread."""
        known = values[~np.isnan(values)]
        if category or not known.size:
            return cls(place, levels=int(min(known.max(initial=-1.0) + 1, _LEVELS)))
        low, high = np.quantile(known, _ENDS)
        low, high = (low, high) if low < high else (known.min(), known.max())
        usual = np.clip(known, low, high)
        return cls(place, 0, (float(low), float(high)), float(usual.mean()), float(usual.std()) or 1.0, known.size < values.size)

    def design(self, values: Floats) -> Floats:
        """Columns of a regression, as many as the term has effects."""
        if self.levels:
            return np.equal.outer(values, np.arange(self.levels)).astype(np.float64)
        gone = np.isnan(values)
        scaled = np.where(gone, 0.0, (np.clip(values, *self.bounds) - self.middle) / self.spread)
        return np.column_stack([scaled, gone] if self.missing else [scaled])


def fit_linear(
    matrix: Floats, y: ArrayLike, categories: Collection[int], strengths: Sequence[float] = STRENGTHS
) -> dict[float, LinearModel]:
    """Fit logistic regressions with a ridge, one a strength.

    Parameters
    ----------
    matrix : (rows, columns) array
        As `encode_columns` gives it.
    y : (rows,) array
        Outcomes, 0 and 1.
    categories : collection of int
        Places of the columns that hold codes of levels, the most frequent first.
    strengths : sequence of float, optional
    """
    entered = [Term.of(place, matrix[:, place], category=place in categories) for place in range(matrix.shape[1])]
    both = [(term, term.design(matrix[:, term.place])) for term in entered]
    both = [(term, design) for term, design in both if np.ptp(design, axis=0).any()]
    terms = tuple(term for term, _ in both)
    design = np.column_stack([np.zeros(len(matrix)), *(own for _, own in both)])
    ends = np.cumsum([1, *(own.shape[1] for _, own in both)])[:-1]
    regression, found = LogisticRegression(max_iter=1_000, warm_start=True), {}
    for strength in strengths:
        regression.set_params(C=strength).fit(design, np.asarray(y))
        effects = np.split(regression.coef_[0].copy(), ends)[1:]
        found[strength] = LinearModel(terms, tuple(effects), float(regression.intercept_[0]))
    return found


def as_trees(model: LinearModel, matrix: Floats, data: lightgbm.Dataset, base: Mapping[str, Any]) -> str:
    """Write a linear model as LightGBM's text: for each column a tree of its own, whose leaves hold the column's mean part.

    Parameters
    ----------
    model : LinearModel
    matrix : (rows, columns) array
        Rows by which steps are laid.
    data : lightgbm.Dataset
        The same rows, binned as for the boosters it is to be merged with.
    base : dict
        The boosters' parameters; declared signs hold here, too.
    """
    parts = model.parts(matrix)
    spread = float(np.std(model.log_odds(matrix)))
    drawn = {place: part for place, part in parts.items() if part.std() > _SMALL * spread} or {0: np.zeros(len(matrix))}
    shift = model.intercept + float(sum(part.mean() for place, part in parts.items() if place not in drawn))
    texts = [_drawn(place, part, data, base) for place, part in drawn.items()]
    return merge_models(texts, [1.0] * len(texts), shift=shift)


def _drawn(place: int, part: Floats, data: lightgbm.Dataset, base: Mapping[str, Any]) -> str:
    """Draw one column's part as a tree: with −part as the gradient and 1 as the curvature, a leaf's value is its mean part."""
    booster = lightgbm.Booster(dict(base) | _DRAWING | {"interaction_constraints": [[place]]}, data)
    booster.update(fobj=lambda *_: (-part, np.ones(part.size)))
    return booster.model_to_string().replace("\nfeature_names=", "\nobjective=binary sigmoid:1\nfeature_names=", 1)
