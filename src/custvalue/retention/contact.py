"""Expected net value of one contact, and the churn probability from which it pays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.value import Floats, offer_cost, value_kept


def contact_value(
    probability: npt.ArrayLike,
    *,
    value: npt.ArrayLike,
    offer: npt.ArrayLike,
    contact_cost: float,
    save: float,
    take_up: float = 1.0,
    harm: float = 0.0,
    reach: float = 1.0,
) -> Floats:
    """Expected net value of contacting a customer.

    ``reach * [p * save * (V - d) - (1 - p) * (take_up * d + harm * V)] - contact_cost``: a reached would-be leaver
    stays with chance `save` and costs the offer; a reached stayer takes the offer with chance `take_up`, and leaves
    because he was called with chance `harm`. The defaults give the textbook form (Neslin et al. 2006; Verbraken,
    Verbeke and Baesens 2013), in which everybody is reached, every stayer takes the offer and no call does harm.

    Parameters
    ----------
    probability, value, offer : array-like, shape (n,)
        p, the calibrated churn probability; V and d in currency.
    contact_cost : float
        f, currency a contact.

    Returns
    -------
    ndarray of float64, shape (n,)
        Currency; negative where the contact costs more than it saves.
    """
    p, v, d = (np.asarray(each, dtype=np.float64) for each in (probability, value, offer))
    return reach * (p * save * (v - d) - (1 - p) * (take_up * d + harm * v)) - contact_cost


def policy_contact_value(
    probability: npt.ArrayLike, arpu: npt.ArrayLike, policy: RetentionPolicyConfig, *, save: float | None = None
) -> Floats:
    """Expected net value of a contact with every parameter from the policy; `save` replaces the policy's."""
    return contact_value(
        probability,
        value=value_kept(arpu, policy),
        offer=offer_cost(arpu, policy),
        contact_cost=policy.contact_cost,
        save=policy.save if save is None else save,
        take_up=policy.take_up,
        harm=policy.harm,
        reach=policy.reach,
    )


def break_even(
    *,
    value: float,
    offer: float,
    contact_cost: float,
    save: float,
    take_up: float = 1.0,
    harm: float = 0.0,
    reach: float = 1.0,
) -> float:
    """Give the churn probability at which a contact earns exactly nothing; parameters as in `contact_value`.

    ``(take_up * d + harm * V + contact_cost / reach) / (save * (V - d) + take_up * d + harm * V)``. Above 1, or
    infinite, no probability makes the contact pay.
    """
    spoiled = take_up * offer + harm * value
    slope = save * (value - offer) + spoiled
    if reach == 0 or slope <= 0:
        return float("inf")
    return (spoiled + contact_cost / reach) / slope
