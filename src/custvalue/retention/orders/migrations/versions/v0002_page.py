"""The page's accounts: users, sessions, attempts to sign in, and the audit log, which only grows."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, DateTime, ForeignKey, Integer, Text

revision = "0002"
down_revision = "0001"

_REFUSED = "the audit log only grows"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "page_users",
        Column("user_name", Text, primary_key=True),
        Column("role", Text, nullable=False),
        *(Column(name, Text) for name in ("manager_id", "team", "password_hash")),
        Column("created_at", DateTime, nullable=False),
        Column("disabled_at", DateTime),
    )
    op.create_table(
        "page_sessions",
        Column("session_hash", Text, primary_key=True),
        Column("user_name", Text, ForeignKey("page_users.user_name", ondelete="CASCADE"), nullable=False),
        Column("began_at", DateTime, nullable=False),
        Column("seen_at", DateTime, nullable=False),
    )
    op.create_index("page_sessions_of_a_user", "page_sessions", ["user_name"])
    op.create_table(
        "page_login_attempts",
        Column("key", Text, primary_key=True),
        Column("failures", Integer, nullable=False),
        Column("last_at", DateTime, nullable=False),
        Column("blocked_until", DateTime),
    )
    op.create_table(
        "page_audit",
        Column("entry_id", Integer, primary_key=True, autoincrement=True),
        Column("at", DateTime, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("who", "action", "object", "address")),
        sqlite_autoincrement=True,
    )
    op.create_index("page_audit_by_time", "page_audit", ["at"])
    _refuse_changes("sqlite" if op.get_bind().dialect.name == "sqlite" else "postgresql")


def _refuse_changes(dialect: str) -> None:
    if dialect == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER page_audit_no_{change.lower()} BEFORE {change} ON page_audit BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )
        return
    op.execute(f"CREATE FUNCTION page_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$")
    op.execute(
        "CREATE TRIGGER page_audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON page_audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION page_audit_refuse()"
    )
