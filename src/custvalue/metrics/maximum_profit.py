"""The profit of a ranking at its best threshold: MP, and EMPC where the chance to save is known by its distribution only.

Verbraken, Verbeke and Baesens (2013), "A novel profit maximizing metric for measuring classification performance of
customer churn prediction models", IEEE TKDE 25(5). To contact the share F0 of the leavers and F1 of the stayers earns,
a customer of the base, ``V·[(γ(1 − δ) − φ)·π0·F0 − (δ + φ)·π1·F1]`` with δ = d/V and φ = f/V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from custvalue.errors import ConfigError
from custvalue.metrics.arrays import Floats, ascending, checked, tie_groups
from custvalue.metrics.profit import contact_value, profit_curve

VALUE, OFFER, CONTACT_COST = 200.0, 10.0, 1.0
"""V, d and f of the paper in currency, at which models are compared."""
ALPHA, BETA = 6.0, 14.0
"""γ ~ Beta(6, 14) of the paper: 30 % of the contacted leavers stay, with a standard deviation of 10 points."""
SAVE = ALPHA / (ALPHA + BETA)


class MaximumProfit(NamedTuple):
    """Profit at the best threshold.

    Attributes
    ----------
    profit : float
        Currency a customer of the base, contacted or not; never below 0, which contacting nobody earns.
    share : float
        Share of the base contacted there; for `empc` its mean over the chance to save.
    """

    profit: float
    share: float


def mp_score(y: ArrayLike, p: ArrayLike, **terms: ArrayLike) -> float:
    """Maximum profit, in currency a customer of the base; see `mp` for the terms."""
    return mp(y, p, **terms).profit


def mp(
    y: ArrayLike,
    p: ArrayLike,
    *,
    value: ArrayLike = VALUE,
    offer: ArrayLike = OFFER,
    contact_cost: ArrayLike = CONTACT_COST,
    save: ArrayLike = SAVE,
) -> MaximumProfit:
    """Maximum profit, and the share contacted, for a known chance to save.

    Parameters
    ----------
    y : (n,) outcomes, 0 or 1
    p : (n,) scores; only their order counts
    value, offer, contact_cost : float or (n,), currency
        V, kept when a leaver is saved; d, cost of the offer, which the saved and all stayers take; f, cost of a contact.
    save : float or (n,)
        γ, the chance that a contacted leaver stays.
    """
    outcome, score = checked(y, p)
    gain = contact_value(outcome, value=value, offer=offer, contact_cost=contact_cost, save=save)
    curve = profit_curve(gain, score)
    best = int(np.argmax(curve.profit))
    return MaximumProfit(float(curve.profit[best]), float(curve.share[best]))


def empc_score(y: ArrayLike, p: ArrayLike, **terms: float) -> float:
    """Expected maximum profit for churn (EMPC), in currency a customer of the base; see `empc` for the terms."""
    return empc(y, p, **terms).profit


def empc(
    y: ArrayLike,
    p: ArrayLike,
    *,
    value: float = VALUE,
    offer: float = OFFER,
    contact_cost: float = CONTACT_COST,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> MaximumProfit:
    """Expected maximum profit for churn, and the expected share contacted.

    ``∫ max over t of profit(t; γ) · h(γ) dγ`` with γ ~ Beta(alpha, beta): the best threshold is taken anew for each γ.
    Only thresholds on the convex hull of the ROC curve can be best, and from one to the next the γ from which contacting
    the rows between them pays rises. So the integral is, over the hull's segments, that of
    ``max(0, γ·(V − d)·leavers − f·leavers − (d + f)·stayers)``, in closed form.

    Parameters
    ----------
    y, p, value, offer, contact_cost
        As for `mp`, but the same for all rows.
    alpha, beta : float
        Above 0.

    Raises
    ------
    ConfigError
        A term that makes no sense.
    """
    from scipy.special import betainc

    _refuse_terms(value=value, offer=offer, contact_cost=contact_cost, alpha=alpha, beta=beta)
    leavers, stayers = _hull(*ascending(y, p))
    saved = (value - offer) * leavers
    cost = contact_cost * leavers + (offer + contact_cost) * stayers
    pays_from = np.divide(cost, saved, out=np.ones_like(cost), where=saved > 0).clip(0.0, 1.0)
    chance = 1 - betainc(alpha, beta, pays_from)
    mean_save = alpha / (alpha + beta) * (1 - betainc(alpha + 1, beta, pays_from))
    return MaximumProfit(float(saved @ mean_save - cost @ chance), float((leavers + stayers) @ chance))


def _hull(outcome: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Leavers and stayers, as shares of all rows, of each segment of the ROC curve's convex hull.

    The hull's segments are the blocks in which an isotonic regression of the outcome on the score is constant.
    """
    from scipy.optimize import isotonic_regression

    positive, _, size = tie_groups(outcome, score)
    starts = isotonic_regression(positive / size, weights=size).blocks[:-1]
    leavers, rows = (np.add.reduceat(part, starts) / outcome.size for part in (positive, size))
    return leavers, rows - leavers


def _refuse_terms(**terms: float) -> None:
    for name, given in terms.items():
        least = "above 0" if name in ("value", "alpha", "beta") else "0 or more"
        if not (np.isfinite(given) and (given > 0 or (given == 0 and least == "0 or more"))):
            raise ConfigError(f"{name} must be a number {least}, not {given!r}.")
