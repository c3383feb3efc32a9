"""What the next night learns of a customer from the orders, and that the same night again learns the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from .conftest import NIGHT, lists, moment, take, tell


def of(store, customer, day):
    found = store.standing(NIGHT + timedelta(days=day)).set_index("customer_id")
    return found.loc[customer].to_dict() if customer in found.index else None


def test_orders_that_only_wait_leave_a_customer_free_to_be_ranked_anew(store):
    take(store, lists("a"))
    assert store.standing(date(2026, 1, 2)).empty


def test_an_order_that_is_begun_stands_in_the_way_with_its_calls_and_offers(store):
    take(store, lists("a", "b", account=[None, "acme"]))
    tell(store, "20260101-C-a", "unreachable")
    tell(store, "20260101-C-b", "reached", 1)
    assert of(store, "a", 2) == {
        "account": None,
        "open_order": True,
        "last_contacted_on": date(2026, 1, 1),
        "last_reached_on": None,
        "contacts_90d": 1,
        "do_not_contact": False,
        "deferred_until": None,
        "offers_90d": [],
    }
    reached = of(store, "b", 3)
    assert (reached["account"], reached["open_order"], reached["offers_90d"]) == ("acme", True, ["half_month"])
    assert (reached["last_contacted_on"], reached["last_reached_on"]) == (date(2026, 1, 2), date(2026, 1, 2))


def test_a_closed_order_leaves_the_day_of_the_contact_and_the_wish_not_to_be_called(store):
    take(store, lists("a", "b"))
    tell(store, "20260101-C-a", "accepted")
    tell(store, "20260101-C-b", "do_not_contact")
    assert [of(store, "a", 2)[name] for name in ("open_order", "contacts_90d", "do_not_contact")] == [False, 1, False]
    assert of(store, "b", 2)["do_not_contact"]
    later = of(store, "a", 95)  # 6 April: the call is more than 90 days ago
    assert (later["contacts_90d"], later["offers_90d"], later["last_contacted_on"]) == (0, [], date(2026, 1, 1))
    assert of(store, "b", 800)["do_not_contact"]  # a wish is not forgotten


def test_a_deferred_customer_is_known_with_his_day_until_he_is_called(store):
    take(store, lists("a"))
    tell(store, "20260101-C-a", "deferred", until=date(2026, 1, 20))
    assert of(store, "a", 2)["deferred_until"] == date(2026, 1, 20)
    store.record("20260101-C-a", "escalate", by="lead", now=moment(2), source="page")
    assert of(store, "a", 4)["deferred_until"] == date(2026, 1, 20)
    tell(store, "20260101-C-a", "unreachable", 20)
    assert of(store, "a", 22)["deferred_until"] is None


@pytest.mark.parametrize("hours", [0.0, 1.9])
def test_the_same_night_again_sees_what_it_saw_although_much_was_recorded_since(store, hours):
    take(store, lists("a", "b"))
    tell(store, "20260101-C-a", "unreachable")
    tell(store, "20260101-C-b", "unreachable")
    before = store.standing(date(2026, 1, 2)).to_dict("records")
    # midnight in Shanghai is 16:00 UTC; 18:00 is two hours later
    store.record_outcome("20260101-C-a", "accepted", by="M1", now=moment(1, 16 + hours), source="page")
    store.record("20260101-C-b", "note", by="M1", now=moment(1, 16 + hours), source="page", note="hm")
    assert store.standing(date(2026, 1, 2)).to_dict("records") == before
    assert of(store, "a", 2)["open_order"] is False  # and the next night sees it


def test_what_is_recorded_a_second_before_midnight_is_seen(store):
    take(store, lists("a"))
    store.record_outcome("20260101-C-a", "accepted", by="M1", now=moment(1, 15.999), source="page")
    assert of(store, "a", 1)["contacts_90d"] == 1


def test_an_empty_store_says_nothing(store):
    found = store.standing(NIGHT)
    assert list(found.columns) == [
        "customer_id", "account", "open_order", "last_contacted_on", "last_reached_on", "contacts_90d", "do_not_contact",
        "deferred_until", "offers_90d",
    ]  # fmt: skip
    assert found.open_order.dtype == bool
