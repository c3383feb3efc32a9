"""What a customer is worth if kept, and what the offer to keep him costs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue.config import RetentionPolicyConfig

Floats = npt.NDArray[np.float64]


def annuity(policy: RetentionPolicyConfig) -> float:
    """Months of revenue that a saved customer stands for today: ``sum over t = 1..T of (s / (1 + r))^t``.

    s is the monthly survival of a saved customer, r the monthly discount rate, T the months that count (the customer
    lifetime value sum with constant survival and discount).
    """
    value = policy.value
    months = np.arange(1, value.months + 1)
    return float(np.sum((value.monthly_survival / (1 + value.monthly_discount)) ** months))


def value_kept(arpu: npt.ArrayLike, policy: RetentionPolicyConfig) -> Floats:
    """Give V, the value kept when a customer is saved: ``margin * ARPU * annuity``.

    Parameters
    ----------
    arpu : array-like, shape (n,)
        Currency a month. A negative or missing ARPU counts as zero.

    Returns
    -------
    ndarray of float64, shape (n,)
        Currency.
    """
    return policy.value.margin * _positive(arpu) * annuity(policy)


def offer_cost(arpu: npt.ArrayLike, policy: RetentionPolicyConfig) -> Floats:
    """Give d, the cost of the offer when it is taken: ``offer_months * ARPU``, in currency; see `value_kept`."""
    return policy.offer_months * _positive(arpu)


def _positive(arpu: npt.ArrayLike) -> Floats:
    values = np.asarray(arpu, dtype=np.float64)
    return np.where(values > 0, values, 0.0)
