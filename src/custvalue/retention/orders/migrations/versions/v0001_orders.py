"""Orders, their events, nights, listings and verifications."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Date, DateTime, Double, ForeignKey, Integer, Text, UniqueConstraint, text

revision = "0001"
down_revision = None

_IS_OPEN = text("state NOT IN ('closed', 'verified', 'withdrawn')")


def upgrade() -> None:
    """Make the tables."""
    _make_orders()
    op.create_table(
        "order_events",
        Column("event_id", Integer, primary_key=True, autoincrement=True),
        _order(nullable=False),
        Column("event", Text, nullable=False),
        Column("from_state", Text),
        Column("to_state", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", DateTime, nullable=False),
        Column("recorded_at", DateTime, nullable=False),
        Column("note", Text, nullable=False),
        Column("reason", Text),
        Column("until", Date),
        Column("source", Text, nullable=False),
        Column("key", Text, nullable=False),
        UniqueConstraint("key", name="one_event_a_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_an_order", "order_events", ["order_id", "event_id"])
    op.create_index("events_by_record", "order_events", ["recorded_at"])
    op.create_index("events_by_kind", "order_events", ["event", "recorded_at"])
    night = Column("night", Date, primary_key=True)
    op.create_table("order_nights", night, Column("run_id", Text, nullable=False), Column("taken_at", DateTime, nullable=False))
    op.create_table(
        "order_listings",
        Column("night", Date, primary_key=True),
        Column("listed_id", Text, primary_key=True),
        _order(nullable=False),
        Column("run_id", Text, nullable=False),
        Column("manager_id", Text, nullable=False),
        Column("priority", Integer, nullable=False),
    )
    op.create_index("listings_by_id", "order_listings", ["listed_id"])
    op.create_index("listings_of_an_order", "order_listings", ["order_id"])
    op.create_table(
        "order_verifications",
        _order(primary_key=True),
        Column("days", Integer, primary_key=True),
        Column("as_of", Date, nullable=False),
        Column("still_here", Boolean, nullable=False),
        Column("revenue_before", Double),
        Column("revenue_after", Double),
    )


def _make_orders() -> None:
    op.create_table(
        "orders",
        Column("order_id", Text, primary_key=True),
        Column("night", Date, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("run_id", "customer_id", "customer")),
        *(Column(name, Text) for name in ("unit", "account")),
        Column("manager_id", Text, nullable=False),
        *(Column(name, Text) for name in ("team", "campaign", "offer", "tier", "trigger_code", "urgency")),
        Column("priority", Integer, nullable=False),
        *(Column(name, Double) for name in ("net_value", "value_at_stake")),
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
    )
    for name, column in (("one_open_order_a_customer", "customer_id"), ("one_open_order_an_account", "account")):
        op.create_index(name, "orders", [column], unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
    op.create_index("orders_of_a_manager", "orders", ["manager_id", "state", "priority", "order_id"])
    op.create_index("orders_of_a_customer", "orders", ["customer_id"])


def _order(*, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    parent = ForeignKey("orders.order_id", ondelete="CASCADE")
    return Column("order_id", Text, parent, primary_key=primary_key, nullable=nullable)
