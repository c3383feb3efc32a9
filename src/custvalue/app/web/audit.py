"""The audit log: who did what to which object, when and from where; never a name or a number of a customer."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TextIO

from sqlalchemy import Connection, Row, select

from custvalue.app.web.schema import audit


class Action(StrEnum):
    """What is written to the log."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_BLOCKED = "login_blocked"
    LOGOUT = "logout"
    DENIED = "denied"
    VIEW = "view"
    REVEAL = "reveal"
    EXPORT = "export"
    CHANGE = "change"
    USER_ADDED = "user_added"
    USER_DISABLED = "user_disabled"
    USER_PASSWORD = "user_password"  # noqa: S105 - an action's name


COLUMNS = ("at", "who", "action", "object", "address")
_LONGEST = 200
_ENTRY = audit.insert().inline()  # nobody asks for the new id


def write_audit(connection: Connection, action: Action, *, who: str, what: str, address: str, at: datetime) -> None:
    """Add one entry, in the transaction of the change that it tells of.

    Parameters
    ----------
    connection : Connection
        In a writing transaction.
    action : Action
        What was done.
    who, what : str
        The user; the object: an order's id, a customer's token, a user's name.
    address : str
        Where the request came from; ``console`` for a command.
    at : datetime
        UTC, without a zone.
    """
    entry = {"at": at, "who": who, "action": str(action), "object": what[:_LONGEST], "address": address[:_LONGEST]}
    connection.execute(_ENTRY, entry)


def newest_entries(connection: Connection, limit: int, *, before: int | None = None) -> Sequence[Row[tuple[object, ...]]]:
    """Read the newest entries (those before an ``entry_id``, for the next page), newest first."""
    query = select(audit).order_by(audit.c.entry_id.desc()).limit(limit)
    return connection.execute(query if before is None else query.where(audit.c.entry_id < before)).all()


def export_audit(connection: Connection, file: TextIO) -> int:
    """Write the whole log as CSV, oldest first, and give the number of entries; no cell can be read as a formula."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    entries = 0
    for entry in _entries(connection):
        writer.writerow([_harmless(str(entry._mapping[name])) for name in COLUMNS])
        entries += 1
    return entries


def _entries(connection: Connection) -> Iterator[Row[tuple[object, ...]]]:
    yield from connection.execution_options(yield_per=1000).execute(select(audit).order_by(audit.c.entry_id))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
