"""Expected net value of one contact, and the churn probability from which it pays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    """Expected net value of a contact with the usual offer and the parameters that hold for all, for use where only the bill is known.

    For `months` see `value_kept`; `save` replaces the policy's.
    """
    return contact_value(
        probability,
        value=value_kept(arpu, policy, months),
        offer=offer_cost(arpu, policy),
        contact_cost=policy.contact_cost,
        save=min(1.0, policy.usual_offer.save_factor * (policy.save if save is None else save)),
        take_up=policy.take_up,
        harm=policy.harm,
        reach=policy.reach,
    )


def contact_terms(
    rows: pd.DataFrame,
    *,
    offer_cost: npt.ArrayLike,
    save_factor: npt.ArrayLike = 1.0,
    harm_factor: float = 1.0,
    reach_factor: float = 1.0,
) -> tuple[Floats, Floats]:
    """Expected net value of contacts, and what they are expected to cost, row by row.

    ``effect * V - (a * d + f)``: the chance of leaving falls by ``effect = reach * (p * save - (1 - p) * harm)``, and the offer is taken
    with chance ``a = reach * (p * save + (1 - p) * take_up)``. The same as `metrics.contact_value`, in the form in which a learned effect
    takes the place of the stated one.

    Parameters
    ----------
    rows : DataFrame
        probability, value_at_stake (V), reach, save, take_up, harm, contact_cost (f); and where it was learned ``effect``, by how much a
        contact lowers the chance of leaving, whether the customer is reached or not; NaN where only the stated parameters are known.
    offer_cost : array-like
        d, currency.
    save_factor, harm_factor, reach_factor : array-like, float
        Multiples of γ (or of a learned effect above 0), of h (or of one below 0) and of ρ; the products count as 1 at most.

    Returns
    -------
    tuple of ndarray of float64, shape (n,)
        Net value and expected cost ``a * d + f``, currency.
    """
    given = (rows[name].to_numpy(dtype=np.float64) for name in ("probability", "value_at_stake", "take_up", "contact_cost"))
    p, value, take_up, contact_cost = given
    save = np.minimum(1.0, rows["save"].to_numpy(dtype=np.float64) * save_factor)
    harm = np.minimum(1.0, rows["harm"].to_numpy(dtype=np.float64) * harm_factor)
    reach = np.minimum(1.0, rows["reach"].to_numpy(dtype=np.float64) * reach_factor)
    effect = reach * (p * save - (1 - p) * harm)
    if "effect" in rows.columns:
        learned = rows["effect"].to_numpy(dtype=np.float64)
        scaled = learned * reach_factor * np.where(learned > 0, save_factor, harm_factor)
        effect = np.where(np.isnan(learned), effect, scaled)
    spent = reach * (p * save + (1 - p) * take_up) * np.asarray(offer_cost, dtype=np.float64) + contact_cost
    return effect * value - spent, spent


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
