"""What a principal may see of the orders' database: the one place where the scope is added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, false, func, select

from custvalue.app.web.principal import Permission, Principal
from custvalue.retention.orders.schema import nights, orders
from custvalue.retention.orders.states import OPEN


class NotFoundError(LookupError):
    """There is no such thing, or none that the principal may know of: both look the same from outside."""


class Repository:
    """The database as one principal may see it.

    Parameters
    ----------
    principal : Principal
        Whose scope is added to every query.
    connection : Connection
        In a transaction, whose one state all methods see.
    """

    def __init__(self, principal: Principal, connection: Connection) -> None:
        self.principal = principal
        self.connection = connection

    def scope(self, table: Any = orders) -> ColumnElement[bool]:
        """Give the condition that every query of customers carries, on ``orders`` or another table that says whose a row is."""
        leads = self.principal.role == "lead"
        owner = self.principal.team if leads else self.principal.manager_id
        if not owner or not self.principal.may(Permission.ORDERS):
            return false()
        column: ColumnElement[str] = table.c.team if leads else table.c.manager_id
        return column == owner

    def orders(self, *columns: Any) -> Select[Any]:
        """Begin a query of orders, of these columns or of all, that holds the principal's alone."""
        return select(*(columns or (orders,))).where(self.scope())

    def order(self, order_id: str) -> Row[Any]:
        """Give one order of the scope; raises `NotFoundError` for any other."""
        found = self.connection.execute(self.orders().where(orders.c.order_id == order_id)).one_or_none()
        if found is None:
            raise NotFoundError(order_id)
        return found

    def night(self) -> date | None:
        """Give the day of the newest night whose lists were taken."""
        return self.connection.scalar(select(nights.c.night).order_by(nights.c.night.desc()).limit(1))

    def open_orders(self) -> Sequence[Row[Any]]:
        """Give the open orders, the most valuable call first."""
        query = self.orders().where(orders.c.state.in_(OPEN)).order_by(orders.c.priority, orders.c.order_id)
        return self.connection.execute(query).all()


def busiest_manager(connection: Connection) -> tuple[str, str] | None:
    """Give the manager who has the most orders, and that manager's team: whom the demonstration shows."""
    query = select(orders.c.manager_id, orders.c.team).group_by(orders.c.manager_id, orders.c.team)
    found = connection.execute(query.order_by(func.count().desc(), orders.c.manager_id).limit(1)).first()
    return (found.manager_id, found.team or "none") if found else None
