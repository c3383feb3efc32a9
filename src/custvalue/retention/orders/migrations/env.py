"""What Alembic runs to migrate: on the connection that it is handed, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from custvalue.retention.orders.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
