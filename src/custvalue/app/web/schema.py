"""Tables of the page's accounts, in the orders' database; every change of them is a migration there. Times are UTC without a zone."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData()

users = Table(
    "page_users",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("manager_id", Text),
    Column("team", Text),
    Column("password_hash", Text),  # none: only the OpenID Connect provider can sign this user in
    Column("created_at", DateTime, nullable=False),
    Column("disabled_at", DateTime),
)

sessions = Table(
    "page_sessions",
    metadata,
    Column("session_hash", Text, primary_key=True),  # of what the cookie holds: a copied database opens no session
    Column("user_name", Text, ForeignKey("page_users.user_name", ondelete="CASCADE"), nullable=False),
    Column("began_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
    Index("page_sessions_of_a_user", "user_name"),
)

attempts = Table(
    "page_login_attempts",
    metadata,
    Column("key", Text, primary_key=True),  # hashed account or address
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime, nullable=False),
    Column("blocked_until", DateTime),
)

audit = Table(
    "page_audit",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("page_audit_by_time", "at"),
    sqlite_autoincrement=True,
)
"""Append-only: the database itself refuses to change or remove an entry."""
