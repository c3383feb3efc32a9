"""Tables of the order store; every change of them is a migration in ``migrations/versions``. Times are UTC without a zone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from custvalue.retention.orders.states import ENDED

HEAD = "0003"
"""The newest migration."""
VERSION_TABLE = "custvalue_orders_version"
"""Not Alembic's usual name: one database may hold MLflow's tables too."""

metadata = MetaData()
_IS_OPEN = text(f"state NOT IN ({', '.join(repr(state) for state in ENDED)})")

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("night", Date, nullable=False),  # when it was opened
    Column("run_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("customer", Text, nullable=False),  # CRM id or token, as lists show it
    Column("unit", Text),
    Column("account", Text),
    Column("manager_id", Text, nullable=False),
    Column("team", Text),
    Column("campaign", Text),
    Column("offer", Text),
    Column("tier", Text),
    Column("trigger_code", Text),
    Column("urgency", Text),
    Column("priority", Integer, nullable=False),
    Column("net_value", Double),
    Column("value_at_stake", Double),
    Column("lines", Integer, nullable=False),
    Column("due_at", DateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_at", DateTime, nullable=False),
    Column("closed_at", DateTime),
    Column("close_reason", Text),
    Column("tries", Integer, nullable=False),
    Column("deferred_until", Date),
    Column("escalated_at", DateTime),
    Column("region", Text),
    Column("reason_codes", Text),  # each between blanks, so that one is found without its namesakes
    Index("one_open_order_a_customer", "customer_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index("one_open_order_an_account", "account", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index("orders_of_a_manager", "manager_id", "state", "priority", "order_id"),
    Index("orders_of_a_team", "team", "state", "priority", "order_id"),
    Index("orders_of_a_customer", "customer_id"),
    Index("orders_by_customer_number", "customer"),
)

events = Table(
    "order_events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", Text, ForeignKey("orders.order_id", ondelete="CASCADE"), nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),  # when it happened, as told
    Column("recorded_at", DateTime, nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text),
    Column("until", Date),
    Column("source", Text, nullable=False),  # night, feedback, page or verify
    Column("key", Text, nullable=False),
    UniqueConstraint("key", name="one_event_a_key"),
    Index("events_of_an_order", "order_id", "event_id"),
    Index("events_by_record", "recorded_at"),
    Index("events_by_kind", "event", "recorded_at"),
    sqlite_autoincrement=True,
)
"""Only added to; what its teller takes back at once is replaced by the event of taking it back."""

nights = Table(
    "order_nights",
    metadata,
    Column("night", Date, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("taken_at", DateTime, nullable=False),
)
"""Which run's lists were taken; the newest night is the current one."""

listings = Table(
    "order_listings",
    metadata,
    Column("night", Date, primary_key=True),
    Column("listed_id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.order_id", ondelete="CASCADE"), nullable=False),
    Column("run_id", Text, nullable=False),
    Column("manager_id", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Index("listings_by_id", "listed_id"),
    Index("listings_of_an_order", "order_id"),
)
"""Under which id each night's list names an order: a customer who is listed again keeps his first one."""

shown = Table(
    "order_shown",
    metadata,
    Column("order_id", Text, ForeignKey("orders.order_id", ondelete="CASCADE"), primary_key=True),
    Column("facts", Text, nullable=False),  # JSON
)
"""What the list said of an order when it was last ranked: reasons, facts, offer and talking points, in both languages."""

duties = Table(
    "care_duties",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("since", Date, primary_key=True),  # first night on which it was owed
    Column("customer", Text, nullable=False),
    Column("manager_id", Text, nullable=False),
    Column("team", Text),
    Column("tier", Text),
    Column("due_on", Date, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("done_at", DateTime),
    Column("done_by", Text),
    Column("note", Text, nullable=False),
    Index("duties_of_a_manager", "manager_id", "due_on"),
    Index("duties_of_a_team", "team", "due_on"),
)
"""Service contacts that persons owe as of the current night, and those that were made."""

verifications = Table(
    "order_verifications",
    metadata,
    Column("order_id", Text, ForeignKey("orders.order_id", ondelete="CASCADE"), primary_key=True),
    Column("days", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("still_here", Boolean, nullable=False),
    Column("revenue_before", Double),
    Column("revenue_after", Double),
)
"""What the data say so many days after an order was closed; revenue of the last whole month before each day."""


def in_states(states: Iterable[str]) -> ColumnElement[bool]:
    """Give the condition that an order is in one of these states, which stand in the statement itself: it is the same each time."""
    return orders.c.state.in_([literal_column(repr(state)) for state in states])
