"""Which reasons of many customers are said, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custvalue.errors import ConfigError, ModelError
from custvalue.features.columns import FeatureColumn
from custvalue.wording import LAST_RESORT, Catalogue, Direction, Facts, Variant

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRAIN = 0.1
"""Log-odds by which weights are told apart, about 10 % of the odds: less than half of it is no reason, and what is nearly as strong keeps
the catalogue's order, so that small movements of the model do not turn a customer's reasons round from night to night."""

NOTHING = -1
_ROWS = 1_024


@dataclass(frozen=True)
class Chosen:
    """Reasons of many customers before they are put into words, one row a customer, best first.

    Attributes
    ----------
    variants : array of int, shape (n, limit)
        Place in `Speech.variants`, or `NOTHING`.
    weights : array of float, shape (n, limit)
        Sum of the contributions of the reason's columns.
    """

    variants: Ints
    weights: Floats


class Speech:
    """All that may be said: the catalogue's variants whose columns are there, numbered.

    Attributes
    ----------
    codes : tuple of str
        Reasons that may be said, in the catalogue's order.
    variants : list of (str, Variant)
        Code and variant, in the catalogue's order.
    facts : frozenset of str
        Columns that they speak of.
    """

    def __init__(self, catalogue: Catalogue, codes: Sequence[str], columns: frozenset[str]) -> None:
        self.codes = tuple(code for code in catalogue.reasons if code in codes and not catalogue.reason(code).sensitive)
        self.variants: list[tuple[str, Variant]] = []
        self._own: dict[tuple[str, Direction], list[int]] = {}
        for code in (*self.codes, LAST_RESORT):
            for variant in catalogue.reason(code).variants.values():
                if variant.facts <= columns:
                    self._own.setdefault((code, variant.direction), []).append(len(self.variants))
                    self.variants.append((code, variant))
        self.facts = frozenset[str]().union(*(variant.facts for _, variant in self.variants))
        last = self._own.get((LAST_RESORT, "context"))
        if not last or self.variants[last[0]][1].facts:
            raise ConfigError(
                f"wording: reasons.yaml needs {LAST_RESORT!r} with a context variant that has no conditions and shows no fact: "
                "it is said where no warning can be."
            )
        self._last = last[0]

    def choose(self, weights: Floats, facts: Facts, limit: int) -> Chosen:
        """Choose up to ``limit`` reasons a customer.

        Parameters
        ----------
        weights : array, shape (n, len(codes))
            What each reason adds to the log-odds.
        facts : Facts
            Of the same customers.
        limit : int
            At least 1.
        """
        risk, coarse = self.fitting(facts, "risk", weights), np.round(weights / GRAIN)
        chosen = _best(np.where((risk != NOTHING) & (coarse > 0), coarse, -np.inf), risk, weights, limit)
        silent = np.flatnonzero(chosen.variants[:, 0] == NOTHING)
        if len(silent):
            self._fall_back(chosen, silent, weights, facts, limit)
        return chosen

    def _fall_back(self, chosen: Chosen, rows: npt.NDArray[np.intp], weights: Floats, facts: Facts, limit: int) -> None:
        """Say that no warning stands out, and beside it plain facts of what raises the risk."""
        own = weights[rows]
        chosen.variants[rows, 0], chosen.weights[rows, 0] = self._last, own.sum(axis=1)
        if limit > 1:
            plain, coarse = self.fitting(facts.take(rows, self.facts), "context", own), np.round(own / GRAIN)
            more = _best(np.where((plain != NOTHING) & (coarse > 0), coarse, -np.inf), plain, own, limit - 1)
            chosen.variants[rows, 1:], chosen.weights[rows, 1:] = more.variants, more.weights

    def fitting(self, facts: Facts, direction: Direction, weights: Floats) -> Ints:
        """Give each reason's first variant of a direction that is true of a customer whose risk it raises; shape (n, len(codes))."""
        found = np.full(weights.shape, NOTHING, dtype=np.int64)
        for place, code in enumerate(self.codes):
            open_ = weights[:, place] > 0
            for number in self._own.get((code, direction), []):
                if not open_.any():
                    break
                fits = open_ & self.variants[number][1].fits(facts)
                found[fits, place] = number
                open_ &= ~fits
        return found


def _best(score: Floats, variants: Ints, weights: Floats, limit: int) -> Chosen:
    """Take the highest scores one after the other; of equal ones the first."""
    score, rows = score.copy(), np.arange(len(score))
    found = Chosen(np.full((len(score), limit), NOTHING, dtype=np.int64), np.zeros((len(score), limit)))
    for rank in range(limit if score.shape[1] else 0):
        best = score.argmax(axis=1)
        there = score[rows, best] > -np.inf
        found.variants[there, rank] = variants[rows, best][there]
        found.weights[there, rank] = weights[rows, best][there]
        score[rows, best] = -np.inf
    return found


def weights_by_reason(contributions: Floats, columns: Sequence[FeatureColumn], catalogue: Catalogue) -> tuple[tuple[str, ...], Floats]:
    """Add up the contributions of the columns of each reason, so that correlated columns count once.

    Parameters
    ----------
    contributions : array, shape (n, len(columns) + 1)
        Shapley values, log-odds; the last column, the base value, is not read.
    columns : sequence of FeatureColumn
        Declarations in the order of ``contributions``.
    catalogue : Catalogue
        The words.

    Returns
    -------
    codes : tuple of str
        Reason codes in the catalogue's order.
    weights : array, shape (n, len(codes))
        Log-odds.

    Raises
    ------
    ConfigError
        The catalogue has no words for a column's reason.
    ModelError
        The shapes do not fit, or a contribution is not finite.
    """
    if contributions.ndim != 2 or contributions.shape[1] != len(columns) + 1:
        raise ModelError(
            f"explain: contributions have shape {contributions.shape}; {len(columns)} columns need (customers, {len(columns) + 1}). "
            "Pass the columns that were scored."
        )
    declared = {column.reason: catalogue.reason(column.reason) for column in columns}
    codes = tuple(code for code in catalogue.reasons if code in declared)
    places = np.array([codes.index(column.reason) for column in columns], dtype=np.intp)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(codes)))
    weights = np.empty((len(contributions), len(codes)))
    # Row by row the same sums: a matrix product may differ in the last digit with the number and order of rows.
    for start in range(0, len(contributions) if len(codes) else 0, _ROWS):
        part = slice(start, start + _ROWS)
        weights[part] = np.add.reduceat(contributions[part, order], starts, axis=1)
    if not np.isfinite(weights).all():
        raise ModelError("explain: some contributions are not finite. The model or its input is broken; train again.")
    return codes, weights
