"""What a principal may see of the orders' database: the one place where the scope is added."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, false, func, or_, select

from custvalue.app.web.principal import Permission, Principal
from custvalue.app.web.roster import Roster
from custvalue.retention.managers import POOL
from custvalue.retention.orders.schema import nights, orders

_NIGHT = select(nights.c.night).order_by(nights.c.night.desc()).limit(1)
_ORDER = select(orders).where(orders.c.order_id == bindparam("order"))
CURRENT_NIGHT = _NIGHT.scalar_subquery().label("current_night")
"""`Repository.night` as a column of another query."""


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
    roster : Roster
        Which manager is of which team and region.
    """

    def __init__(self, principal: Principal, connection: Connection, roster: Roster) -> None:
        self.principal = principal
        self.connection = connection
        self._roster = roster

    def scope(self, table: Any = orders) -> ColumnElement[bool]:
        """Give the condition that every query of customers carries, on ``orders`` or another table that says whose a row is.

        A manager sees his own, a lead the team's. What nobody on duty can take (the list `POOL`) is seen by leads alone, who hand it over:
        by those of the team of the customer's own manager, and where he has none by all who lead his region.
        """
        leads = self.principal.role == "lead"
        owner = self.principal.team if leads else self.principal.manager_id
        if not owner or not self.principal.may(Permission.ORDERS) or (owner == POOL and not leads):
            return false()
        return or_(table.c.team == owner, self._without_team(table)) if leads else table.c.manager_id == owner

    def _without_team(self, table: Any) -> ColumnElement[bool]:
        """Give the condition for what no team answers for; a lead sees it unless its region is other teams' alone."""
        nobodys = and_(table.c.manager_id == POOL, table.c.team.is_(None))
        if "region" not in table.c or not self._elsewhere:
            return nobodys
        return and_(nobodys, or_(table.c.region.is_(None), table.c.region.not_in(self._elsewhere)))

    @cached_property
    def _elsewhere(self) -> list[str]:
        """Regions that have managers, but none of the principal's team."""
        if self.duty is None or "region" not in self.duty.columns:
            return []
        known = self.duty.dropna(subset=["team", "region"])
        return sorted(set(known["region"]) - set(known.loc[known["team"] == self.principal.team, "region"]))

    @cached_property
    def duty(self) -> pd.DataFrame | None:
        """Who is on duty on the current night, see `duty_file.write_duty`; None where it does not tell."""
        night = self.night()
        return None if night is None else self._roster.read(night)

    def orders(self, *columns: Any) -> Select[Any]:
        """Begin a query of orders, of these columns or of all, that holds the principal's alone."""
        return self.within(select(*(columns or (orders,))))

    def within(self, query: Select[Any]) -> Select[Any]:
        """Give a query of orders that was made for anybody, with the principal's alone."""
        return query.where(self.scope())

    def order(self, order_id: str, *more: Any) -> Row[Any]:
        """Give one order of the scope, with more columns than its own where some are named; raises `NotFoundError` for any other."""
        found = self.connection.execute(self.within(_ORDER.add_columns(*more)), {"order": order_id}).one_or_none()
        if found is None:
            raise NotFoundError(order_id)
        return found

    def sees(self, order_id: str) -> bool:
        """Tell whether an order is in the scope."""
        return self.connection.scalar(self.orders(orders.c.order_id).where(orders.c.order_id == order_id)) is not None

    def night(self) -> date | None:
        """Give the day of the newest night whose lists were taken."""
        return self.connection.scalar(_NIGHT)


def busiest_manager(connection: Connection) -> tuple[str, str] | None:
    """Give the manager who has the most orders, and that manager's team: whom the demonstration shows."""
    query = select(orders.c.manager_id, orders.c.team).where(orders.c.manager_id != POOL).group_by(orders.c.manager_id, orders.c.team)
    found = connection.execute(query.order_by(func.count().desc(), orders.c.manager_id).limit(1)).first()
    return (found.manager_id, found.team or "none") if found else None
