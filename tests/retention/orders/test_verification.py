"""Closed orders are verified by the data: 30, 60 and 90 days after, once what happened until then is known."""

from __future__ import annotations

from datetime import date

import pandas as pd

from .conftest import lists, moment, states, take, tell

DEPARTURES = pd.DataFrame({"customer_id": ["b", "stranger"], "left_on": [date(2026, 2, 10), date(2026, 1, 5)]})
REVENUE = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "b"],
        "month": pd.to_datetime(["2025-12-01", "2026-01-01", "2026-02-01", "2025-12-01"]),
        "revenue": [100.0, 80.0, 90.0, 50.0],
    }
)


def verify(store, as_of, wait=5):
    return store.verify(as_of, DEPARTURES, REVENUE, wait_days=wait, now=moment(0, 24 * 60))


def test_who_is_still_here_and_what_he_pays_is_told_after_each_span_once(store):
    take(store, lists("a", "b", "c"))
    for customer in "ab":
        tell(store, f"20260101-C-{customer}", "accepted", at=date(2026, 1, 1))
    assert verify(store, date(2026, 2, 5)) == 0  # 31 January is over, but not yet reported
    assert verify(store, date(2026, 2, 6)) == 2
    assert verify(store, date(2026, 2, 6)) == 0
    assert states(store) == {"a": "verified", "b": "verified", "c": "assigned"}
    assert verify(store, date(2026, 3, 10)) == 2
    found = store.verifications().set_index(["order_id", "days"])
    a, b = "20260101-C-a", "20260101-C-b"
    assert found.still_here.to_dict() == {(a, 30): True, (b, 30): True, (a, 60): True, (b, 60): False}
    # the last whole month before 31 January is December, before 2 March it is February
    assert found.loc[(a, 30), ["revenue_before", "revenue_after"]].tolist() == [100.0, 100.0]
    assert found.loc[(a, 60), ["revenue_before", "revenue_after"]].tolist() == [100.0, 90.0]
    assert pd.isna(found.loc[(b, 60), "revenue_after"])
    assert list(store.events(order_id=a).event)[-2:] == ["verify", "verify"]


def test_a_store_that_was_not_looked_at_for_months_catches_up(store):
    take(store, lists("a"))
    tell(store, "20260101-C-a", "accepted")
    assert verify(store, date(2026, 12, 1)) == 3
    assert verify(store, date(2026, 12, 2)) == 0


def test_withdrawn_and_open_orders_are_not_verified(store):
    take(store, lists("a", "b"))
    take(store, lists("b", night=date(2026, 1, 2)), 1)
    assert verify(store, date(2026, 12, 1)) == 0
