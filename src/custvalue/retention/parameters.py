"""γ, ψ, h, ρ and f of each customer: what the policy states for all, for his tier, or for his first reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig

PARAMETERS = ("reach", "save", "take_up", "harm", "contact_cost")


def contact_parameters(frame: pd.DataFrame, policy: RetentionPolicyConfig) -> pd.DataFrame:
    """Give each customer's parameters of a contact.

    Parameters
    ----------
    frame : DataFrame
        ``tier``; and where known ``reason_code``, the customer's first reason.
    policy : RetentionPolicyConfig
        Its ``by_reason`` beats its ``by_tier``, which beats what it says for all: a reason is about the customer as he is now.

    Returns
    -------
    DataFrame
        `PARAMETERS`, float64, on the frame's index: ρ, γ, ψ, h as chances, f in currency.
    """
    found = pd.DataFrame({name: np.full(len(frame), float(getattr(policy, name))) for name in PARAMETERS}, index=frame.index)
    for column, own in (("tier", policy.by_tier), ("reason_code", policy.by_reason)):
        if column not in frame.columns:
            continue
        for name in PARAMETERS:
            stated = {key: float(value) for key, each in own.items() if (value := getattr(each, name)) is not None}
            if stated:
                theirs = frame[column].astype("object").map(stated).astype("float64")
                found[name] = theirs.fillna(found[name])
    return found
