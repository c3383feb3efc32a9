"""How many customers an effect needs to be seen, and what may be said of one that was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from custvalue.errors import ConfigError
from custvalue.retention.effect.design import Design
from custvalue.retention.effect.estimates import ALPHA, Estimate

POWER = 0.8
LEAST_LEAVERS = 10.0
"""Leavers that each arm must be expected to have, at the rate of both together, before an interval is trusted."""

Verdict = Literal["works", "harms", "cannot_conclude"]


@dataclass(frozen=True)
class Size:
    """How many customers to list and to hold out."""

    listed: int
    held_out: int

    @property
    def customers(self) -> int:
        """Both together."""
        return self.listed + self.held_out


def required_size(p0: float, p1: float, share: float, alpha: float = ALPHA, power: float = POWER) -> Size:
    """Give how many customers must be listed and held out so that a change of a rate is seen.

    ``(z₁₋α⸝₂ + z_power)² · (p0(1 − p0)/share + p1(1 − p1)/(1 − share)) / (p0 − p1)²`` in all, rounded up: two proportions, two-sided, each
    customer randomised for himself (Fleiss, Levin, Paik 2003, chapter 4, without continuity correction).

    Parameters
    ----------
    p0, p1 : float
        Rate without and with the campaign, above 0 and below 1.
    share : float
        Share of the customers that is held out.
    alpha, power : float
        Chance of seeing an effect where there is none, and of seeing this one.

    Raises
    ------
    ConfigError
        The rates are equal, or a number is not between 0 and 1.
    """
    given = {"p0": p0, "p1": p1, "share": share, "alpha": alpha, "power": power}
    wrong = [f"{name} = {value}" for name, value in given.items() if not 0 < value < 1]
    if wrong or p0 == p1:
        raise ConfigError(f"required size: {', '.join(wrong) or 'p0 = p1'}. Give two different rates, and each number between 0 and 1.")
    variance = p0 * (1 - p0) / share + p1 * (1 - p1) / (1 - share)
    customers = math.ceil(_distance(alpha, power) ** 2 * variance / (p0 - p1) ** 2)
    held_out = round(customers * share)
    return Size(customers - held_out, held_out)


def detectable_difference(error: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Give the smallest true difference that an experiment of this standard error sees with the power given."""
    return _distance(alpha, power) * error


def _distance(alpha: float, power: float) -> float:
    return float(ndtri(1 - alpha / 2) + ndtri(power))


@dataclass(frozen=True)
class Judgement:
    """What may be said of an effect on leaving.

    Attributes
    ----------
    verdict : str
        ``works`` and ``harms`` only where the interval leaves zero out and the leavers suffice.
    has : int
        Customers compared.
    needs : int or None
        Customers that the effect which was planned needs, of the same kind and with the same share held out; None where none was planned.
    detectable : float
        The smallest difference that this campaign would have seen with 80 % power.
    """

    verdict: Verdict
    has: int
    needs: int | None
    detectable: float


def judge(design: Design, left: npt.ArrayLike, effect: Estimate, *, planned: float | None = None) -> Judgement:
    """Say whether a campaign works, harms, or cannot be concluded upon.

    Parameters
    ----------
    design : Design
    left : (n,) array
        1 for who left, 0 for who stayed.
    effect : Estimate
        `intention_to_treat` of the same.
    planned : float, optional
        The change of the rate that the campaign was made for, for example −0.02. What was measured must not be put in its place: it would
        make every inconclusive campaign look as if it only needed more customers.
    """
    leaves = np.asarray(left, dtype=np.float64)
    held_out = int((~design.listed).sum())
    few = leaves.mean() * min(held_out, leaves.size - held_out) < LEAST_LEAVERS
    verdict: Verdict = "cannot_conclude"
    if not few and (effect.high < 0 or effect.low > 0):
        verdict = "works" if effect.high < 0 else "harms"
    needs = None
    p0 = design.rate(leaves, listed=False)
    if planned and 0 < p0 < 1 and 0 < p0 + planned < 1:
        share = held_out / leaves.size
        needs = math.ceil(required_size(p0, p0 + planned, share).customers * _inflation(design, leaves, effect.error))
    return Judgement(verdict, leaves.size, needs, detectable_difference(effect.error))


def _inflation(design: Design, leaves: npt.NDArray[np.float64], error: float) -> float:
    """How much larger the variance is than that of customers randomised one by one; never taken to be smaller."""
    arms = (leaves[design.listed], leaves[~design.listed])
    simple = sum(float(own.var()) / own.size for own in arms)
    return max(1.0, error**2 / simple) if simple > 0 else 1.0
