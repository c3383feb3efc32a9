"""The life of a work order as one table: in which state which event leads where, and what closing must say."""

from __future__ import annotations

from collections import deque
from types import MappingProxyType

from custvalue.errors import DataError, some

WAITING_STATES = ("new", "assigned")
"""Nobody has begun: the next night may rank the order anew, hand it to another manager or withdraw it."""
RESULTS = ("reached", "unreachable", "offer_accepted", "refused", "deferred", "do_not_contact", "wrong_target")
ENDED = ("closed", "verified", "withdrawn")
STATES = (*WAITING_STATES, "accepted", "contacting", *RESULTS, *ENDED)
OPEN = tuple(state for state in STATES if state not in ENDED)
TO_DO = (*WAITING_STATES, "accepted", "contacting", "deferred")
"""Open states in which the customer waits for a call."""

_FORWARD = ("relist", "assign", "accept", "start", "reach")
"""Events that a later one implies: whoever reports a refusal has reached the customer, though the order was withdrawn meanwhile."""
_PATHS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("assign", ("new",), "assigned"),
    ("accept", ("assigned",), "accepted"),
    ("start", ("accepted", "deferred", "unreachable"), "contacting"),
    ("no_answer", ("contacting",), "contacting"),
    ("give_up", ("contacting",), "unreachable"),
    ("reach", ("contacting",), "reached"),
    ("take_offer", ("reached", "refused"), "offer_accepted"),
    ("refuse", ("reached", "offer_accepted"), "refused"),
    ("defer", ("reached",), "deferred"),
    ("opt_out", ("reached", "offer_accepted", "refused"), "do_not_contact"),
    ("find_wrong", ("contacting", "reached"), "wrong_target"),
    ("close", tuple(state for state in RESULTS if state != "deferred"), "closed"),
    ("verify", ("closed", "verified"), "verified"),
    ("withdraw", TO_DO, "withdrawn"),
    ("relist", ("withdrawn",), "assigned"),
)
_REMARKS: tuple[tuple[str, tuple[str, ...]], ...] = (("reassign", TO_DO), ("escalate", OPEN), ("note", STATES))
"""Events that are recorded and leave the state as it is."""
REMARKS = tuple(event for event, _ in _REMARKS)

TRANSITIONS = MappingProxyType(
    {(state, event): target for event, states, target in _PATHS for state in states}
    | {(state, event): state for event, states in _REMARKS for state in states}
)
"""(state, event) → state; what is not here is refused."""
EVENTS = tuple(dict.fromkeys(event for _, event in TRANSITIONS))
LEADS_TO = MappingProxyType({event: target for event, _, target in _PATHS})
"""Event → the state after it, of those that change it."""

CLOSE_REASONS = MappingProxyType(
    {
        "offer_accepted": ("offer_taken",),
        "refused": ("price", "network", "service", "competitor", "moving", "no_need", "other"),
        "reached": ("settled",),
        "unreachable": ("not_reached",),
        "do_not_contact": ("no_contact_wished",),
        "wrong_target": ("wrong_person", "left_already"),
    }
)
"""State → the coded reasons with which an order may be closed from it; their words stand in the labels' section ``close_reasons``."""
IMPLIED_REASONS = MappingProxyType(
    {state: CLOSE_REASONS[state][0] for state in ("offer_accepted", "unreachable", "do_not_contact")},
)
"""States that say themselves why the order ends."""
CHOSEN_REASONS = tuple(reason for state, reasons in CLOSE_REASONS.items() if state not in IMPLIED_REASONS for reason in reasons)
"""What a manager chooses from."""

OUTCOMES = MappingProxyType(
    {
        "reached": "reach",
        "unreachable": "no_answer",
        "accepted": "take_offer",
        "refused": "refuse",
        "deferred": "defer",
        "do_not_contact": "opt_out",
        "wrong_target": "find_wrong",
    }
)
"""What a manager reports (the labels' section ``outcomes``) → the event."""


class MoveRefusedError(DataError):
    """An event is not possible in the order's state (exit 3)."""


def next_state(state: str, event: str, *, reason: str | None = None) -> str:
    """Give the state to which an event leads.

    Parameters
    ----------
    state, event : str
        One of `STATES`, one of `EVENTS`.
    reason : str, optional
        Coded reason; closing needs one of `CLOSE_REASONS`.

    Raises
    ------
    MoveRefusedError
        The event is not possible in this state, or closing has no reason that fits; the message says what is possible.
    """
    target = TRANSITIONS.get((state, event))
    if target is None:
        possible = [known for known in EVENTS if (state, known) in TRANSITIONS]
        raise MoveRefusedError(f"{event!r} is not possible while the order is {state!r}; possible: {', '.join(possible)}")
    if event == "close" and reason not in CLOSE_REASONS[state]:
        told = f"not {reason!r}" if reason else "which is missing"
        raise MoveRefusedError(f"an order that is {state!r} is closed with one of the reasons {', '.join(CLOSE_REASONS[state])}, {told}")
    return target


def steps_to(state: str, event: str) -> tuple[str, ...]:
    """Give the shortest way of events from a state up to and with an event, over those that it implies.

    >>> steps_to("assigned", "refuse")
    ('accept', 'start', 'reach', 'refuse')

    Raises
    ------
    MoveRefusedError
        There is no such way, for example because the order is closed.
    """
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([(state, (event,))])
    seen = {state}
    while waiting:
        at, steps = waiting.popleft()
        if (at, event) in TRANSITIONS:
            return steps
        for step in _FORWARD:
            target = TRANSITIONS.get((at, step))
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append((target, (*steps[:-1], step, event)))
    raise MoveRefusedError(f"{event!r} is not possible once the order is {state!r}; it can come after {some(_before(event), limit=9)}")


def _before(event: str) -> list[str]:
    return [state for state, known in TRANSITIONS if known == event]
