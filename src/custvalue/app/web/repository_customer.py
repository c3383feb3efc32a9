"""Queries of one customer: what the list said, what happened, what came of earlier orders, which service is owed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, false, func, or_, select, update

from custvalue.app.web.repository import NotFoundError, Repository
from custvalue.retention.orders.schema import duties, events, in_states, orders, shown
from custvalue.retention.orders.states import ENDED

FACTS = select(shown.c.facts).where(shown.c.order_id == orders.c.order_id).scalar_subquery().label("facts")
"""What the list said of an order, as a column of a query of orders, for `read_facts`: read of those rows alone that a page shows."""
_HISTORY = select(events).where(events.c.order_id == bindparam("order")).order_by(events.c.event_id.desc())
_EARLIER = (
    select(orders.c.order_id, orders.c.night, orders.c.offer, orders.c.state, orders.c.close_reason, orders.c.closed_at)
    .where(orders.c.customer_id == bindparam("customer"), orders.c.order_id != bindparam("but"), in_states(ENDED))
    .order_by(orders.c.opened_at.desc())
    .limit(5)
)
_OWED = select(duties).where(duties.c.done_at.is_(None)).order_by(duties.c.due_on, duties.c.customer)


class Facts(dict[str, Any]):
    """What a list said of a customer; what it did not say is None."""

    def __missing__(self, name: str) -> None:
        return None

    __getattr__ = dict.get  # templates ask for attributes first


def read_facts(text: str | None) -> Facts:
    """Give what the list said of an order; nothing where it said nothing."""
    return Facts(json.loads(text) if text else {})


def history(repository: Repository, order_id: str) -> Sequence[Any]:
    """Give what happened to an order of the scope, newest first; ask `Repository.order` before."""
    return repository.connection.execute(_HISTORY, {"order": order_id}).all()


def earlier_orders(repository: Repository, customer_id: str, *, but: str | None = None) -> Sequence[Any]:
    """Give the newest ended orders of a customer of the scope, whoever had them: night, offer, how they ended, when."""
    query = _EARLIER.add_columns(repository.scope().label("mine"))
    return repository.connection.execute(query, {"customer": customer_id, "but": but or ""}).all()


def find_order_of(repository: Repository, customer: str) -> str | None:
    """Find the open order of the customer with this number in the scope, or the order that has this number itself."""
    his = and_(orders.c.customer == customer, orders.c.state.not_in(ENDED))
    query = repository.orders(orders.c.order_id).where(or_(his, orders.c.order_id == customer))
    order: str | None = repository.connection.scalar(query.limit(1))
    return order


def has_open_order(repository: Repository, customer_id: str) -> bool:
    """Tell whether anybody has an open order for a customer of the scope."""
    query = select(orders.c.order_id).where(orders.c.customer_id == customer_id, orders.c.state.not_in(ENDED))
    return repository.connection.scalar(query.limit(1)) is not None


def is_anothers(repository: Repository, customer_id: str) -> bool:
    """Tell whether a customer has an open order outside the scope: then he is another manager's, whoever usually serves him."""
    mine = func.coalesce(repository.scope(), false())  # without a team it is unknown whose, and so not mine
    query = select(orders.c.order_id).where(orders.c.customer_id == customer_id, orders.c.state.not_in(ENDED), ~mine)
    return repository.connection.scalar(query.limit(1)) is not None


def managers_in_scope(repository: Repository) -> list[str]:
    """Name the managers whose customers the principal may see."""
    if repository.principal.role != "lead":
        return [repository.principal.manager_id] if repository.principal.manager_id else []
    known = [select(table.c.manager_id).where(repository.scope(table)).distinct() for table in (orders, duties)]
    return sorted({manager for query in known for manager in repository.connection.scalars(query)})


def duties_owed(repository: Repository, *, until: date | None = None, customer_id: str | None = None) -> list[dict[str, Any]]:
    """Give the service contacts in the scope that are still owed, by day: those due until a day, or a customer's."""
    query = _OWED.where(repository.scope(duties))
    query = query.where(duties.c.due_on <= until) if until else query
    query = query.where(duties.c.customer_id == customer_id) if customer_id else query
    return [dict(row) | {"facts": read_facts(row["facts"])} for row in repository.connection.execute(query).mappings()]


def duties_done(repository: Repository, *, since: datetime) -> list[dict[str, Any]]:
    """Give the service contacts in the scope that were made since a moment (UTC), the newest first."""
    query = select(duties).where(repository.scope(duties), duties.c.done_at >= since).order_by(duties.c.done_at.desc())
    return [dict(row) | {"facts": read_facts(row["facts"])} for row in repository.connection.execute(query).mappings()]


def finish_duty(repository: Repository, customer: str, kind: str, since: date, *, at: datetime, note: str) -> Mapping[str, Any]:
    """Record that a service contact was made; once made it stays as it is.

    Raises
    ------
    NotFoundError
        None of this kind is owed to such a customer in the scope.
    """
    own = (repository.scope(duties), duties.c.customer == customer, duties.c.kind == kind, duties.c.since == since)
    found = repository.connection.execute(select(duties).where(*own).with_for_update()).mappings().first()
    if found is None:
        raise NotFoundError(customer)
    if found["done_at"] is None:
        made = {"done_at": at, "done_by": repository.principal.user, "note": note}
        repository.connection.execute(update(duties).where(*own).values(made))
    return dict(found)
