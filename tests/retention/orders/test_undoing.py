"""Taking back: the order is as it was before, whatever was recorded; what counts forgets it; what it told stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custvalue.retention.orders.engine import writing
from custvalue.retention.orders.recording import Act, find_order, outcome_steps, record_steps
from custvalue.retention.orders.states import OUTCOMES, MoveRefusedError
from custvalue.retention.orders.undoing import WITHIN, undo, undoable

from .conftest import lists, moment, take

ORDER = "20260101-C-a"
NOON = moment(0, 28)


def tell(store, outcome, *, by="ann", at=NOON, source="page", note="", reason=None):
    """Record as the page does, in a transaction of the caller's."""
    with writing(store._engine, store.place) as connection:
        order = find_order(connection, ORDER)
        steps, reason = outcome_steps(order, outcome, reason, tries=3)
        until = at.date() + timedelta(days=7) if outcome == "deferred" else None
        record_steps(connection, order, steps, Act(by=by, at=at, now=at, source=source, note=note, reason=reason, until=until))


def take_back(store, *, by="ann", at=NOON):
    with writing(store._engine, store.place) as connection:
        return undo(connection, ORDER, by=by, now=at)


def order_of(store):
    return store.orders().set_index("order_id").loc[ORDER].drop("version").to_dict()


def known(order):
    return {name: None if value != value else value for name, value in order.items()}


@pytest.mark.parametrize("first", [None, "unreachable", "deferred", "reached", "refused"])
@pytest.mark.parametrize("outcome", list(OUTCOMES))
def test_an_outcome_taken_back_leaves_the_order_as_it_was(first, outcome, store):
    take(store, lists("a"))
    if first:
        tell(store, first, note="before")
    before, story = known(order_of(store)), store.events(order_id=ORDER)
    try:
        tell(store, outcome, at=NOON + timedelta(seconds=5), note="a slip")
    except MoveRefusedError:
        return
    take_back(store, at=NOON + timedelta(seconds=30))
    assert known(order_of(store)) == before
    after = store.events(order_id=ORDER)
    assert after.event.tolist() == [*story.event, "undo"]
    assert after.iloc[-1].note == "a slip"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outcomes=st.lists(st.sampled_from(["unreachable", "reached", "deferred", "refused"]), min_size=1, max_size=5))
def test_what_counts_is_what_it_would_be_without_the_slip(outcomes, make_store):
    store = make_store()
    store.forget("a")
    with writing(store._engine, store.place) as connection:
        from sqlalchemy import text

        connection.execute(text("DELETE FROM order_nights"))
    take(store, lists("a"))
    for outcome in outcomes[:-1]:
        try:
            tell(store, outcome)
        except MoveRefusedError:
            return
    before = store.standing(NOON.date() + timedelta(days=2))
    try:
        tell(store, outcomes[-1])
    except MoveRefusedError:
        return
    take_back(store)
    assert store.standing(NOON.date() + timedelta(days=2)).equals(before)


@pytest.mark.parametrize(
    ("by", "later", "source"),
    [("bob", timedelta(), "page"), ("ann", WITHIN + timedelta(seconds=1), "page"), ("ann", timedelta(), "feedback")],
)
def test_only_its_teller_takes_back_and_only_at_once(by, later, source, store):
    take(store, lists("a"))
    tell(store, "reached", source=source)
    with pytest.raises(MoveRefusedError, match="nothing that you could still take back"):
        take_back(store, by=by, at=NOON + later)
    assert order_of(store)["state"] == "reached"


def test_what_somebody_added_since_keeps_it(store):
    take(store, lists("a"))
    tell(store, "reached")
    tell(store, "refused", by="lea")
    with pytest.raises(MoveRefusedError):
        take_back(store)


def test_what_the_night_did_is_not_taken_back(store):
    take(store, lists("a"))
    with writing(store._engine, store.place) as connection:
        assert undoable(connection, ORDER, by="night", now=moment(0)) is None
