"""Decided customers for the tests of what follows: net values are given, nothing is computed."""

from datetime import date

import pandas as pd

from custvalue.retention.managers import Duty

AS_OF = date(2026, 1, 1)
WORDS = {"en": "an offer", "zh": "优惠"}


def decided(net_values, *, offers=("a",), **columns):
    """One row a customer; `net_values` is one number a customer for the first offer, or one tuple for all of them.

    Nobody is expected to take an offer: a contact's expected cost is its own.
    """
    rows = [(each if isinstance(each, tuple) else (each,)) for each in net_values]
    frame = pd.DataFrame([row + (None,) * (len(offers) - len(row)) for row in rows], dtype="float64").reindex(columns=range(len(offers)))
    frame.columns = [f"net_value__{code}" for code in offers]
    n = len(frame)
    usual = {
        "customer_id": [f"c{i:03d}" for i in range(n)],
        "probability": [0.5] * n,
        "tier": ["gold"] * n,
        "arpu": [10.0] * n,
        "manager_id": ["M1"] * n,
        "account": [None] * n,
        "campaign": ["spring"] * n,
        "arm": ["contact"] * n,
        "urgency": [None] * n,
        "value_at_stake": [100.0] * n,
        "contact_cost": [1.0] * n,
        "reach": [0.5] * n,
        "net_value": frame.max(axis=1).to_numpy(),
        "offer": [offers[0]] * n,
        "offer_cost": [10.0] * n,
    }
    made = pd.DataFrame(usual | columns).join(frame)
    for code in offers:
        made[f"expected_cost__{code}"] = made[f"net_value__{code}"].where(made[f"net_value__{code}"].isna(), made["contact_cost"])
    return made


def catalogue(**stock):
    """A catalogue of offers with the stock given for each (None for any number)."""
    return {code: {"label": WORDS, "cost": 10.0, "stock": pieces} for code, pieces in stock.items()}


def duty(policy, *managers):
    """Managers on duty, each as a dict of columns; none at all is an operator without a managers table."""
    return Duty.of(pd.DataFrame(list(managers)) if managers else None, policy, as_of=AS_OF)


def by_list(listed):
    return listed.groupby("manager_id")["customer_id"].agg(list).to_dict()
