"""The effect of a contact on each customer, learnt from contacts made or withheld by lot, where they are enough to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from custvalue.churn.encoding import encode_columns, learn_vocabularies
from custvalue.errors import DataError
from custvalue.metrics import qini_interval, qini_score
from custvalue.retention.uplift_learners import LEARNERS, Effect, Floats, Sample, cross_fitted, doubly_robust, outcome_models
from custvalue.retention.uplift_model import EffectModel, Learned, known_risk

_GATE_SHARE = 0.3
"""The newest contacts, by day, judge and do not teach."""
_FOLDS = 5
_LEAST_LEAVERS = 20
"""Fewer leavers than this among the contacted or the held-out, to learn from or to judge by, can tell nothing."""


def too_few(*, left: ArrayLike, contacted: ArrayLike, customer: ArrayLike, day: ArrayLike) -> Learned | None:
    """Say that contacts by lot are too few to learn from and to judge by; None where they may do. For the arrays see `learn_effect`."""
    gone, made, days = np.asarray(left, dtype=np.float64), np.asarray(contacted, dtype=np.bool_), np.asarray(day)
    newest, older = _split(np.asarray(customer), days)
    if min(gone[rows & arm].sum() for rows in (newest, older) for arm in (made, ~made)) >= _LEAST_LEAVERS:
        return None
    return _unlearnt(gone, "")


def learn_effect(
    X: pd.DataFrame,
    *,
    left: ArrayLike,
    contacted: ArrayLike,
    customer: ArrayLike,
    day: ArrayLike,
    columns: Sequence[tuple[str, str]],
    accepted: ArrayLike | None = None,
    seed: int = 7,
) -> Learned:
    """Learn what a contact does to each customer, and keep it only where newer contacts confirm it.

    The newest contacts judge. From the older ones, without the customers who judge, every learner is cross-fitted with a customer's rows
    kept together, and the one with the least doubly robust loss is taken. It passes where the lower bound of the 95 % interval of its
    Qini on the newest contacts lies above zero; it is then learnt again from all of them.

    Parameters
    ----------
    X : (n, …) DataFrame
        What was known before each contact or draw: the columns and ``probability``.
    left : (n,)
        1 for those who left within the window after it.
    contacted : (n,) bool
        Contacted, or held out. Drawn by lot with one chance for all.
    customer, day : (n,)
        Whose row it is, and when the lot was drawn.
    columns : sequence of (name, kind)
        What to learn from; kind is ``number`` or ``category``.
    accepted : (n,) bool, optional
        Whether the contact's offer was accepted; 0 of them where it is not given.

    Raises
    ------
    DataError
        The arrays are not as long as X, or ``probability`` is missing.
    """
    columns, taken = tuple(columns), np.zeros(len(X)) if accepted is None else np.asarray(accepted, dtype=np.float64)
    vocabularies = learn_vocabularies(X, columns)
    sample = _sample(X, columns, vocabularies, left=left, contacted=contacted, customer=customer)
    days = np.asarray(day)
    if days.shape != (len(X),):
        raise DataError(f"day has the shape {days.shape}: give one day for each of the {len(X):,} contacts.")
    if lacking := too_few(left=sample.left, contacted=sample.contacted, customer=sample.customer, day=days):
        return lacking
    newest, older = _split(sample.customer, days)
    judged, learnt = sample.take(newest), sample.take(older)
    learner, losses = _best_learner(learnt, seed)
    qini, low, high = _judge(learner, learnt, judged, seed)
    found = f"{learner}-learner, Qini {qini:.5f} [{low:.5f} to {high:.5f}] on the newest {len(judged.left):,}"
    if not low > 0:
        return _unlearnt(sample.left, f"{found}; ")
    level, spread = _calibrated(*_cross_fitted_views(sample, [learner], seed)[learner])
    model = EffectModel(
        learner=learner,
        parts=_learn(learner, sample, seed),
        level=level,
        spread=spread,
        columns=columns,
        vocabularies=vocabularies,
        take_up=float(taken[sample.contacted].mean()),
        evidence={"contacts": len(X), "leavers": int(sample.left.sum()), "losses": losses, "qini_interval": [low, high]},
    )
    return Learned(model, f"learnt from {_counted(sample.left)}; {found}", len(X), int(sample.left.sum()))


def _best_learner(sample: Sample, seed: int) -> tuple[str, dict[str, float]]:
    """Give the learner of the least doubly robust loss, and the losses of all."""
    views = _cross_fitted_views(sample, list(LEARNERS), seed)
    losses = {name: float(np.mean((view - said) ** 2)) for name, (view, said) in views.items()}
    return min(losses, key=lambda name: losses[name]), losses


def _judge(learner: str, learnt: Sample, judged: Sample, seed: int) -> tuple[float, float, float]:
    """Qini, with its interval, of what a learner says of rows that it has not seen."""
    said = _learn(learner, learnt, seed).predict(judged.matrix, judged.risk)
    stayed, lot = 1 - judged.left, judged.contacted.astype(np.float64)
    return qini_score(stayed, lot, said), *qini_interval(stayed, lot, said, groups=judged.customer, seed=seed)


def _sample(
    X: pd.DataFrame, columns: tuple[tuple[str, str], ...], vocabularies: Mapping[str, tuple[str, ...]], **arrays: ArrayLike
) -> Sample:
    given = {name: np.asarray(values) for name, values in arrays.items()}
    for name, values in given.items():
        if values.shape != (len(X),):
            raise DataError(f"{name} has the shape {values.shape}: give one value for each of the {len(X):,} contacts.")
    customer = np.unique(given["customer"].astype(str), return_inverse=True)[1]
    matrix = encode_columns(X, columns, vocabularies)
    return Sample(matrix, known_risk(X), given["left"].astype(np.float64), given["contacted"].astype(np.bool_), customer)


def _split(customer: NDArray[Any], day: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rows judge (whole days, the newest ones) and which teach: the older ones of customers who do not judge."""
    rows = len(day)
    if not rows:
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_)
    days = day.astype("datetime64[D]")
    newest: NDArray[np.bool_] = days >= np.sort(days)[min(int(np.ceil((1 - _GATE_SHARE) * rows)), rows - 1)]
    return newest, ~newest & ~np.isin(customer, customer[newest])


def _counted(left: Floats) -> str:
    return f"{len(left):,} randomised contacts, {int(left.sum()):,} leavers"


def _unlearnt(left: Floats, found: str) -> Learned:
    return Learned(None, f"cannot learn: {_counted(left)}; {found}using the stated parameters", len(left), int(left.sum()))


def _learn(learner: str, sample: Sample, seed: int) -> Effect:
    return LEARNERS[learner](sample, *cross_fitted(sample, seed), seed)


def _cross_fitted_views(sample: Sample, learners: Sequence[str], seed: int) -> dict[str, tuple[Floats, Floats]]:
    """For each learner: each row's doubly robust view, and what a learner says that has not seen the row's customer."""
    fold, rows = sample.folds(_FOLDS, seed + 1), len(sample.left)
    view, said = np.empty(rows), {name: np.empty(rows) for name in learners}
    for number in range(_FOLDS):
        held = fold == number
        others, judged = sample.take(~held), sample.take(held)
        chances = [model.predict(judged.matrix, judged.risk) for model in outcome_models(others, seed)]
        view[held] = doubly_robust(judged, *chances)
        inner = cross_fitted(others, seed)
        for name in learners:
            said[name][held] = LEARNERS[name](others, *inner, seed).predict(judged.matrix, judged.risk)
    return {name: (view, said[name]) for name in learners}


def _calibrated(view: Floats, said: Floats) -> tuple[float, float]:
    """Level and spread of the least squares line through the views, the spread between 0 and 1."""
    apart = said - said.mean()
    spread = float(np.clip((apart @ view) / max(apart @ apart, 1e-300), 0.0, 1.0))
    return float(view.mean() - spread * said.mean()), spread
