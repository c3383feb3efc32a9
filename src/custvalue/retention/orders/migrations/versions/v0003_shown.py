"""What the page shows of an order beside its columns, and the service contacts that are owed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Date, DateTime, ForeignKey, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and tables; orders of before have no more to show until the next night ranks them."""
    for name in ("region", "reason_codes"):
        op.add_column("orders", Column(name, Text))
    op.create_index("orders_of_a_team", "orders", ["team", "state", "priority", "order_id"])
    op.create_index("orders_by_customer_number", "orders", ["customer"])
    parent = ForeignKey("orders.order_id", ondelete="CASCADE")
    op.create_table("order_shown", Column("order_id", Text, parent, primary_key=True), Column("facts", Text, nullable=False))
    op.create_table(
        "care_duties",
        Column("customer_id", Text, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("since", Date, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("customer", "manager_id")),
        *(Column(name, Text) for name in ("team", "tier")),
        Column("due_on", Date, nullable=False),
        Column("facts", Text, nullable=False),
        Column("done_at", DateTime),
        Column("done_by", Text),
        Column("note", Text, nullable=False),
    )
    op.create_index("duties_of_a_manager", "care_duties", ["manager_id", "due_on"])
    op.create_index("duties_of_a_team", "care_duties", ["team", "due_on"])
