"""What a customer is worth if kept, and what the offer to keep him costs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue.config import RetentionPolicyConfig
from custvalue.config.offers import Offer

Floats = npt.NDArray[np.float64]


def annuity(policy: RetentionPolicyConfig) -> float:
    """Months of revenue that a saved customer stands for today: ``sum over t = 1..T of (s / (1 + r))^t``.

    s is the monthly survival of a saved customer, r the monthly discount rate, T the months that count (the customer
    lifetime value sum with constant survival and discount).
    """
    value = policy.value
    months = np.arange(1, value.months + 1)
    return float(np.sum((value.monthly_survival / (1 + value.monthly_discount)) ** months))


def saved_survival(survived: Floats, policy: RetentionPolicyConfig, *, gap_months: int, window_months: int) -> Floats:
    """Give S(t), the chance that a customer who is saved tonight is still there after each of the months that count.

    Saved means that he does not leave within the window that his probability is about: S is 1 until then. Afterwards he leaves as the
    hazard model says, since a call does not change who he is; beyond what it sees, the policy's monthly survival holds.

    Parameters
    ----------
    survived : ndarray, shape (n, H)
        Chance of still being there at the end of each month after the hazard's gap; see `churn.survival`.
    policy : RetentionPolicyConfig
        Months that count, and survival beyond.
    gap_months : int
        The hazard's gap.
    window_months : int
        Months from tonight to the end of the probability's window.

    Returns
    -------
    ndarray of float64, shape (n, ``policy.value.months``)
    """
    after = np.column_stack([np.ones((len(survived), gap_months + 1)), survived])  # by months from tonight, beginning with none
    months = np.arange(1, policy.value.months + 1)
    seen = after.shape[1] - 1
    through = after[:, [min(window_months, seen)]]
    kept = np.divide(after[:, np.minimum(months, seen)], through, out=np.zeros((len(after), len(months))), where=through > 0)
    beyond = policy.value.monthly_survival ** np.clip(months - max(seen, window_months), 0, None)
    return np.where(months <= window_months, 1.0, kept * beyond)


def discounted_months(survived: Floats, policy: RetentionPolicyConfig) -> Floats:
    """Months of revenue that each customer stands for today: ``sum over t of S(t) / (1 + r)^t``, shape (n,); see `saved_survival`."""
    total: Floats = survived @ (1 + policy.value.monthly_discount) ** -np.arange(1.0, survived.shape[1] + 1)
    return total


def value_kept(arpu: npt.ArrayLike, policy: RetentionPolicyConfig, months: npt.ArrayLike | None = None) -> Floats:
    """Give V, the value kept when a customer is saved: ``margin * ARPU * months``.

    Parameters
    ----------
    arpu : array-like, shape (n,)
        Currency a month. A negative or missing ARPU counts as zero.
    months : array-like, shape (n,), optional
        Months of revenue that each customer stands for; `annuity`, the same for all, by default.

    Returns
    -------
    ndarray of float64, shape (n,)
        Currency.
    """
    return policy.value.margin * _positive(arpu) * (annuity(policy) if months is None else np.asarray(months, dtype=np.float64))


def offer_cost(arpu: npt.ArrayLike, policy: RetentionPolicyConfig) -> Floats:
    """Give d, the cost of the policy's usual offer when it is taken, in currency; see `Offer` and `value_kept`."""
    return cost_of(policy.usual_offer, arpu, value_kept(arpu, policy))


def cost_of(offer: Offer, arpu: npt.ArrayLike, value: npt.ArrayLike) -> Floats:
    """Give d, the cost of an offer to each customer who takes it: ``cost + cost_months * ARPU + margin_loss * V``, in currency."""
    return offer.cost + offer.cost_months * _positive(arpu) + offer.margin_loss * np.asarray(value, dtype=np.float64)


def _positive(arpu: npt.ArrayLike) -> Floats:
    values = np.asarray(arpu, dtype=np.float64)
    return np.where(values > 0, values, 0.0)
