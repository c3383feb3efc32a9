"""What orders tell the next night about a customer: whether somebody is at it, when he was last called, what he was offered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, or_, select

from custvalue.retention.orders.recording import local_day
from custvalue.retention.orders.schema import duties, events, orders
from custvalue.retention.orders.states import OPEN, REMARKS, WAITING_STATES
from custvalue.sources.moment import Moment

_RECENT_DAYS, _LONG_DAYS = 90, 366
_COLUMNS = {
    "customer_id": "object",
    "account": "object",
    "open_order": "bool",
    "last_contacted_on": "object",
    "last_reached_on": "object",
    "contacts_90d": "int64",
    "do_not_contact": "bool",
    "deferred_until": "object",
    "offers_90d": "object",
}


def standing(connection: Connection, as_of: date, zone: str) -> pd.DataFrame:
    """Tell each customer's standing; see `OrderStore.standing`."""
    instant = Moment(as_of, zone).instant
    found: dict[str, dict[str, Any]] = {}

    def entry(customer: str, account: str | None) -> dict[str, Any]:
        usual: dict[str, Any] = {
            "customer_id": customer,
            "open_order": False,
            "last_contacted_on": None,
            "last_reached_on": None,
            "contacts_90d": 0,
            "do_not_contact": False,
        }
        known = found.setdefault(customer, usual | {"account": None, "deferred_until": None, "offers_90d": []})
        known["account"] = account or known["account"]
        return known

    # An order that is ended by now may have been open then; whatever ended it is an event of later.
    later = select(events.c.order_id).where(events.c.recorded_at >= instant)
    last = (
        select(events.c.order_id, func.max(events.c.event_id).label("event_id"))
        .where(events.c.recorded_at < instant, events.c.event.not_in(REMARKS))
        .where(events.c.order_id.in_(select(orders.c.order_id).where(or_(orders.c.state.in_(OPEN), orders.c.order_id.in_(later)))))
        .group_by(events.c.order_id)
        .subquery()
    )
    state = select(orders.c.customer_id, orders.c.account, events.c.to_state, events.c.until)
    for row in connection.execute(
        state.join(events, events.c.order_id == orders.c.order_id).join(last, last.c.event_id == events.c.event_id)
    ):
        if row.to_state in OPEN and row.to_state not in WAITING_STATES:
            entry(row.customer_id, row.account)["open_order"] = True
            entry(row.customer_id, row.account)["deferred_until"] = row.until if row.to_state == "deferred" else None
    happened = select(orders.c.customer_id, orders.c.account, orders.c.offer, events.c.event, events.c.at).join_from(
        events, orders, events.c.order_id == orders.c.order_id
    )
    long_ago = Moment(as_of - timedelta(days=_LONG_DAYS), zone).instant
    calls = happened.where(
        events.c.event.in_(("no_answer", "reach")), events.c.recorded_at >= long_ago, events.c.recorded_at < instant
    ).order_by(events.c.event_id)
    recent = Moment(as_of - timedelta(days=_RECENT_DAYS), zone).instant
    for call in connection.execute(calls):
        known = entry(call.customer_id, call.account)
        day = local_day(call.at, zone)
        for name in ("last_contacted_on", "last_reached_on")[: 1 + (call.event == "reach")]:
            known[name] = max(day, known[name] or day)
        if call.at >= recent:
            known["contacts_90d"] += 1
            if call.event == "reach" and call.offer:
                known["offers_90d"].append(call.offer)
    served = select(duties.c.customer_id, duties.c.done_at).where(duties.c.done_at >= long_ago, duties.c.done_at < instant)
    for duty in connection.execute(served):
        known, day = entry(duty.customer_id, None), local_day(duty.done_at, zone)
        known["last_reached_on"] = max(day, known["last_reached_on"] or day)
    for asked in connection.execute(happened.where(events.c.event == "opt_out", events.c.recorded_at < instant)):
        entry(asked.customer_id, asked.account)["do_not_contact"] = True
    rows = [found[customer] for customer in sorted(found)]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object).astype(_COLUMNS)
