"""Reading the store of work orders."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from custvalue.config import Config, OrdersConfig
from custvalue.errors import ConfigError
from custvalue.retention.orders import versions
from custvalue.retention.orders.engine import FILE, open_engine, reading
from custvalue.retention.orders.recording import Row, as_utc, local_day
from custvalue.retention.orders.schema import duties, events, in_states, listings, nights, orders, verifications
from custvalue.retention.orders.standing import standing
from custvalue.retention.orders.states import ENDED, TO_DO
from custvalue.retention.orders.verifying import VERIFY_DAYS
from custvalue.sources.moment import Moment


class OrderReader:
    """Work orders as they are and as they were. Every method sees one state of the store; nothing is connected before the first.

    Times that are given may have a zone, and count as UTC without one; times that are read are UTC without a zone.

    Parameters
    ----------
    settings : OrdersConfig
        Where the store is, and when orders are pressed.
    output : Path
        The output folder, where a SQLite store lies.
    zone : str
        The operator's time zone, in which days are cut.

    Raises
    ------
    ConfigError
        The address cannot be read.
    """

    def __init__(self, settings: OrdersConfig, output: Path, zone: str) -> None:
        self._settings, self._output, self._zone = settings, output, zone
        self._engine, self.place = open_engine(settings, output)
        self._checked = False

    @classmethod
    def of(cls, config: Config) -> Self:
        """Give the store of an operator's config; raises ConfigError where its address cannot be read."""
        return cls(config.orders, config.output, config.time_zone)

    def close(self) -> None:
        """Give back what the database lent; the next call connects anew."""
        self._engine.dispose()

    @property
    def exists(self) -> bool:
        """Whether there is a store, or one elsewhere is named."""
        return self._settings.url is not None or (self._output / FILE).exists()

    def standing(self, as_of: date) -> pd.DataFrame:
        """Tell what was recorded of customers before `as_of` 00:00 in the operator's zone: the same night again sees the same.

        Returns
        -------
        DataFrame
            One row a customer of whom there is something: customer_id, account (of an enterprise order, else None), open_order (a manager
            has begun it; orders that only wait are ranked anew), last_contacted_on and last_reached_on (dates, of the last year),
            contacts_90d, do_not_contact, deferred_until (date) and offers_90d (list of codes). A call counts as a contact with or without
            an answer, an offer only with.
        """
        with self._reading() as connection:
            return standing(connection, as_of, self._zone)

    def orders(self, *, manager: str | None = None, state: str | None = None) -> pd.DataFrame:
        """Read orders, by manager and priority: the columns of the table ``orders``, ``trigger_code`` called ``trigger``."""
        query = select(orders).order_by(orders.c.manager_id, orders.c.priority, orders.c.order_id)
        query = query.where(orders.c.manager_id == manager) if manager is not None else query
        return self._frame(query.where(orders.c.state == state) if state is not None else query).rename(columns={"trigger_code": "trigger"})

    def events(self, *, order_id: str | None = None) -> pd.DataFrame:
        """Read what happened, oldest first: the columns of the table ``order_events``."""
        query = select(events).order_by(events.c.event_id)
        return self._frame(query.where(events.c.order_id == order_id) if order_id is not None else query)

    def verifications(self) -> pd.DataFrame:
        """Read what the data said of closed orders: order_id, days, as_of, still_here, revenue_before, revenue_after."""
        return self._frame(select(verifications).order_by(verifications.c.order_id, verifications.c.days))

    def listing(self, listed_id: str) -> Row | None:
        """Tell who had a list's row: night, manager_id, priority, and the order_id of its order; None where no list had it."""
        with self._reading() as connection:
            found = connection.execute(select(listings).where(listings.c.listed_id == listed_id)).mappings().first()
            return None if found is None else dict(found)

    def listed_ids(self, customer_id: str) -> list[str]:
        """Name every id under which lists have named a customer, his orders or his service contacts."""
        own = [select(table.c.customer).where(table.c.customer_id == customer_id) for table in (orders, duties)]
        of_orders = select(listings.c.listed_id).join(orders, orders.c.order_id == listings.c.order_id)
        own.append(of_orders.where(orders.c.customer_id == customer_id))
        with self._reading() as connection:
            return sorted({name for query in own for name in connection.scalars(query)})

    def listed(self, night: date) -> pd.DataFrame:
        """Read a night's listings as its newest run left them: listed_id, order_id, customer_id, manager_id, priority."""
        current = select(nights.c.run_id).where(nights.c.night == night).scalar_subquery()
        columns = (listings.c.listed_id, listings.c.order_id, orders.c.customer_id, listings.c.manager_id, listings.c.priority)
        query = select(*columns).join(orders, orders.c.order_id == listings.c.order_id)
        query = query.where(listings.c.night == night, listings.c.run_id == current)
        return self._frame(query.order_by(listings.c.manager_id, listings.c.priority, listings.c.listed_id))

    def nights(self) -> pd.DataFrame:
        """Read which nights were taken, oldest first: night, run_id, taken_at. The last one is current."""
        return self._frame(select(nights).order_by(nights.c.night))

    def open_customers(self) -> list[str]:
        """Name the customers who have an open order."""
        with self._reading() as connection:
            return list(connection.scalars(select(orders.c.customer_id).where(orders.c.state.not_in(ENDED))))

    def verifiable_customers(self, as_of: date) -> list[str]:
        """Name the customers of orders that were closed long enough ago to be verified, and are not to the end."""
        over = select(verifications.c.order_id).where(verifications.c.days == VERIFY_DAYS[-1])
        before = Moment(as_of - timedelta(days=VERIFY_DAYS[0]), self._zone).instant
        query = select(orders.c.customer_id).where(orders.c.state.in_(("closed", "verified")), orders.c.closed_at < before)
        with self._reading() as connection:
            return list(connection.scalars(query.where(orders.c.order_id.not_in(over)).distinct()))

    def recorded(self, keys: Iterable[str]) -> set[str]:
        """Tell which of these keys were recorded before."""
        first = {f"{key}/0": key for key in keys}
        with self._reading() as connection:
            return {first[found] for found in connection.scalars(select(events.c.key).where(events.c.key.in_(list(first))))}

    def overdue(self, now: datetime) -> pd.DataFrame:
        """Read the open orders whose term is over, or whose customer asked to be called by now; longest first."""
        query = select(orders).where(is_overdue(as_utc(now, self._zone), self._zone)).order_by(orders.c.due_at, orders.c.order_id)
        return self._frame(query).rename(columns={"trigger_code": "trigger"})

    def _frame(self, query: Select[Any]) -> pd.DataFrame:
        with self._reading() as connection:
            found = connection.execute(query)
            return pd.DataFrame(found.mappings().all(), columns=list(found.keys()))

    def _reading(self) -> AbstractContextManager[Connection]:
        self._check()
        return reading(self._engine, self.place)

    def _check(self) -> None:
        if not self._checked:
            self._make_folder()
            versions.ensure_version(self._engine, self.place)
            self._checked = True

    def _make_folder(self) -> None:
        if self._engine.dialect.name != "sqlite":
            return
        try:
            self._output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self._output}: the orders cannot be kept there: {error.strerror}.") from error


def is_overdue(limit: datetime, zone: str) -> ColumnElement[bool]:
    """Give the condition on ``orders`` that the customer still waits though the term, or the day he asked for, was over at a time (UTC)."""
    return is_late(limit, local_day(limit, zone))


def is_late(limit: datetime | ColumnElement[Any], day: date | ColumnElement[Any]) -> ColumnElement[bool]:
    """Give `is_overdue` at a time and the operator's day of it; either may be a parameter of a statement that is made once."""
    waits = and_(orders.c.state != "deferred", orders.c.due_at < limit)
    asked = and_(orders.c.state == "deferred", orders.c.deferred_until < day)
    return and_(in_states(TO_DO), or_(waits, asked))
