"""What happened to an order, written down: events are only ever added, and each counts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from custvalue.errors import DataError, PublishError, mask
from custvalue.retention.orders.schema import events, listings, orders
from custvalue.retention.orders.states import (
    CLOSE_REASONS,
    IMPLIED_REASONS,
    LEADS_TO,
    OPEN,
    OUTCOMES,
    MoveRefusedError,
    next_state,
    steps_to,
)
from custvalue.sources.moment import Moment

Row = Mapping[str, Any]
_RESULTS = {reason: state for state, reasons in CLOSE_REASONS.items() for reason in reasons}


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who tells what, and when.

    Attributes
    ----------
    by : str
        Manager, user or program.
    at : datetime
        When it happened, UTC.
    now : datetime
        When it is recorded, UTC.
    source : str
        ``night``, ``feedback``, ``page`` or ``verify``.
    note, reason, until : str, str, date
        A free text; the coded reason, for closing and withdrawing; when to call again, for deferring.
    key : str
        The same key is recorded once; by default each act has its own.
    """

    by: str
    at: datetime
    now: datetime
    source: str
    note: str = ""
    reason: str | None = None
    until: date | None = None
    key: str = ""


class OrderChangedError(PublishError):
    """Somebody else has changed the order since it was looked at (exit 5)."""


def as_utc(moment: datetime | date, zone: str) -> datetime:
    """Give a time as naive UTC; a day becomes its first instant in the operator's zone, and a naive time counts as UTC."""
    if not isinstance(moment, datetime):
        return Moment(moment, zone).instant
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def local_day(moment: datetime, zone: str) -> date:
    """Give the operator's day of a naive UTC time."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def find_order(connection: Connection, order_id: str, *, begun: bool = False) -> Row:
    """Read an order, by its own id or by the one under which a night's list names it, and hold it until the transaction ends.

    With `begun`, somebody has worked on it: where a night has withdrawn it meanwhile and opened another one for the same customer, that one
    is meant.

    Raises
    ------
    DataError
        There is none.
    """
    known = connection.scalar(select(listings.c.order_id).where(listings.c.listed_id == order_id).limit(1))
    own = select(orders).where(orders.c.order_id == (known or order_id))
    found = connection.execute(own.with_for_update()).mappings().first()
    if found is None:
        raise DataError(f"no order is called {mask(order_id)}. Copy the order's number as the list shows it.")
    if begun and found["state"] == "withdrawn":
        other = select(orders).where(orders.c.customer_id == found["customer_id"], orders.c.state.in_(OPEN))
        found = connection.execute(other.with_for_update()).mappings().first() or found
    return dict(found)


def outcome_steps(order: Row, outcome: str, reason: str | None, *, tries: int) -> tuple[list[str], str | None]:
    """Give the events that a reported outcome means for an order, and the coded reason.

    The order is closed where the reason is told or goes without saying; the outcome that the order has already means a note.

    Parameters
    ----------
    order : mapping
        As `find_order` gives it.
    outcome : str
        One of `OUTCOMES`.
    reason : str, optional
        Coded reason.
    tries : int
        Calls without an answer after which the order is unreachable.

    Raises
    ------
    MoveRefusedError
        The outcome is not possible, for example because the order is closed with another one.
    """
    event = OUTCOMES[outcome]
    target, state = LEADS_TO[event], order["state"]
    if state in ("closed", "verified"):
        if _RESULTS.get(order["close_reason"]) == target and reason in (None, order["close_reason"]):
            return ["note"], None
        raise MoveRefusedError(f"the order was closed before, with the reason {order['close_reason']!r}; a closed order takes notes only")
    steps = ["note"] if state == target != "contacting" else list(steps_to(state, event))
    if event == "no_answer" and order["tries"] + 1 >= tries:
        steps, target = [*steps, "give_up"], "unreachable"
    reason = IMPLIED_REASONS.get(target, reason)
    closes = reason is not None and target in CLOSE_REASONS
    return ([*steps, "close"] if closes else steps), reason


def record_steps(connection: Connection, order: Row, steps: Sequence[str], act: Act, **changes: Any) -> Row:
    """Write events one after another, and give the order as it is then.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    order : mapping
        As `find_order` gives it.
    steps : sequence of str
        Events; note, reason and day belong to the last one that is no closing, the reason also to a closing.
    act : Act
        Who, when and why.
    **changes
        Columns of the order that change with it.

    Raises
    ------
    MoveRefusedError
        An event is not possible; nothing is written then.
    """
    after, written, key = dict(order), [], act.key or uuid4().hex
    told = max((place for place, step in enumerate(steps) if step != "close"), default=0)
    for place, step in enumerate(steps):
        reason = act.reason if place >= told else None
        target = next_state(after["state"], step, reason=reason)
        written.append(
            {
                "order_id": order["order_id"],
                "event": step,
                "from_state": after["state"],
                "to_state": target,
                "by": act.by,
                "at": act.at,
                "recorded_at": act.now,
                "note": act.note if place == told else "",
                "reason": reason,
                "until": act.until if step == "defer" else None,
                "source": act.source,
                "key": f"{key}/{place}",
            }
        )
        after |= {"state": target, "version": after["version"] + 1} | _effects(step, after, act)
    after |= changes
    connection.execute(insert(events), written)
    differing = {name: value for name, value in after.items() if value != order[name]}
    connection.execute(update(orders).where(orders.c.order_id == order["order_id"]).values(differing))
    return after


def is_recorded(connection: Connection, key: str) -> bool:
    """Whether an act with this key was written before."""
    return connection.scalar(select(events.c.event_id).where(events.c.key == f"{key}/0")) is not None


def refuse_changed(order: Row, expected_version: int | None, connection: Connection) -> None:
    """Refuse to write over what somebody else has written since; raises OrderChangedError."""
    if expected_version is None or order["version"] == expected_version:
        return
    last = connection.execute(
        select(events.c.by, events.c.event).where(events.c.order_id == order["order_id"]).order_by(events.c.event_id.desc()).limit(1)
    ).one()
    raise OrderChangedError(
        f"order {mask(order['order_id'])} was changed by {last.by} ({last.event}) since you looked at it; it is {order['state']} now. "
        "Look at it again, then write."
    )


def _effects(step: str, order: Row, act: Act) -> dict[str, Any]:
    if step == "no_answer":
        return {"tries": order["tries"] + 1}
    if step in ("close", "withdraw"):
        return {"closed_at": act.at, "close_reason": act.reason, "deferred_until": None}
    if step == "relist":
        return {"closed_at": None, "close_reason": None}
    if step == "escalate":
        return {"escalated_at": act.now}
    return {"deferred_until": act.until} if step in ("defer", "start") else {}
