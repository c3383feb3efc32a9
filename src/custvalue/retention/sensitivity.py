"""What the list is worth if the parameters that are least known are wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.contact import contact_terms
from custvalue.retention.parameters import contact_parameters
from custvalue.retention.value import Floats, value_kept

BANDS = {
    "save_halved": {"save_factor": 0.5},
    "save_as_set": {},
    "save_doubled": {"save_factor": 2.0},
    "harm_none": {"harm_factor": 0.0},
    "harm_doubled": {"harm_factor": 2.0},
    "reach_less": {"reach_factor": 0.8},
    "reach_more": {"reach_factor": 1.2},
}
"""Name → multiples of γ, h and ρ; chances stay at most 1."""


def sensitivity(listed: pd.DataFrame, policy: RetentionPolicyConfig) -> dict[str, float]:
    """Net value of the whole list at other chances of saving (γ), harming (h) and reaching (ρ), the list being as it is.

    Parameters
    ----------
    listed : DataFrame
        Decided rows: probability, tier, arpu, and what `decide` added: value_at_stake, offer, offer_cost, the parameters, effect. Of what
        is not there the policy's own word holds.
    policy : RetentionPolicyConfig
        The policy that made the list.

    Returns
    -------
    dict
        Currency for each of `BANDS`, and ``break_even_save``, the γ (mean over the list's reached would-be leavers) at which the list earns
        nothing; NaN for an empty list.
    """
    rows, costs = _with_own_parameters(listed, policy)

    def total(**factors: float) -> float:
        return float(np.sum(contact_terms(rows, offer_cost=costs, **factors)[0]))

    at_no_save = total(save_factor=0.0)
    slope, leavers = total() - at_no_save, rows["reach"] * rows["probability"]
    save = float((leavers * rows["save"]).sum() / leavers.sum()) if leavers.sum() > 0 else float("nan")
    band = {name: total(**factors) for name, factors in BANDS.items()}
    return band | {"break_even_save": -at_no_save / slope * save if slope > 0 else float("nan")}


def _with_own_parameters(listed: pd.DataFrame, policy: RetentionPolicyConfig) -> tuple[pd.DataFrame, Floats]:
    """Give the rows with γ and effect as the offer changes them, and the offers' costs."""
    stated = contact_parameters(listed, policy)
    rows = listed.assign(**{name: stated[name] for name in stated.columns if name not in listed.columns})
    if "value_at_stake" not in rows.columns:
        rows["value_at_stake"] = value_kept(rows["arpu"], policy, rows.get("value_months"))
    factors = {code: offer.save_factor for code, offer in policy.offers.items()}
    usual = policy.usual_offer.save_factor
    factor = rows["offer"].map(factors).astype("float64").fillna(usual).to_numpy() if "offer" in rows.columns else usual
    rows["save"] = np.minimum(1.0, rows["save"] * factor)
    if "effect" in rows.columns:
        rows["effect"] = np.where(rows["effect"] > 0, rows["effect"] * factor, rows["effect"])
    return rows, rows["offer_cost"].to_numpy(dtype=np.float64)
