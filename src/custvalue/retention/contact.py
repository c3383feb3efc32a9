"""Expected net value of one contact, and the churn probability from which it pays."""

from __future__ import annotations

import numpy.typing as npt

from custvalue.config import RetentionPolicyConfig
from custvalue.metrics import contact_value
from custvalue.retention.value import Floats, offer_cost, value_kept


def policy_contact_value(
    probability: npt.ArrayLike,
    arpu: npt.ArrayLike,
    policy: RetentionPolicyConfig,
    *,
    months: npt.ArrayLike | None = None,
    save: float | None = None,
) -> Floats:
    """Expected net value of a contact with every parameter from the policy; for `months` see `value_kept`, `save` replaces the policy's."""
    return contact_value(
        probability,
        value=value_kept(arpu, policy, months),
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
