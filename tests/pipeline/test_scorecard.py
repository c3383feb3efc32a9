"""What the store of work orders tells of contacts and of how managers worked, from real orders and outcomes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from custvalue.config.scorecard import ScorecardConfig
from custvalue.pipeline.scorecard import order_flags, recorded_contacts, recorded_orders
from custvalue.retention.orders.store import OrderStore
from custvalue.sources import open_tables

NIGHT, AS_OF = date(2024, 6, 3), date(2024, 7, 1)
OUTCOMES = {  # customer → outcome, reason, days after the night
    "A": ("accepted", None, 1),
    "B": ("refused", "price", 4),
    "C": ("do_not_contact", None, 1),
    "D": ("deferred", None, 1),
    "F": ("unreachable", None, 2),
}


@pytest.fixture
def config(operator):
    complaint = {"complaint_id": "9", "customer_id": "B", "opened_at": pd.Timestamp(2024, 6, 10), "closed_at": pd.NaT}
    return operator(
        complaints=pd.DataFrame([complaint, complaint | {"complaint_id": "10", "customer_id": "A", "opened_at": pd.Timestamp(2024, 6, 1)}])
    )


@pytest.fixture
def worked(config):
    """Six orders due two days after the night; nobody called E, and the campaign of the last customer is another one."""
    customers = [*OUTCOMES, "E", "X"]
    rows = pd.DataFrame({"customer_id": customers, "order_id": [f"O-{who}" for who in customers], "priority": range(1, 8)})
    rows = rows.assign(manager_id="M1", due_by=NIGHT + timedelta(days=2), campaign=["spring"] * 6 + ["summer"])
    store = OrderStore.of(config)
    store.take_night(rows, NIGHT, "run1", decisions={}, now=datetime(2024, 6, 2, 18))
    for who, (outcome, reason, days) in OUTCOMES.items():
        moment = datetime(2024, 6, 3, 9) + timedelta(days=days)
        store.record_outcome(f"O-{who}", outcome, by="M1", now=moment, source="feedback", reason=reason)
    return config


def test_flags_by_hand(worked):
    tables = open_tables(worked, log=lambda _: None)
    flags = order_flags(recorded_orders(worked), tables, "spring", AS_OF, settings=ScorecardConfig(complaint_days=7))
    orders = recorded_orders(worked).orders
    flags.index = orders[orders["campaign"] == "spring"]["customer_id"]
    held = {name: "".join(sorted(flags.index[flags[name]])) for name in flags.columns if flags[name].dtype == bool}
    assert held == {
        "due": "ABCDEF",
        "contacted_in_time": "ACDF",  # B was called on the fourth day
        "contacted": "ABCDF",
        "reached": "ABCD",
        "to_close": "ABCF",  # D asked to be called later
        "coded": "ABC",
        "opted_out": "C",
        "complained": "B",  # A complained before anybody called
    }
    assert set(flags["opened_on"]) == {NIGHT}


def test_orders_that_nobody_has_begun_are_due_and_nothing_else(config):
    rows = pd.DataFrame({"customer_id": ["A"], "order_id": ["O-A"], "priority": [1], "manager_id": ["M1"], "campaign": ["spring"]})
    store = OrderStore.of(config)
    store.take_night(rows.assign(due_by=NIGHT), NIGHT, "run1", decisions={}, now=datetime(2024, 6, 2, 18))
    tables = open_tables(config, log=lambda _: None)
    (row,) = order_flags(recorded_orders(config), tables, "spring", AS_OF, settings=ScorecardConfig()).to_dict("records")
    assert [name for name, held in row.items() if held is True] == ["due"]
    assert order_flags(recorded_orders(config), tables, "spring", NIGHT - timedelta(days=1), settings=ScorecardConfig()).empty


def test_contacts_come_from_the_orders_where_no_table_has_them(worked):
    tables = open_tables(worked, log=lambda _: None)
    found = recorded_contacts(worked, tables, AS_OF).set_index("customer_id")
    assert sorted(found.index) == ["A", "B", "C", "D", "F"]
    assert found["reached"].to_dict() == {"A": True, "B": True, "C": True, "D": True, "F": False}
    assert found.index[found["accepted"]].tolist() == ["A"]
    assert recorded_contacts(worked, tables, date(2024, 6, 5))["customer_id"].tolist() == ["A", "C", "D"]


def test_where_nobody_keeps_orders_nothing_is_made(config):
    tables = open_tables(config, log=lambda _: None)
    assert recorded_orders(config) is None
    assert recorded_contacts(config, tables, AS_OF) is None
    assert not config.output.exists()
