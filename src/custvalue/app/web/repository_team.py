"""What a lead sees of the team's orders: who has how much to do, and handing orders over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select

from custvalue.app.web.repository import NotFoundError, Repository
from custvalue.app.web.repository_customer import managers_in_scope, read_facts
from custvalue.retention.orders.reader import is_overdue
from custvalue.retention.orders.recording import Act, find_order, record_steps
from custvalue.retention.orders.schema import events, orders, shown
from custvalue.retention.orders.states import OPEN, RESULTS, TO_DO, WAITING_STATES

LOAD = ("waiting", "contacting", "deferred", "uncoded", "overdue", "escalated", "closed")
"""What a manager's orders are counted by; their words stand in the labels' section ``order_table``."""


@dataclass(frozen=True)
class Handed:
    """What became of orders that were to be handed over: ids of those that were, and how many somebody else had changed meanwhile."""

    moved: tuple[str, ...]
    changed: int


def team_load(repository: Repository, now: datetime, zone: str, *, closed_since: date) -> Sequence[Row[Any]]:
    """Count the team's orders by manager: manager_id, `LOAD` (closed ones since a day), net_value of what waits, by manager."""
    waits = orders.c.state.in_(TO_DO)
    kinds: dict[str, ColumnElement[bool]] = {
        "waiting": orders.c.state.in_((*WAITING_STATES, "accepted")),
        "contacting": orders.c.state == "contacting",
        "deferred": orders.c.state == "deferred",
        "uncoded": orders.c.state.in_([state for state in RESULTS if state != "deferred"]),
        "overdue": is_overdue(now, zone),
        "escalated": and_(waits, orders.c.escalated_at.is_not(None)),
        "closed": and_(orders.c.state.in_(("closed", "verified")), orders.c.closed_at >= closed_since),
    }
    counts = [func.sum(case((holds, 1), else_=0)).label(kind) for kind, holds in kinds.items()]
    worth = func.sum(case((waits, orders.c.net_value), else_=0)).label("net_value")
    query = repository.orders(orders.c.manager_id, *counts, worth).group_by(orders.c.manager_id).order_by(orders.c.manager_id)
    return repository.connection.execute(query).all()


def orders_to_do(repository: Repository, manager: str, limit: int) -> Sequence[Row[Any]]:
    """Give a manager's orders whose customers wait for a call, those whose term ends first at the top, and no more than a number.

    Raises
    ------
    NotFoundError
        The team has no such manager.
    """
    if manager not in managers_in_scope(repository):
        raise NotFoundError(manager)
    query = repository.orders().where(orders.c.manager_id == manager, orders.c.state.in_(TO_DO))
    return repository.connection.execute(query.order_by(orders.c.due_at, orders.c.priority, orders.c.order_id).limit(limit)).all()


def hand_over(repository: Repository, looked_at: Iterable[tuple[str, int]], to: str, act: Act, *, shared: bool = False) -> Handed:
    """Hand orders in the scope to a manager of the team, each only as it was when the lead looked at it.

    Parameters
    ----------
    repository : Repository
        In a transaction that writes.
    looked_at : iterable of (str, int)
        Order ids, and the versions that were looked at.
    to : str
        Manager who gets them.
    act : Act
        Who, when; the note says why.
    shared : bool
        Another team's lead saw these orders too, and may have handed some over meanwhile: those are counted as changed.

    Raises
    ------
    NotFoundError
        An order is not in the scope, and not `shared`; nothing is done then.
    MoveRefusedError
        An order waits for nobody any more.
    """
    moved, changed = [], 0
    for order_id, version in sorted(looked_at):
        if shared and not repository.sees(order_id):
            changed += 1
            continue
        repository.order(order_id)
        order = find_order(repository.connection, order_id)
        if order["version"] != version:
            changed += 1
        elif order["manager_id"] != to:
            # whom nobody had is assigned first; no night takes a reassignment back
            steps = ["assign", "reassign"] if order["state"] == "new" else ["reassign"]
            record_steps(repository.connection, order, steps, act, manager_id=to, team=repository.principal.team)
            moved.append(order_id)
    return Handed(tuple(moved), changed)


def listed_orders(repository: Repository) -> list[dict[str, Any]]:
    """Give the open orders in the scope, each with its ``facts``, in the order of the list."""
    query = repository.orders(orders, shown.c.facts).select_from(orders.outerjoin(shown)).where(orders.c.state.in_(OPEN))
    found = repository.connection.execute(query.order_by(orders.c.priority, orders.c.order_id)).mappings()
    return [dict(row) | {"facts": read_facts(row["facts"])} for row in found]


def work_since(repository: Repository, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the team's orders opened on or after a day, and what happened to them: the columns that the scorecard counts."""
    columns = (orders.c.order_id, orders.c.manager_id, orders.c.night, orders.c.due_at, orders.c.state, orders.c.close_reason)
    own = repository.orders(*columns).where(orders.c.night >= day)
    ids = repository.orders(orders.c.order_id).where(orders.c.night >= day)
    happened = select(events.c.order_id, events.c.event, events.c.at).where(events.c.order_id.in_(ids))
    return _frame(repository, own), _frame(repository, happened)


def _frame(repository: Repository, query: Select[Any]) -> pd.DataFrame:
    found = repository.connection.execute(query)
    return pd.DataFrame(found.mappings().all(), columns=list(found.keys()))
