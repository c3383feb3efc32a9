"""What the data say of closed orders, months later: whether the customer is still here, and what he pays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from custvalue.retention.orders.recording import Act, local_day, record_steps
from custvalue.retention.orders.schema import orders, verifications
from custvalue.sources.moment import add_months

VERIFY_DAYS = (30, 60, 90)


def verify(
    connection: Connection, as_of: date, departures: pd.DataFrame, revenue: pd.DataFrame, *, wait_days: int, now: datetime, zone: str
) -> int:
    """Verify the orders that are due; see `OrderStore.verify`."""
    over = select(verifications.c.order_id).where(verifications.c.days == VERIFY_DAYS[-1])
    unfinished = orders.c.state.in_(("closed", "verified")) & orders.c.order_id.not_in(over)
    closed = connection.execute(select(orders).where(unfinished).with_for_update()).mappings().all()
    so_far = select(verifications.c.order_id, verifications.c.days).where(verifications.c.order_id.not_in(over))
    done = {(row.order_id, row.days) for row in connection.execute(so_far)}
    due = [(dict(order), day, days) for order in closed for day, days in _due(order, done, as_of, wait_days, zone)]
    if not due:
        return 0
    wanted = {order["customer_id"] for order, _, _ in due}
    left = departures[departures.customer_id.isin(wanted)].groupby("customer_id").left_on.min()
    left_on = {str(customer): pd.Timestamp(day).date() for customer, day in left.items()}
    paid = revenue[revenue.customer_id.isin(wanted)]
    months = pd.to_datetime(paid.month).dt.date
    known = dict(zip(zip(paid.customer_id, months, strict=True), paid.revenue.astype("float64"), strict=True))
    written: list[dict[str, Any]] = []
    states = {order["order_id"]: order for order, _, _ in due}
    for order, day, days in due:
        customer, until = order["customer_id"], day + timedelta(days=days)
        here = left_on.get(customer, date.max) > until
        before, after = (known.get((customer, add_months(each.replace(day=1), -1))) for each in (day, until))
        found = {"still_here": here, "revenue_before": before, "revenue_after": after}
        written.append({"order_id": order["order_id"], "days": days, "as_of": as_of} | found)
        act = Act(by="data", at=now, now=now, source="verify", note=f"{days} days", key=f"{order['order_id']}/verify/{days}")
        states[order["order_id"]] = dict(record_steps(connection, states[order["order_id"]], ["verify"], act))
    connection.execute(insert(verifications), written)
    return len(written)


def _due(order: Any, done: set[tuple[str, int]], as_of: date, wait_days: int, zone: str) -> list[tuple[date, int]]:
    """Give the day of closing with each number of days that is over, and reported, and not yet verified."""
    day = local_day(order["closed_at"], zone)
    waits = timedelta(days=wait_days)
    return [(day, days) for days in VERIFY_DAYS if day + timedelta(days=days) + waits < as_of and (order["order_id"], days) not in done]
