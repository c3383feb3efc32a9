"""Alembic's scripts of the order store; `custvalue.retention.orders.versions` runs them."""
