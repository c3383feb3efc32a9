"""The life of an order: every state can be reached, nothing comes back from its end, and what is refused says what is possible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from custvalue.config import ready_configs
from custvalue.retention.orders.states import (
    CHOSEN_REASONS,
    CLOSE_REASONS,
    ENDED,
    EVENTS,
    IMPLIED_REASONS,
    OPEN,
    OUTCOMES,
    RESULTS,
    STATES,
    TRANSITIONS,
    MoveRefusedError,
    next_state,
    steps_to,
)
from custvalue.wording import load_catalogue

# written out by hand: new → assigned → accepted → contacting → a result → closed → verified at 30, 60 and 90 days
DAY = ["assign", "accept", "start", "no_answer", "reach", "take_offer", "close", "verify", "verify", "verify"]
THROUGH = ["assigned", "accepted", "contacting", "contacting", "reached", "offer_accepted", "closed", "verified", "verified", "verified"]


def test_a_usual_order_goes_from_new_to_verified():
    state, seen = "new", []
    for event in DAY:
        state = next_state(state, event, reason="offer_taken")
        seen.append(state)
    assert seen == THROUGH


def test_every_state_is_reached_from_new_and_every_open_one_can_be_closed_or_withdrawn():
    def reachable(start):
        seen, waiting = {start}, [start]
        while waiting:
            state = waiting.pop()
            new = {target for (at, _), target in TRANSITIONS.items() if at == state} - seen
            seen |= new
            waiting += new
        return seen

    assert reachable("new") == set(STATES)
    assert all("closed" in reachable(state) for state in OPEN)


def test_nothing_leads_out_of_closed_but_verifying():
    out = {(state, event): target for (state, event), target in TRANSITIONS.items() if state in ("closed", "verified") and target != state}
    assert out == {("closed", "verify"): "verified"}
    assert {event for state, event in TRANSITIONS if state == "closed"} == {"verify", "note"}


@given(st.sampled_from(STATES), st.sampled_from(EVENTS), st.sampled_from([None, "nonsense", *CHOSEN_REASONS, "offer_taken"]))
def test_every_event_moves_or_is_refused_in_plain_words(state, event, reason):
    if (state, event) in TRANSITIONS and (event != "close" or reason in CLOSE_REASONS[state]):
        assert next_state(state, event, reason=reason) in STATES
        return
    with pytest.raises(MoveRefusedError, match=r"possible: |closed with one of the reasons") as refused:
        next_state(state, event, reason=reason)
    assert state in str(refused.value)
    assert refused.value.exit_code == 3


@given(st.sampled_from(STATES), st.sampled_from(EVENTS))
def test_the_way_to_an_event_is_a_way_that_exists_and_ends_with_it(state, event):
    try:
        steps = steps_to(state, event)
    except MoveRefusedError:
        return
    assert steps[-1] == event
    for step in steps:
        state = next_state(state, step, reason=CLOSE_REASONS.get(state, ("",))[0])


class Order(RuleBasedStateMachine):
    """Any sequence of events; what is refused changes nothing."""

    def __init__(self):
        super().__init__()
        self.state, self.was_closed = "new", False

    @rule(event=st.sampled_from(EVENTS), reason=st.sampled_from([None, *CHOSEN_REASONS, *IMPLIED_REASONS.values()]))
    def happen(self, event, reason):
        before = self.state
        try:
            self.state = next_state(self.state, event, reason=reason)
        except MoveRefusedError:
            assert self.state == before
        self.was_closed |= self.state == "closed"

    @invariant()
    def what_was_closed_stays_closed(self):
        assert not self.was_closed or self.state in ("closed", "verified")


TestOrder = Order.TestCase


def test_every_result_can_be_closed_with_a_reason_and_no_reason_belongs_to_two():
    assert set(CLOSE_REASONS) == set(RESULTS) - {"deferred"}
    reasons = [reason for known in CLOSE_REASONS.values() for reason in known]
    assert len(set(reasons)) == len(reasons)
    assert all(IMPLIED_REASONS[state] in CLOSE_REASONS[state] for state in IMPLIED_REASONS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_states_outcomes_and_reasons_have_words_that_tell_them_apart(language):
    catalogue = load_catalogue(ready_configs() / "wording")
    for section, names in (
        ("order_states", STATES),
        ("outcomes", OUTCOMES),
        ("close_reasons", [r for k in CLOSE_REASONS.values() for r in k]),
    ):
        words = [catalogue.label(f"{section}.{name}", language) for name in names]
        assert len(set(words)) == len(words)
        assert set(catalogue.names(section)) - set(names) <= {"left_base"}


def test_open_and_ended_states_are_all_there_are():
    assert {*OPEN, *ENDED} == set(STATES)
