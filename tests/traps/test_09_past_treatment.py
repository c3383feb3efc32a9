"""Trap 9: past contacts hide churn, because those who would have left were called and stayed."""

import numpy as np
import pandas as pd
import pytest

from .conftest import told


@pytest.fixture
def treated(honest):
    """Managers call 80 % of those about to leave and save half of them; a few others are called as well."""
    random = np.random.default_rng(9)
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on))
    called = left[random.random(len(left)) < 0.8]
    saved = called[random.random(len(called)) < 0.5]
    others = honest["customers"][~honest["customers"].customer_id.isin(left.customer_id)].iloc[::25]
    contacts = pd.concat(
        [
            pd.DataFrame({"customer_id": called.customer_id, "contacted_at": called.day - pd.Timedelta(days=10)}),
            pd.DataFrame({"customer_id": others.customer_id, "contacted_at": pd.Timestamp("2024-03-10")}),
        ]
    )
    contacts["contact_id"] = [f"K{number}" for number in range(len(contacts))]
    stayed = left[~left.customer_id.isin(saved.customer_id)].drop(columns="day")
    # who was saved goes on paying as before
    tail = []
    last = honest["billing"].groupby("customer_id").month.max()
    for name, column in (("billing", "revenue"), ("usage", "data_mb")):
        usual = honest[name].groupby("customer_id")[column].median()
        for who in saved.customer_id:
            ahead = pd.period_range(pd.Period(last[who], "M") + 1, "2024-04", freq="M")
            tail.append(pd.DataFrame({"table": name, "customer_id": who, "month": ahead.to_timestamp().date, column: usual[who]}))
    added = pd.concat(tail)
    grown = {
        name: pd.concat([honest[name], added[added.table == name][["customer_id", "month", column]]])
        for name, column in (("billing", "revenue"), ("usage", "data_mb"))
    }
    return honest | grown | {"departures": stayed, "contacts": contacts.assign(reached=True)}


def test_contacts_hide_churn(honest, treated, gather):
    true_rate, seen_rate = (gather(tables, treated="keep").frame.y.mean() for tables in (honest, treated))
    assert seen_rate < 0.7 * true_rate


def test_contacted_rows_are_named_where_they_are_kept(treated, gather):
    seen = told(gather(treated, treated="keep"), "treatment")["contacts.contacted_at"]
    assert "of the labelled rows" in seen
    assert "their effect cannot be told" in seen


def test_they_are_left_out_and_counted_by_default(treated, gather):
    evidence = gather(treated)
    assert evidence.frame.dropped["contacted before the outcome"] > 100
    assert told(evidence, "treatment") == {}


def test_randomised_arms_are_told_apart(honest, gather):
    random = np.random.default_rng(1)
    ids = honest["customers"].customer_id
    arm = np.where(random.random(len(ids)) < 0.5, "treated", "holdout")
    contacts = pd.DataFrame({"contact_id": "K" + ids, "customer_id": ids, "contacted_at": pd.Timestamp("2023-12-15"), "arm": arm})
    contacts = contacts.assign(randomised=True, reached=arm == "treated")
    # treatment keeps two thirds of those who would have left within its three months
    left = honest["departures"].assign(day=lambda t: pd.to_datetime(t.left_on))
    treated = set(ids[arm == "treated"])
    kept = left.customer_id.isin(treated) & left.day.between("2023-12-16", "2024-03-15") & (random.random(len(left)) < 2 / 3)
    seen = told(
        gather(honest | {"contacts": contacts, "departures": left[~kept].drop(columns="day")}, treated="keep", snapshots=3), "treatment"
    )
    text = seen["contacts.contacted_at"]
    rates = [float(part.split("%")[0].split()[-1]) for part in text.split("Among randomised contacts ")[1].split(" and ")]
    assert rates[0] < 0.6 * rates[1]
