"""Taking back what was just recorded: the order is as it was before, and that it was taken back is written down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from custvalue.retention.orders.recording import Row, find_order
from custvalue.retention.orders.schema import events, orders
from custvalue.retention.orders.states import ENDED, LEADS_TO, MoveRefusedError

UNDO = "undo"
WITHIN = timedelta(minutes=1)
_OWN = frozenset(LEADS_TO) - {"assign", "withdraw", "verify"} | {"note"}


def undoable(connection: Connection, order_id: str, *, by: str, now: datetime) -> Row | None:
    """Give the last event of an order where its teller may still take it back, else None.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    order_id : str
        The order's own id.
    by : str
        Who asks: only what they recorded on the page themselves, as the last thing that happened to the order.
    now : datetime
        UTC, without a zone; not later than `WITHIN` after the record.
    """
    own = select(events).where(events.c.order_id == order_id).order_by(events.c.event_id.desc()).limit(1)
    found = connection.execute(own).mappings().first()
    last = dict(found) if found is not None else None
    return last if last is not None and is_undoable(last, by=by, now=now) else None


def is_undoable(last: Row, *, by: str, now: datetime) -> bool:
    """Tell whether the last event of an order is one that `undoable` gives."""
    own = last["source"] == "page" and last["by"] == by and last["event"] in _OWN
    return own and now - last["recorded_at"] <= WITHIN


def undo(connection: Connection, order_id: str, *, by: str, now: datetime) -> Row:
    """Take back what `undoable` gives, with all events of the same act, and give the order as it is then.

    The act's events leave, so that nothing counts a call that was not made; the event `UNDO` in their place keeps the note, and says as
    its reason what was taken back.

    Raises
    ------
    MoveRefusedError
        It is too late, somebody else was there since, or it was taken back before.
    DataError
        There is no such order.
    """
    order = find_order(connection, order_id)
    last = undoable(connection, order["order_id"], by=by, now=now)
    if last is None:
        raise MoveRefusedError("there is nothing that you could still take back; record what is right now instead")
    story = connection.execute(select(events).where(events.c.order_id == order["order_id"]).order_by(events.c.event_id)).mappings().all()
    act = [event for event in story if _act_of(event) == _act_of(last)]
    before = _before(order, act, [event for event in story if _act_of(event) != _act_of(last)])
    told = {"note": max((event["note"] for event in act), key=len), "reason": act[-1]["event"], "until": before["deferred_until"]}
    moved = {"from_state": order["state"], "to_state": before["state"], "source": last["source"], "key": f"{uuid4().hex}/0"}
    known = {"order_id": order["order_id"], "event": UNDO, "by": by, "at": now, "recorded_at": now}
    connection.execute(delete(events).where(events.c.event_id.in_([event["event_id"] for event in act])))
    connection.execute(insert(events).values(known | told | moved))
    connection.execute(update(orders).where(orders.c.order_id == order["order_id"]).values(before))
    return dict(order) | before


def _before(order: Row, act: list[Any], earlier: list[Any]) -> dict[str, Any]:
    state = act[0]["from_state"]
    ended = next((event for event in reversed(earlier) if event["event"] in ("close", "withdraw")), None) if state in ENDED else None
    deferred = next((event for event in reversed(earlier) if event["event"] in ("defer", UNDO)), None) if state == "deferred" else None
    return {
        "state": state,
        "version": order["version"] + 1,
        "tries": order["tries"] - sum(event["event"] == "no_answer" for event in act),
        "closed_at": ended["at"] if ended else None,
        "close_reason": ended["reason"] if ended else None,
        "deferred_until": deferred["until"] if deferred else None,
    }


def _act_of(event: Any) -> str:
    return str(event["key"]).rpartition("/")[0]
