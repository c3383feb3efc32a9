"""Sessions: the browser holds a random id and nothing else, the database its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from custvalue.app.web.schema import sessions, users
from custvalue.config.page import PageConfig

_SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last click is remembered: a write a click would make readers wait for one another."""


_FIND: Select[Any] = (
    select(users.c.user_name, users.c.role, users.c.manager_id, users.c.team, sessions.c.seen_at)
    .join(sessions, sessions.c.user_name == users.c.user_name)
    .where(sessions.c.session_hash == bindparam("hashed"), users.c.disabled_at.is_(None))
    .where(sessions.c.seen_at >= bindparam("seen_since"), sessions.c.began_at >= bindparam("began_since"))
)


def begin_session(connection: Connection, user: str, at: datetime, config: PageConfig) -> str:
    """Begin a session under a new id, and give that id; sessions that are over are swept away."""
    session_id = secrets.token_urlsafe(32)
    over = (sessions.c.seen_at < at - timedelta(minutes=config.idle_minutes)) | (sessions.c.began_at < at - timedelta(hours=config.hours))
    connection.execute(sessions.delete().where(over))
    connection.execute(sessions.insert().values(session_hash=_hashed(session_id), user_name=user, began_at=at, seen_at=at))
    return session_id


def find_session(connection: Connection, session_id: str, at: datetime, config: PageConfig) -> Row[Any] | None:
    """Give the session's user with ``seen_at``; None where the session is unknown or over, or the user disabled."""
    since = {"seen_since": at - timedelta(minutes=config.idle_minutes), "began_since": at - timedelta(hours=config.hours)}
    return connection.execute(_FIND, {"hashed": _hashed(session_id)} | since).one_or_none()


def is_stale(seen_at: datetime, at: datetime) -> bool:
    """Tell whether `touch_session` is due."""
    return at - seen_at >= _SEEN_EVERY


def touch_session(connection: Connection, session_id: str, at: datetime) -> None:
    """Remember that the session was used."""
    connection.execute(sessions.update().where(sessions.c.session_hash == _hashed(session_id)).values(seen_at=at))


def end_session(connection: Connection, session_id: str) -> None:
    """End a session for good."""
    connection.execute(sessions.delete().where(sessions.c.session_hash == _hashed(session_id)))


def form_token(session_id: str, purpose: str = "form") -> str:
    """Give what a form of this session must carry; it follows from the id, which no other site can read."""
    return hmac.digest(session_id.encode(), purpose.encode(), "sha256").hex()


def _hashed(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()
