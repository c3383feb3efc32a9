"""What the list said of an order is kept with it until somebody begins; service that is owed switches with the night."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import select

from custvalue.retention.orders.engine import reading
from custvalue.retention.orders.schema import duties, shown
from custvalue.retention.orders.showing import reason_codes, shown_facts

from .conftest import NIGHT, lists, moment, states, take, tell

ORDER = "20260101-C-a"


def facts(store) -> dict[str, dict]:
    with reading(store._engine, store.place) as connection:
        return {row.order_id: json.loads(row.facts) for row in connection.execute(select(shown))}


def owed(store) -> list[tuple]:
    with reading(store._engine, store.place) as connection:
        return [(row.customer_id, row.kind, row.since) for row in connection.execute(select(duties).order_by(duties.c.customer_id))]


def test_what_is_unknown_or_has_a_column_is_left_out_and_the_rest_is_plain():
    row = {
        "customer_id": "a", "tier": "gold", "arpu": np.float64(1.5), "lines": np.int64(2), "open_complaint": np.bool_(True), "name": "王**",
        "last_contact": pd.Timestamp(2025, 11, 3), "days": np.nan, "gone": pd.NaT, "none": None, "absent": pd.NA,
        "reason_codes": np.array(["x", "y"]), "trend_bill": [1.0, None, np.nan],
        "tier_history": [{"tier": "gold", "since": date(2025, 1, 1)}],
    }  # fmt: skip
    assert json.loads(shown_facts(row)) == {
        "arpu": 1.5,
        "open_complaint": True,
        "name": "王**",
        "last_contact": "2025-11-03T00:00:00",
        "reason_codes": ["x", "y"],
        "trend_bill": [1.0, None, None],
        "tier_history": [{"tier": "gold", "since": "2025-01-01"}],
    }
    assert reason_codes(row) == " x y "
    assert [reason_codes(other) for other in ({}, {"reason_codes": None}, {"reason_codes": []}, {"reason_codes": np.nan})] == [None] * 4


def test_facts_follow_the_ranking_until_somebody_begins(store):
    take(store, lists("a", "b", risk_band=["low", "low"], region=["north", None]))
    assert facts(store)[ORDER]["risk_band"] == "low"
    tell(store, "20260101-C-b", "reached")
    take(store, lists("a", "b", night=NIGHT + timedelta(days=1), risk_band=["high", "high"], region=["south", None]), day=1)
    assert {order: told["risk_band"] for order, told in facts(store).items()} == {ORDER: "high", "20260101-C-b": "low"}
    assert store.orders().set_index("order_id").region[ORDER] == "south"


def test_a_customer_who_is_forgotten_leaves_nothing(store):
    care = pd.DataFrame({"customer_id": ["a"], "customer": ["crm a"], "manager_id": ["M1"], "kind": ["k"], "due_on": [NIGHT]})
    rows = lists("a", "b", name=["A**", "B**"])
    store.take_night(rows, NIGHT, "run0", decisions={}, care=care, now=moment(0))
    assert store.forget("a")["order_shown"] == 1
    assert set(facts(store)) == {"20260101-C-b"}
    assert owed(store) == []


def test_duties_are_those_of_the_newest_night_and_a_night_without_any_word_of_them_leaves_them(store):
    care = pd.DataFrame({"customer_id": ["a", "b"], "customer": ["crm a", "crm b"], "manager_id": "M1", "kind": "k", "due_on": NIGHT})
    store.take_night(lists("a"), NIGHT, "run0", decisions={}, care=care, now=moment(0))
    assert [row[0] for row in owed(store)] == ["a", "b"]
    take(store, lists("a", night=NIGHT + timedelta(days=1)), day=1)
    assert [row[0] for row in owed(store)] == ["a", "b"]
    store.take_night(
        lists("a", night=NIGHT + timedelta(days=2)), NIGHT + timedelta(days=2), "run2", decisions={}, care=care[1:], now=moment(2)
    )
    assert [row[0] for row in owed(store)] == ["b"]
    assert set(states(store).values()) == {"assigned"}
