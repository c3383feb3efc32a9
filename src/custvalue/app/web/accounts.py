"""The page's users: added, listed and disabled from the command line, never by the page itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, select

from custvalue.app.web.audit import Action, write_audit
from custvalue.app.web.passwords import hash_password
from custvalue.app.web.principal import ROLES
from custvalue.app.web.schema import sessions, users
from custvalue.errors import ConfigError
from custvalue.retention.managers import POOL

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
CONSOLE = "console"
"""The address in the audit log of what a command did."""


def tidy_name(text: str) -> str:
    """Give the form in which a user's name is kept: without blanks around it, in small letters.

    >>> tidy_name(" Li.Wei ")
    'li.wei'
    """
    return text.strip().lower()


def find_user(connection: Connection, name: str) -> Row[tuple[object, ...]] | None:
    """Give a user who may sign in; None where there is none, or a disabled one."""
    return connection.execute(select(users).where(users.c.user_name == tidy_name(name), users.c.disabled_at.is_(None))).one_or_none()


def list_users(connection: Connection) -> Sequence[Row[tuple[object, ...]]]:
    """Give all users by name, the disabled ones too."""
    return connection.execute(select(users).order_by(users.c.user_name)).all()


def add_user(
    connection: Connection,
    name: str,
    *,
    role: str,
    manager_id: str | None = None,
    team: str | None = None,
    password: str | None,
    actor: str,
    at: datetime,
) -> None:
    """Add a user.

    Parameters
    ----------
    connection : Connection
        In a writing transaction.
    name : str
        What they sign in with; capitals do not count.
    role : str
        One of `ROLES`.
    manager_id, team : str, optional
        A manager needs an id as in the table ``managers``, a lead a team.
    password : str, optional
        None where only the OpenID Connect provider may sign the user in.
    actor, at
        For the audit log.

    Raises
    ------
    ConfigError
        The name is taken or cannot be one, the role is unknown, or what it needs is missing.
    """
    known = tidy_name(name)
    if not _NAME.fullmatch(known):
        raise ConfigError(
            f"{name!r} cannot be a user's name: use letters of a to z, digits and . _ @ + -, at most 64, a letter or digit first."
        )
    if role not in ROLES:
        raise ConfigError(f"there is no role {role!r}; use {', '.join(ROLES)}.")
    if role == "manager" and not manager_id:
        raise ConfigError("a manager needs --manager, the id under which the orders come.")
    if role == "manager" and manager_id == POOL:
        raise ConfigError(f"{POOL!r} is nobody's list: what stands on it is handed over by a lead. Give --manager the id of a person.")
    if role == "lead" and not team:
        raise ConfigError("a lead needs --team, the team whose orders they see.")
    if connection.execute(select(users.c.user_name).where(users.c.user_name == known)).first():
        raise ConfigError(f"there is a user {known!r} already. Choose another name, or set a new password: custvalue users password.")
    hashed = None if password is None else hash_password(password)
    row = {"user_name": known, "role": role, "manager_id": manager_id, "team": team, "password_hash": hashed, "created_at": at}
    connection.execute(users.insert().values(row))
    write_audit(connection, Action.USER_ADDED, who=actor, what=f"{known} {role}", address=CONSOLE, at=at)


def set_password(connection: Connection, name: str, password: str, *, actor: str, at: datetime) -> None:
    """Give a user a new password, which also lets a disabled one in again; all of the user's sessions end.

    Raises
    ------
    ConfigError
        There is no such user, or the password will not do.
    """
    known = _existing(connection, name)
    connection.execute(users.update().where(users.c.user_name == known).values(password_hash=hash_password(password), disabled_at=None))
    _end_sessions(connection, known)
    write_audit(connection, Action.USER_PASSWORD, who=actor, what=known, address=CONSOLE, at=at)


def disable_user(connection: Connection, name: str, *, actor: str, at: datetime) -> None:
    """Let a user in no more, at once: their sessions end. Nothing that they did is removed; raises ConfigError as `set_password` does."""
    known = _existing(connection, name)
    connection.execute(users.update().where(users.c.user_name == known).values(disabled_at=at))
    _end_sessions(connection, known)
    write_audit(connection, Action.USER_DISABLED, who=actor, what=known, address=CONSOLE, at=at)


def _existing(connection: Connection, name: str) -> str:
    known = tidy_name(name)
    if not connection.execute(select(users.c.user_name).where(users.c.user_name == known)).first():
        raise ConfigError(f"there is no user {known!r}; custvalue users list shows all.")
    return known


def _end_sessions(connection: Connection, name: str) -> None:
    connection.execute(sessions.delete().where(sessions.c.user_name == name))
