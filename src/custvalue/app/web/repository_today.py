"""Queries of the page Today: the orders in the scope, filtered, sorted, a page at a time; and what changed since the night before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, or_, select

from custvalue.app.web.repository import Repository
from custvalue.app.web.repository_customer import FACTS, read_facts
from custvalue.retention.orders.reader import is_late
from custvalue.retention.orders.recording import local_day
from custvalue.retention.orders.schema import events, in_states, listings, nights, orders
from custvalue.retention.orders.states import OPEN

PAGE = 50
_UNKNOWN = -1e300
SORTS: dict[str, tuple[ColumnElement[Any], bool]] = {
    "priority": (orders.c.priority, False),
    "due": (orders.c.due_at, False),
    "net_value": (func.coalesce(orders.c.net_value, _UNKNOWN), True),
    "at_stake": (func.coalesce(orders.c.value_at_stake, _UNKNOWN), True),
}
"""What a list may be sorted by → the column, and whether the largest comes first."""
_SHOWN = ("order_id", "night", "customer", "manager_id", "tier", "urgency", "priority", "net_value", "value_at_stake", "lines", "due_at")
_LATE = is_late(bindparam("now"), bindparam("today"))
_PAGES = {
    name: select(*(orders.c[each] for each in (*_SHOWN, "state", "deferred_until")), FACTS, _LATE.label("overdue"), column.label("place"))
    .order_by(column.desc() if falling else column, orders.c.order_id)
    .limit(PAGE + 1)
    for name, (column, falling) in SORTS.items()
}
"""Sort → the query of a page, made once: making it costs as much as asking it."""
_KINDS = (orders.c.tier, orders.c.region, orders.c.state, orders.c.reason_codes)
_OPEN = in_states(OPEN)
_OVERVIEW = (
    select(
        *_KINDS,
        func.count().label("orders"),
        func.sum(case((_LATE, 1), else_=0)).label("overdue"),
        func.sum(orders.c.value_at_stake).label("at_stake"),
        func.sum(orders.c.net_value).label("net_value"),
    )
    .where(_OPEN)
    .group_by(*_KINDS)
)
_NIGHTLY = ("open", "relist", "reassign", "withdraw")


@dataclass(frozen=True)
class Wanted:
    """What of the orders is to be shown.

    Attributes
    ----------
    tier, reason, region, state : str, optional
        Filters; without a state, all open orders.
    overdue : bool
        Only what is overdue.
    sort : str
        One of `SORTS`.
    after : str, optional
        Where the page before ended.
    """

    tier: str | None = None
    reason: str | None = None
    region: str | None = None
    state: str | None = None
    overdue: bool = False
    sort: str = "priority"
    after: str | None = None


def page_of_orders(repository: Repository, wanted: Wanted, *, at: datetime, zone: str) -> tuple[list[SimpleNamespace], str | None]:
    """Give one page of orders, each with ``facts`` and ``overdue``, and where the next page begins (None: there is none).

    Raises
    ------
    ValueError
        `Wanted.after` was not given by this function.
    """
    query = _filtered(repository.within(_PAGES[wanted.sort]), wanted)
    found = repository.connection.execute(query, _now(at, zone))
    names = tuple(found.keys())
    rows = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in found]
    after = None
    if len(rows) > PAGE:
        rows = rows[:PAGE]
        last = rows[-1].place
        after = f"{last.isoformat() if isinstance(last, datetime) else repr(last)}~{rows[-1].order_id}"
    for row in rows:
        row.facts = read_facts(row.facts)
    return rows, after


def overview(repository: Repository, *, at: datetime, zone: str) -> tuple[dict[str, Any], dict[str, dict[str, int]]]:
    """Tell what there is of open orders.

    Returns
    -------
    total : dict
        ``orders``, ``overdue``, and what they are worth: ``at_stake``, ``net_value`` (None where it is known of none).
    choices : dict
        What they can be filtered by: filter → code → orders.
    """
    rows = repository.connection.execute(repository.within(_OVERVIEW), _now(at, zone)).all()
    total: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in ("orders", "overdue")}
    for name in ("at_stake", "net_value"):
        known = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        total[name] = math.fsum(known) if known else None
    found: dict[str, dict[str, int]] = {name: {} for name in ("tier", "reason", "region", "state")}
    for row in rows:
        own = {"tier": [row.tier], "region": [row.region], "state": [row.state], "reason": (row.reason_codes or "").split()}
        for name, codes in own.items():
            for code in codes:
                if code is not None:
                    found[name][code] = found[name].get(code, 0) + row.orders
    return total, {name: dict(sorted(counts.items())) for name, counts in found.items()}


def changes(repository: Repository) -> tuple[date | None, dict[str, list[dict[str, Any]]]]:
    """Tell what happened to the orders in the scope since the night before the current one.

    Returns
    -------
    before : date or None
        That night; None where the current one is the first.
    found : dict
        ``new``, ``moved`` (to this list), ``handed`` (to another one) and ``left``, each a list of order_id, customer, tier, state and
        ``reason``; and ``stays``, whose rows are left out: one number in a row.
    """
    last = repository.connection.execute(select(nights).order_by(nights.c.night.desc()).limit(2)).all()
    before = last[1] if len(last) > 1 else None
    columns = (orders.c.order_id, orders.c.customer, orders.c.tier, orders.c.state, orders.c.close_reason.label("reason"))
    query = repository.orders(*columns, events.c.event).join(events, events.c.order_id == orders.c.order_id)
    query = query.where(events.c.event.in_(_NIGHTLY)).order_by(orders.c.priority, orders.c.order_id, events.c.event_id)
    if before is not None:
        query = query.where(events.c.recorded_at > before.taken_at)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("new", "moved", "handed", "left")}
    story: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for told in repository.connection.execute(query).mappings():
        story.setdefault(told["order_id"], (dict(told), []))[1].append(told["event"])
    for row, own in story.values():
        if row["state"] == "withdrawn":  # also what a first edition of this night had brought: it has been seen
            found["left"].append(row)
        else:
            found["new" if "open" in own or "relist" in own else "moved"].append(row)
    if before is not None:
        found["handed"] = _handed_over(repository, before.night)
    open_now = repository.connection.scalar(repository.orders(func.count()).where(orders.c.state.in_(OPEN))) or 0
    came = sum(row["state"] in OPEN for name in ("new", "moved") for row in found[name])
    return (before.night if before else None), found | {"stays": [{"orders": open_now - came}]}


def _handed_over(repository: Repository, night: date) -> list[dict[str, Any]]:
    """Name what was on this manager's list of a night and is another one's now: the number he had seen, and nothing that is new."""
    mine = repository.principal.manager_id
    if repository.principal.role == "lead" or mine is None:
        return []
    query = select(orders.c.customer, orders.c.tier).join(listings, listings.c.order_id == orders.c.order_id)
    query = query.where(listings.c.night == night, listings.c.manager_id == mine, orders.c.manager_id != mine)
    return [dict(row) for row in repository.connection.execute(query.order_by(listings.c.priority)).mappings()]


def _now(at: datetime, zone: str) -> dict[str, Any]:
    return {"now": at, "today": local_day(at, zone)}


def _filtered(query: Select[Any], wanted: Wanted) -> Select[Any]:
    query = query.where(orders.c.state == wanted.state if wanted.state else _OPEN)
    for column, value in ((orders.c.tier, wanted.tier), (orders.c.region, wanted.region)):
        query = query.where(column == value) if value else query
    if wanted.reason:
        query = query.where(orders.c.reason_codes.contains(f" {wanted.reason} ", autoescape=True))
    if wanted.overdue:
        query = query.where(_LATE)
    if wanted.after:
        sorted_by, falling = SORTS[wanted.sort]
        value, own = _place(wanted)
        further = sorted_by < value if falling else sorted_by > value
        query = query.where(or_(further, and_(sorted_by == value, orders.c.order_id > own)))
    return query


def _place(wanted: Wanted) -> tuple[Any, str]:
    text, _, own = str(wanted.after).partition("~")
    column = SORTS[wanted.sort][0]
    value = datetime.fromisoformat(text) if column is orders.c.due_at else float(text)
    if not own:
        raise ValueError(wanted.after)
    return value, own
