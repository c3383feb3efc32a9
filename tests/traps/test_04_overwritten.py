"""Trap 4: tier, contract, plan or manager overwritten as they are at the end."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from .conftest import told


@pytest.fixture
def gone(honest):
    return honest["customers"].customer_id.isin(honest["departures"].customer_id).to_numpy()


def test_a_manager_of_those_who_left(honest, gather, gone):
    handed_over = honest["customers"].assign(manager_id=lambda t: t.manager_id.where(~gone, "closed accounts"))
    assert roc_auc_score(gone, handed_over.manager_id == "closed accounts") > 0.99
    seen = told(gather(honest | {"customers": handed_over}), "overwritten")
    assert "'closed accounts' left" in seen["customers.manager_id"]
    assert set(seen) == {"customers.manager_id"}


def test_a_tier_of_those_who_left(honest, gather, gone):
    tiers = honest["customers"][["customer_id", "valid_from"]].assign(tier=np.where(gone, "none", "gold"))
    assert set(told(gather(honest | {"tier_history": tiers}), "overwritten")) == {"tier_history.tier"}
    kept = tiers.assign(tier=np.where(np.arange(len(tiers)) % 2, "gold", "silver"))
    assert told(gather(honest | {"tier_history": kept}), "overwritten") == {}


def contracts_of(honest, ends_on):
    ids = honest["customers"].customer_id
    return pd.DataFrame(
        {"contract_id": "K" + ids, "customer_id": ids, "kind": "contract", "starts_on": date(2022, 6, 1), "ends_on": ends_on.to_numpy()}
    )


def test_a_contract_that_ends_on_the_day_of_leaving(honest, gather):
    ids = honest["customers"].customer_id
    agreed = pd.Series([date(2024, 1 + place % 12, 28) for place in range(len(ids))])
    left = ids.map(honest["departures"].set_index("customer_id").left_on)
    written_over = honest | {"contracts": contracts_of(honest, left.where(left.notna(), agreed))}
    seen = told(gather(written_over), "overwritten")
    assert "leave on the very day it ends" in seen["contracts.ends_on"]
    assert told(gather(honest | {"contracts": contracts_of(honest, agreed)}), "overwritten") == {}


def test_a_plan_that_events_say_was_changed(honest, gather):
    some = honest["customers"].iloc[::20]
    events = pd.DataFrame({"event_id": "E" + some.customer_id, "customer_id": some.customer_id, "event_type": "plan_change"})
    events["occurred_at"] = pd.Timestamp("2023-09-10")
    seen = told(gather(honest | {"events": events}), "overwritten")
    assert "100 of 100 customers with a `plan_change` event have one row" in seen["customers.plan"]
    second = some.assign(valid_from=date(2023, 9, 10), plan="small")
    dated = honest | {"events": events, "customers": pd.concat([honest["customers"], second])}
    assert told(gather(dated), "overwritten") == {}
