"""Costs that differ by customer: what a decision costs, and what it saves over contacting nobody or everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, checked


@dataclass(frozen=True, eq=False)
class CostMatrix:
    """Cost of each outcome of a decision, one number for all customers or one a customer.

    Contact where ``costs.saving(p) > 0``: for calibrated p that is the decision of least expected cost (Elkan 2001).

    Attributes
    ----------
    false_positive, false_negative, true_positive, true_negative : float or (n,), currency
        Cost of contacting a stayer, of not contacting a leaver, of contacting a leaver, of leaving a stayer alone. A
        benefit is a negative cost.
    """

    false_positive: ArrayLike
    false_negative: ArrayLike
    true_positive: ArrayLike = 0.0
    true_negative: ArrayLike = 0.0

    def cost(self, probability: ArrayLike, contacted: ArrayLike) -> Floats:
        """Cost of each row, (n,): expected, for the chance of leaving; as it turned out, for the outcome in its place.

        ``contacted`` is 1 or 0 (or True or False), or the chance of being contacted.
        """
        return np.asarray(self._untouched(probability) - np.asarray(contacted, dtype=np.float64) * self.saving(probability))

    def saving(self, probability: ArrayLike) -> Floats:
        """What contacting each row saves, (n,): expected, for the chance of leaving, or earned, for the outcome in its place."""
        p = np.asarray(probability, dtype=np.float64)
        touched = p * np.asarray(self.true_positive) + (1 - p) * np.asarray(self.false_positive)
        return np.asarray(self._untouched(p) - touched)

    def _untouched(self, probability: ArrayLike) -> Floats:
        p = np.asarray(probability, dtype=np.float64)
        return np.asarray(p * np.asarray(self.false_negative) + (1 - p) * np.asarray(self.true_negative))


def savings_score(y: ArrayLike, contacted: ArrayLike, costs: CostMatrix) -> float:
    """Part of the cost that a decision saves over the better of contacting nobody and contacting everybody.

    ``1 − cost / min(cost of nobody, cost of everybody)`` (Bahnsen et al. 2014): 1 is free of all cost, 0 no better than
    one rule for all, below 0 worse.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    contacted : (n,) decisions, 0 or 1, or chances of being contacted
    costs : CostMatrix

    Raises
    ------
    ConfigError
        One rule for all costs nothing, so there is nothing to compare with.
    """
    outcome, decision = checked(y, contacted)
    nobody, everybody = (float(costs.cost(outcome, np.full(outcome.size, rule)).sum()) for rule in (0.0, 1.0))
    if min(nobody, everybody) <= 0:
        raise ConfigError(
            f"savings are relative to the cost of contacting nobody ({nobody:g}) or everybody ({everybody:g}); the lower one "
            "must be above 0. Compare costs (`CostMatrix.cost`) instead."
        )
    return 1 - float(costs.cost(outcome, decision).sum()) / min(nobody, everybody)
