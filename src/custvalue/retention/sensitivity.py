"""What the list is worth if the save probability, the least known parameter, is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.contact import policy_contact_value


def sensitivity(listed: pd.DataFrame, policy: RetentionPolicyConfig) -> dict[str, float]:
    """Net value of the whole list at other save probabilities γ, the list being as it is.

    Parameters
    ----------
    listed : DataFrame
        `Ranking.listed`; its ``probability``, ``arpu`` and, where there is one, ``value_months`` are used.
    policy : RetentionPolicyConfig
        The policy that made the list.

    Returns
    -------
    dict
        ``save_halved``, ``save_as_set``, ``save_doubled`` (γ at most 1): currency; ``break_even_save``: the γ at which
        the list earns nothing (NaN for an empty list).
    """

    def total(save: float) -> float:
        worth = policy_contact_value(listed["probability"], listed["arpu"], policy, months=listed.get("value_months"), save=save)
        return float(np.sum(worth))

    costs, slope = -total(0.0), total(1.0) - total(0.0)
    return {
        "save_halved": total(policy.save / 2),
        "save_as_set": total(policy.save),
        "save_doubled": total(min(1.0, 2 * policy.save)),
        "break_even_save": costs / slope if slope > 0 else float("nan"),
    }
