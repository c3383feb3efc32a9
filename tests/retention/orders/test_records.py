"""What managers report: applied once, with the steps that it implies, never over another's head, and never lost."""

from __future__ import annotations

from datetime import date, datetime
from threading import Thread

import pytest

from custvalue.retention.orders.recording import OrderChangedError
from custvalue.retention.orders.states import MoveRefusedError

from .conftest import lists, moment, states, take, tell

ORDER = "20260101-C-a"


@pytest.fixture
def one(store):
    take(store, lists("a"))
    return store


def history(store):
    return list(store.events(order_id=ORDER).event)[2:]  # open and assign come first


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "closed_with"),
    [
        ("reached", None, "reached", None),
        ("reached", "settled", "closed", "settled"),
        ("unreachable", None, "contacting", None),
        ("accepted", None, "closed", "offer_taken"),
        ("refused", None, "refused", None),
        ("refused", "price", "closed", "price"),
        ("deferred", None, "deferred", None),
        ("do_not_contact", None, "closed", "no_contact_wished"),
        ("wrong_target", "left_already", "closed", "left_already"),
    ],
)
def test_an_outcome_takes_the_order_as_far_as_it_tells(one, outcome, reason, state, closed_with):
    order = tell(one, ORDER, outcome, reason=reason)
    assert (order["state"], order["close_reason"]) == (state, closed_with)
    assert one.orders().state.tolist() == [state]


def test_the_steps_that_an_outcome_implies_are_on_record_with_note_and_day(one):
    tell(one, ORDER, "refused", reason="price", note="too dear", at=date(2026, 1, 2))
    found = one.events(order_id=ORDER)
    assert list(found.event) == ["open", "assign", "accept", "start", "reach", "refuse", "close"]
    assert list(found.note) == ["", "M1", "", "", "", "too dear", ""]
    assert found.reason.iloc[-1] == "price"
    assert set(found["at"][2:]) == {datetime(2026, 1, 1, 16)}  # the second of January begins in Shanghai
    assert one.orders().version.tolist() == [6]


def test_three_calls_without_an_answer_make_it_unreachable(one):
    assert [tell(one, ORDER, "unreachable", day)["state"] for day in range(3)] == ["contacting", "contacting", "closed"]
    assert history(one) == ["accept", "start", "no_answer", "no_answer", "no_answer", "give_up", "close"]
    assert one.orders()[["tries", "close_reason"]].to_numpy().tolist() == [[3, "not_reached"]]


def test_how_many_tries_count_is_a_setting(one, make_store):
    assert tell(make_store(tries=1), ORDER, "unreachable")["state"] == "closed"


def test_a_customer_who_asked_to_be_called_later_is_due_again_then(one):
    order = tell(one, ORDER, "deferred", at=date(2026, 1, 2))
    assert order["deferred_until"] == date(2026, 1, 9)
    assert one.overdue(moment(8)).empty
    assert list(one.overdue(moment(9)).order_id) == [ORDER]  # 18:00 UTC of the ninth day after is the tenth in Shanghai
    assert tell(one, ORDER, "accepted", 9)["state"] == "closed"
    assert "start" in history(one)[-5:]


def test_a_reason_that_comes_later_closes_and_a_customer_may_change_his_mind_before(one):
    tell(one, ORDER, "refused")
    assert tell(one, ORDER, "accepted", 1)["close_reason"] == "offer_taken"


def test_what_is_told_twice_counts_once(one):
    for _ in range(2):
        tell(one, ORDER, "unreachable", key="the same")
    assert one.orders().tries.tolist() == [1]
    tell(one, ORDER, "unreachable", key="another")
    assert one.orders().tries.tolist() == [2]


def test_a_closed_order_takes_notes_but_no_other_outcome(one):
    tell(one, ORDER, "refused", reason="price")
    with pytest.raises(MoveRefusedError, match="closed before, with the reason 'price'; a closed order takes notes only"):
        tell(one, ORDER, "accepted", 1)
    assert tell(one, ORDER, "refused", 1, note="asks again in spring")["state"] == "closed"
    assert one.events(order_id=ORDER).note.iloc[-1] == "asks again in spring"
    assert one.orders().closed_at.tolist() == [moment(0, 28)]


def test_a_reason_that_does_not_fit_is_refused_and_nothing_is_written(one):
    with pytest.raises(MoveRefusedError, match="'refused' is closed with one of the reasons price, network"):
        tell(one, ORDER, "refused", reason="left_already")
    assert history(one) == []
    assert one.orders().state.tolist() == ["assigned"]


def test_what_was_called_before_the_night_withdrew_it_still_counts(one):
    take(one, lists("b", night=date(2026, 1, 2)), 1, decisions={"a": "over_capacity"})
    assert states(one)["a"] == "withdrawn"
    assert tell(one, ORDER, "accepted", 1, note="on paper")["state"] == "closed"
    assert history(one)[0:2] == ["withdraw", "relist"]


def test_where_a_new_order_took_the_place_of_a_withdrawn_one_the_call_counts_there(one):
    take(one, lists("b", night=date(2026, 1, 2)), 1, decisions={"a": "over_capacity"})
    take(one, lists("a", night=date(2026, 1, 3)), 2)
    assert tell(one, ORDER, "deferred", 2)["order_id"] == "20260103-C-a"


def test_an_order_is_found_by_the_number_of_every_list_that_named_it(one):
    take(one, lists("a", night=date(2026, 1, 2)), 1)
    assert tell(one, "20260102-C-a", "accepted", 1)["order_id"] == ORDER
    assert one.listing("20260102-C-a")["manager_id"] == "M1"
    assert one.listing("20260109-C-a") is None


def test_an_unknown_order_is_told_masked(one):
    with pytest.raises(Exception, match=r"no order is called 20\*\*\*zz") as told:
        tell(one, "20260101-C-secret-zz", "accepted")
    assert told.value.exit_code == 3
    assert "secret" not in str(told.value)


def test_who_looked_at_an_older_state_is_told_who_was_faster(one):
    version = one.orders().version[0]
    one.record(ORDER, "accept", by="M2", now=moment(1), source="page", expected_version=version)
    with pytest.raises(OrderChangedError, match=r"was changed by M2 \(accept\) since you looked at it; it is accepted now") as told:
        one.record(ORDER, "accept", by="M1", now=moment(1), source="page", expected_version=version)
    assert told.value.exit_code == 5


def test_two_writers_at_once_lose_nobodys_note(one, make_store):
    stores = [make_store() for _ in range(4)]

    def write(place):
        for turn in range(5):
            stores[place].record(ORDER, "note", by=f"M{place}", now=moment(1), source="page", note=f"{place}/{turn}")

    threads = [Thread(target=write, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes = list(one.events(order_id=ORDER).note)[2:]
    assert sorted(notes) == sorted(f"{place}/{turn}" for place in range(4) for turn in range(5))
    assert one.orders().version.tolist() == [21]


def test_two_writers_who_looked_at_the_same_state_cannot_both_win(one, make_store):
    version, done = one.orders().version[0], []

    def write(store, name):
        try:
            store.record(ORDER, "accept", by=name, now=moment(1), source="page", note=name, expected_version=version)
            done.append("won")
        except OrderChangedError:
            done.append("told")

    threads = [Thread(target=write, args=(make_store(), name)) for name in ("M1", "M2", "M3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["told", "told", "won"]


def test_an_order_is_handed_to_another_manager_with_a_record(one):
    order = one.record(ORDER, "reassign", by="lead", now=moment(1), source="page", note="M1 is ill", manager_id="M7", team="north")
    assert (order["manager_id"], order["team"], order["state"]) == ("M7", "north", "assigned")
    assert list(one.orders(manager="M7").order_id) == [ORDER]
    assert one.orders(manager="M1").empty


def test_what_is_overdue_too_long_is_escalated_once(store):
    take(store, lists("a", "b"))
    tell(store, "20260101-C-b", "accepted")
    end_of_term = datetime(2026, 1, 3, 16)
    assert store.overdue(end_of_term).empty
    assert list(store.overdue(moment(4)).customer_id) == ["a"]
    assert store.escalate(moment(5)) == 0  # three days are a grace
    assert [store.escalate(moment(7)), store.escalate(moment(8))] == [1, 0]
    assert states(store)["a"] == "assigned"
    assert history(store) == ["escalate"]


def test_forgetting_a_customer_removes_all_that_happened_to_his_orders_and_nobody_elses(store):
    take(store, lists("a", "b"))
    tell(store, ORDER, "accepted", note="his words")
    removed = store.forget("a")
    assert [removed[name] for name in ("orders", "order_events", "order_listings", "order_verifications")] == [1, 7, 1, 0]
    assert list(store.orders().customer_id) == ["b"]
    assert set(store.events().order_id) == {"20260101-C-b"}
    assert sum(store.forget("a").values()) == 0
