"""Which campaign a customer belongs to: the first of the file, of those that run, whose conditions hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.config.conditions import Condition
from custvalue.errors import some
from custvalue.wording.conditions import all_hold
from custvalue.wording.facts import Facts


def claimed(facts: Facts, policy: RetentionPolicyConfig, *, as_of: date) -> pd.DataFrame:
    """Give every customer to one campaign at most.

    Parameters
    ----------
    facts : Facts
        Columns that conditions name; see `condition_columns`. A condition on a column that is absent holds for nobody.
    policy : RetentionPolicyConfig
        Its campaigns, in the order in which they claim.
    as_of : date
        Those that do not run on the day claim nobody.

    Returns
    -------
    DataFrame
        Row by row: ``campaign`` (None for whom none concerns) and ``claims`` (int64), how many campaigns concern the customer: above 1,
        an earlier one took him from a later one.
    """
    names, claims = np.full(facts.rows, None, dtype=object), np.zeros(facts.rows, dtype=np.int64)
    for name, campaign in policy.campaigns_on(as_of).items():
        concerned = all_hold(campaign.when, facts)
        names[concerned & (claims == 0)] = name
        claims += concerned
    return pd.DataFrame({"campaign": pd.Series(names, dtype="object"), "claims": claims})


def condition_columns(policy: RetentionPolicyConfig) -> frozenset[str]:
    """Name the columns that conditions of campaigns and offers compare."""
    return frozenset(name for _, conditions in _conditions(policy) for condition in conditions for name in condition.facts)


def policy_notes(policy: RetentionPolicyConfig, columns: Iterable[str], reasons: Iterable[str]) -> list[str]:
    """Tell what of a policy holds for nobody here: one line for each campaign, offer or parameter.

    Parameters
    ----------
    policy : RetentionPolicyConfig
    columns : iterable of str
        Columns that there are for conditions: features, signs, the trigger, and the customers' own.
    reasons : iterable of str
        Reason codes that the catalogue knows.
    """
    there, known = set(columns), set(reasons)
    told = []
    for what, conditions in _conditions(policy):
        absent = sorted({name for condition in conditions for name in condition.facts} - there)
        if absent:
            told.append(f"{what} concerns nobody, because there is no column {some(absent)}")
    stated = [(f"offer {code}", offer.reasons) for code, offer in policy.offers.items()]
    for what, codes in [*stated, ("by_reason", tuple(policy.by_reason))]:
        strange = sorted(set(codes) - known)
        if strange:
            told.append(f"{what} names reasons that no customer can have: {some(strange)}")
    return told


def sensitive_columns(policy: RetentionPolicyConfig, columns: Iterable[str]) -> list[str]:
    """Name the columns, such as a model's features, that are on the policy's list of sensitive attributes."""
    return sorted(name for name in set(columns) if policy.is_sensitive(name))


def _conditions(policy: RetentionPolicyConfig) -> list[tuple[str, tuple[Condition, ...]]]:
    of_offers = [(f"offer {code}", offer.when) for code, offer in policy.offers.items()]
    return [*((f"campaign {name}", campaign.when) for name, campaign in policy.campaigns.items()), *of_offers]
