"""A published night's lists become orders: opened, kept, handed over, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from custvalue.errors import DataError, mask
from custvalue.retention.managers import POOL
from custvalue.retention.orders.recording import Row, as_utc
from custvalue.retention.orders.schema import events, listings, nights, orders
from custvalue.retention.orders.showing import reason_codes, write_shown
from custvalue.retention.orders.states import OPEN, TO_DO, WAITING_STATES, next_state

LEFT_BASE = "left_base"
FORBIDDEN = frozenset({LEFT_BASE, "deceased", "port_authorised", "no_consent", "consent_unknown", "do_not_contact"})
"""Why nobody may be called any more, also where a manager has begun."""
_NEEDED = ("order_id", "customer_id", "manager_id", "priority", "due_by")
_TEXTS = ("customer", "unit", "account", "team", "campaign", "offer", "tier", "trigger", "urgency", "region")
_NUMBERS = ("net_value", "value_at_stake")
_RERANKED = (
    "offer", "tier", "trigger_code", "urgency", "priority", "net_value", "value_at_stake", "lines", "due_at", "team", "region",
    "reason_codes",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What a night did to the orders.

    Attributes
    ----------
    night, run_id : date, str
        Whose lists.
    taken : bool
        Whether they were taken now; not where this run's were taken before, or a newer night's.
    new, stays, moved, left : int
        Orders opened; kept; handed to another manager; withdrawn.
    """

    night: date
    run_id: str
    taken: bool
    new: int = 0
    stays: int = 0
    moved: int = 0
    left: int = 0


class _Changes:
    """What one night does to the orders, gathered so that the database gets it in a few statements.

    `handed` names the orders that somebody has handed over: no night takes that back.
    """

    def __init__(self, run_id: str, now: datetime, handed: frozenset[str]) -> None:
        self.counts = dict.fromkeys(("new", "stays", "moved", "left"), 0)
        self.ranked: set[str] = set()
        self._run_id, self._now, self._handed = run_id, now, handed
        self._opened: list[dict[str, Any]] = []
        self._updated: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def open(self, row: Row) -> None:
        """Open an order, and assign it where there is a manager."""
        order = dict(row)
        self._record(order, "open", before=None)
        if order["manager_id"] != POOL:
            self._move(order, "assign", note=order["manager_id"])
        self._opened.append(order)
        self.ranked.add(order["order_id"])
        self.counts["new"] += 1

    def keep(self, order: Row, row: Row, *, other_line: bool) -> None:
        """Keep an open order; before the first call it follows tonight's ranking and manager."""
        after, moved = dict(order), False
        if order["state"] in (*WAITING_STATES, "accepted"):
            after |= {name: row[name] for name in _RERANKED if name != "team" or order["order_id"] not in self._handed}
            self.ranked.add(order["order_id"])
            after["due_at"] = min(order["due_at"], row["due_at"])  # a term does not move because the order waits
            after |= {name: row[name] for name in ("customer_id", "customer") if not other_line}
        if order["state"] in WAITING_STATES and order["manager_id"] != row["manager_id"] and order["order_id"] not in self._handed:
            moved, after["manager_id"] = True, row["manager_id"]
            self._move(after, "assign" if order["state"] == "new" else "reassign", note=row["manager_id"])
        if after != order:
            self._update(after)
        self.counts["moved" if moved else "stays"] += 1

    def bring_back(self, order: Row, row: Row) -> None:
        """Follow a night that was made anew: what its earlier edition withdrew comes back, what was worked since stays as it is."""
        if order["state"] != "withdrawn":
            self.counts["stays"] += 1
            return
        again = {name: row[name] for name in (*_RERANKED, "manager_id")}
        after = dict(order) | again | {"closed_at": None, "close_reason": None}
        self._move(after, "relist", note=row["manager_id"])
        self.ranked.add(order["order_id"])
        self._update(after)
        self.counts["new"] += 1

    def withdraw(self, order: Row, reason: str) -> None:
        """Withdraw an order whose customer is no longer listed; one that a manager has begun only where nobody may call any more."""
        if order["state"] in WAITING_STATES or (order["state"] in TO_DO and reason in FORBIDDEN):
            after = dict(order) | {"closed_at": self._now, "close_reason": reason, "deferred_until": None}
            self._move(after, "withdraw", reason=reason)
            self._update(after)
            self.counts["left"] += 1

    def write(self, connection: Connection) -> None:
        """Write all of it; who is withdrawn first, because a customer has one open order."""
        names = [column.name for column in orders.columns if column.name != "order_id"]
        ended_first = sorted(self._updated, key=lambda order: order["state"] != "withdrawn")
        if ended_first:
            statement = update(orders).where(orders.c.order_id == bindparam("own_id"))
            values = [{"own_id": order["order_id"]} | {f"new_{name}": order[name] for name in names} for order in ended_first]
            connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), values)
        if self._opened:
            connection.execute(insert(orders), self._opened)
        if self._events:
            connection.execute(insert(events), self._events)

    def _update(self, order: dict[str, Any]) -> None:
        self._updated.append(order | {"version": order["version"] + 1})

    def _move(self, order: dict[str, Any], event: str, *, note: str = "", reason: str | None = None) -> None:
        before = order["state"]
        order["state"] = next_state(before, event)
        self._record(order, event, before=before, note=note, reason=reason)

    def _record(self, order: Row, event: str, *, before: str | None, note: str = "", reason: str | None = None) -> None:
        self._events.append(
            {
                "order_id": order["order_id"],
                "event": event,
                "from_state": before,
                "to_state": order["state"],
                "by": "night",
                "at": self._now,
                "recorded_at": self._now,
                "note": note,
                "reason": reason,
                "until": None,
                "source": "night",
                "key": f"{self._run_id}/{order['order_id']}/{event}/{self._now.isoformat()}",
            }
        )


def take(
    connection: Connection, rows: pd.DataFrame, *, night: date, run_id: str, decisions: Mapping[str, str], now: datetime, zone: str
) -> Taken:
    """Bring the orders in line with a night's lists; see `OrderStore.take_night`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('custvalue orders'))"))
    known = connection.scalar(select(nights.c.run_id).where(nights.c.night == night))
    newest = connection.scalar(select(func.max(nights.c.night)))
    if known == run_id or (newest is not None and newest > night):
        return Taken(night, run_id, taken=False)
    records = _records(rows)
    listed = [_order_of(row, night=night, run_id=run_id, now=now, zone=zone) for row in records]
    found = [dict(row) for row in connection.execute(select(orders).where(orders.c.state.in_(OPEN)).with_for_update()).mappings()]
    ended = connection.execute(select(orders).where(orders.c.night == night, orders.c.state.not_in(OPEN))).mappings()
    handed = connection.scalars(select(events.c.order_id).where(events.c.event == "reassign", events.c.source != "night"))
    changes = _Changes(run_id, now, frozenset(handed))
    places = _place(listed, found, {row["order_id"]: dict(row) for row in ended}, changes)
    kept = set(places.values())
    for order in found:
        if order["order_id"] not in kept:
            changes.withdraw(order, decisions.get(order["customer_id"], LEFT_BASE))
    changes.write(connection)
    shown = [{name: row[name] for name in ("night", "run_id", "manager_id", "priority")} | {"listed_id": row["order_id"]} for row in listed]
    if shown:
        same = delete(listings).where(listings.c.night == night, listings.c.listed_id == bindparam("own_id"))
        connection.execute(same, [{"own_id": listed_id} for listed_id in places])
        connection.execute(insert(listings), [row | {"order_id": places[row["listed_id"]]} for row in shown])
    write_shown(connection, records, places, changes.ranked)
    connection.execute(delete(nights).where(nights.c.night == night))
    connection.execute(insert(nights).values(night=night, run_id=run_id, taken_at=now))
    return Taken(night, run_id, taken=True, **changes.counts)


def _place(listed: Sequence[Row], found: Sequence[Row], ended: Mapping[str, Row], changes: _Changes) -> dict[str, str]:
    """Find each listed customer's order or open one; gives the id under which each is listed → its order's."""
    by_customer = {order["customer_id"]: order for order in found}
    by_account = {order["account"]: order for order in found if order["account"]}
    places = {}
    for row in listed:
        own = by_customer.get(row["customer_id"])
        order = by_account.get(row["account"]) or own
        if order is not None:
            changes.keep(order, row, other_line=own is not None and own is not order)
        elif row["order_id"] in ended:
            order = ended[row["order_id"]]
            changes.bring_back(order, row)
        else:
            order = row
            changes.open(row)
        places[row["order_id"]] = order["order_id"]
    return places


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    absent = [name for name in _NEEDED if name not in rows.columns]
    if absent:
        raise DataError(f"the night's lists lack the column(s) {', '.join(absent)}; orders need {', '.join(_NEEDED)}.")
    for name in ("order_id", "customer_id", *(["account"] if "account" in rows.columns else [])):
        known = rows[name].dropna()
        twice = known[known.duplicated()]
        if len(twice):
            raise DataError(
                f"the night's lists hold {len(twice)} row(s) whose {name} occurs before (for example {mask(twice.iloc[0])}); "
                "give one row an order, a customer and an account."
            )
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _order_of(row: Mapping[str, Any], *, night: date, run_id: str, now: datetime, zone: str) -> dict[str, Any]:
    texts = {name: None if _missing(row.get(name)) else str(row[name]) for name in _TEXTS}
    numbers = {name: None if _missing(row.get(name)) else float(row[name]) for name in _NUMBERS}
    lines = row.get("lines")
    own = {name: str(row[name]) for name in ("order_id", "customer_id", "manager_id")}
    texts["trigger_code"] = texts.pop("trigger")
    texts["customer"] = texts["customer"] or own["order_id"].partition("-")[2]
    texts["reason_codes"] = reason_codes(row)
    fixed = {"night": night, "run_id": run_id, "state": "new", "version": 1, "opened_at": now, "closed_at": None, "close_reason": None}
    counted = {"priority": int(row["priority"]), "lines": 1 if _missing(lines) else int(str(lines)), "tries": 0}
    dates = {"due_at": _due(row["due_by"], zone), "deferred_until": None, "escalated_at": None}
    return own | texts | numbers | fixed | counted | dates


def _due(value: Any, zone: str) -> datetime:
    """Give the end of a day, or a moment, both of the operator's zone, in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return as_utc(value + timedelta(days=1), zone)
    moment = pd.Timestamp(value).to_pydatetime()
    return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)), zone)


def _missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))
