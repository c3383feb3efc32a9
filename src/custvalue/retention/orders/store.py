"""The store of work orders, SQLite for one machine and PostgreSQL for teams."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, delete, func, select, update

from custvalue.errors import DataError
from custvalue.retention.orders import versions
from custvalue.retention.orders.engine import writing
from custvalue.retention.orders.reader import OrderReader, is_overdue
from custvalue.retention.orders.recording import (
    Act,
    Row,
    as_utc,
    find_order,
    is_recorded,
    local_day,
    outcome_steps,
    record_steps,
    refuse_changed,
)
from custvalue.retention.orders.schema import duties, events, listings, orders, shown, verifications
from custvalue.retention.orders.showing import write_care
from custvalue.retention.orders.taking import Taken, take
from custvalue.retention.orders.verifying import verify


class OrderStore(OrderReader):
    """Work orders and what happened to them. Every method is one transaction; see `OrderReader` for place, times and reading."""

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the store to this release's version, and give the versions before and after; see `versions.upgrade`."""
        self._make_folder()
        return versions.upgrade(self._engine, self.place)

    def take_night(
        self, rows: pd.DataFrame, night: date, run_id: str, *, decisions: Mapping[str, str], now: datetime, care: pd.DataFrame | None = None
    ) -> Taken:
        """Make a published night's lists the current orders, all in one transaction.

        A listed customer who has an open order keeps it, and until somebody begins it follows tonight's manager, offer and priority.
        An order that nobody has begun is withdrawn when its customer is no longer listed; one that is begun only when nobody may call any
        more. The same run again changes nothing, a night before the newest one neither; another run of the same night corrects it.

        Parameters
        ----------
        rows : DataFrame
            The listed: order_id, customer_id, manager_id, priority, due_by (a day, whose end is meant, or a moment, both of the operator's
            zone); where known customer, unit, account, team, campaign, offer, tier, trigger, urgency, net_value, value_at_stake, lines,
            region, reason_codes. Further columns are kept for the page to show.
        night, run_id : date, str
            Which night, and which run made it.
        decisions : mapping
            customer_id → decision code, at least for who has an open order (`open_customers`); who has none left the base.
        now : datetime
            When it is recorded.
        care : DataFrame, optional
            The service contacts that persons owe, see `showing.write_care`; without it those of before stay.

        Raises
        ------
        DataError
            A column is missing, or an order, customer or account stands there twice.
        TryAgainError
            The database is away or busy; the orders are as before.
        """
        with self._writing() as connection:
            recorded = as_utc(now, self._zone)
            taken = take(connection, rows, night=night, run_id=run_id, decisions=decisions, now=recorded, zone=self._zone)
            if taken.taken and care is not None:
                write_care(connection, care, night)
        return taken

    def record(
        self,
        order_id: str,
        event: str,
        *,
        by: str,
        now: datetime,
        source: str,
        at: datetime | date | None = None,
        note: str = "",
        reason: str | None = None,
        until: date | None = None,
        expected_version: int | None = None,
        key: str = "",
        **changes: Any,
    ) -> Row:
        """Record one event, and give the order as it is then.

        Parameters
        ----------
        order_id : str
            The order's own id, or the one under which a list names it.
        event : str
            One of `states.EVENTS`.
        by, source : str
            Who tells it; ``feedback``, ``page``, ….
        now, at : datetime
            When it is recorded, and when it happened (a day counts from its first instant; by default now).
        note, reason, until : str, str, date
            See `Act`.
        expected_version : int, optional
            Of the order, when its teller looked at it.
        key : str
            The same key is recorded once.
        **changes
            For reassigning: ``manager_id``, ``team``.

        Raises
        ------
        DataError
            There is no such order, or the event is not possible in its state (`MoveRefusedError`).
        OrderChangedError
            Somebody else changed it since.
        """
        act = self._act(by, source, now, at, note=note, reason=reason, until=until, key=key)
        with self._writing() as connection:
            order = find_order(connection, order_id)
            if key and is_recorded(connection, key):
                return order
            refuse_changed(order, expected_version, connection)
            return record_steps(connection, order, [event], act, **changes)

    def record_outcome(
        self,
        order_id: str,
        outcome: str,
        *,
        by: str,
        now: datetime,
        source: str,
        at: datetime | date | None = None,
        note: str = "",
        reason: str | None = None,
        until: date | None = None,
        expected_version: int | None = None,
        key: str = "",
    ) -> Row:
        """Record what came of a call, with the steps that it implies, and close the order where the reason is told or goes without saying.

        A reason that comes later closes the order then; the same outcome with another note adds the note. The last of several calls
        without an answer (`OrdersConfig.tries`) makes the order unreachable and closes it. Parameters and errors are those of `record`;
        `outcome` is one of `states.OUTCOMES`.
        """
        act = self._act(by, source, now, at, note=note, reason=reason, until=until, key=key)
        if outcome == "deferred" and until is None:
            act = replace(act, until=local_day(act.at, self._zone) + timedelta(days=self._settings.defer_days))
        with self._writing() as connection:
            order = find_order(connection, order_id, begun=True)
            if key and is_recorded(connection, key):
                return order
            refuse_changed(order, expected_version, connection)
            steps, reason = outcome_steps(order, outcome, reason, tries=self._settings.tries)
            return record_steps(connection, order, steps, replace(act, reason=reason))

    def record_care(self, customer: str, kind: str, since: date, *, manager: str | None, now: datetime, note: str) -> bool:
        """Record that a service contact was made; False where it was before, and stays as it is.

        Parameters
        ----------
        customer, kind, since : str, str, date
            The customer as lists show him, the care rule, and the first night on which it was owed.
        manager : str, optional
            Whose list it is on.
        now, note : datetime, str
            When it is recorded, and what was said of it.

        Raises
        ------
        DataError
            No such contact is owed on that list.
        """
        own = [duties.c.customer == customer, duties.c.kind == kind, duties.c.since == since]
        own += [duties.c.manager_id == manager] if manager else []
        with self._writing() as connection:
            found = connection.execute(select(duties).where(*own).with_for_update()).mappings().first()
            if found is None:
                raise DataError("no such service contact is owed on this list now; if it was made, note it beside the customer's order")
            if found["done_at"] is None:
                made = {"done_at": as_utc(now, self._zone), "done_by": found["manager_id"], "note": note}
                connection.execute(update(duties).where(*own).values(made))
        return found["done_at"] is None

    def escalate(self, now: datetime) -> int:
        """Mark, once each, the orders that are overdue for more than the configured days, and give their number."""
        act = self._act("escalation", "night", now, None)
        late = is_overdue(act.now - timedelta(days=self._settings.escalate_days), self._zone)
        with self._writing() as connection:
            query = select(orders).where(late, orders.c.escalated_at.is_(None)).with_for_update()
            found = [dict(row) for row in connection.execute(query).mappings()]
            for order in found:
                record_steps(connection, order, ["escalate"], act)
        return len(found)

    def verify(self, as_of: date, departures: pd.DataFrame, revenue: pd.DataFrame, *, wait_days: int, now: datetime) -> int:
        """Verify closed orders 30, 60 and 90 days after, by the data: still here, and what he pays.

        Parameters
        ----------
        as_of : date
            What `departures` and `revenue` know.
        departures : DataFrame
            customer_id, left_on.
        revenue : DataFrame
            customer_id, month (first day), revenue.
        wait_days : int
            After how many days departures and bills are known; nothing is verified earlier.
        now : datetime
            When it is recorded.

        Returns
        -------
        int
            Verifications made.
        """
        with self._writing() as connection:
            recorded = as_utc(now, self._zone)
            return verify(connection, as_of, departures, revenue, wait_days=wait_days, now=recorded, zone=self._zone)

    def forget(self, customer_id: str) -> dict[str, int]:
        """Remove a customer's orders with all that happened to them; gives table → rows."""
        with self._writing() as connection:
            own = select(orders.c.order_id).where(orders.c.customer_id == customer_id)
            removed = {table.name: self._count(connection, table, own) for table in (events, listings, shown, verifications)}
            removed[duties.name] = connection.execute(delete(duties).where(duties.c.customer_id == customer_id)).rowcount
            removed[orders.name] = connection.execute(delete(orders).where(orders.c.customer_id == customer_id)).rowcount
        return removed

    @staticmethod
    def _count(connection: Connection, table: Any, own: Select[Any]) -> int:
        return connection.scalar(select(func.count()).select_from(table).where(table.c.order_id.in_(own))) or 0

    def _act(self, by: str, source: str, now: datetime, at: datetime | date | None, **told: Any) -> Act:
        recorded = as_utc(now, self._zone)
        return Act(by=by, source=source, now=recorded, at=recorded if at is None else as_utc(at, self._zone), **told)

    def _writing(self) -> AbstractContextManager[Connection]:
        self._check()
        return writing(self._engine, self.place)
