"""Attempts to sign in, counted by account and by address before the password is looked at; each wrong one costs more waiting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, select
from sqlalchemy.dialects import postgresql, sqlite

from custvalue.app.web.schema import attempts

FREE = {"account": 5, "address": 50}
"""Wrong attempts without waiting; a whole office may share one address."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=15)
_FORGOTTEN = timedelta(days=1)

Source = tuple[str, str]
"""``("account", name as typed)`` or ``("address", where from)``."""


def count_attempt(connection: Connection, sources: Iterable[Source], at: datetime) -> timedelta | None:
    """Count an attempt as a wrong one, and give the time to wait where no more may be made now.

    Counting comes before checking, so that many attempts at once are as slow as one after the other. A password that turns out
    right takes it back: `forgive_attempt`.

    Parameters
    ----------
    connection : Connection
        In a writing transaction.
    sources : iterable
        The account (whether or not there is one) and the address.
    at : datetime
        UTC, without a zone.
    """
    kinds = {_key(source): source[0] for source in sources}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(attempts.delete().where(attempts.c.last_at < at - _FORGOTTEN))
    for key in sorted(kinds):  # always in the same order, or two sign-ins could wait for each other for ever
        connection.execute(insert(attempts).values(key=key, failures=0, last_at=at).on_conflict_do_nothing())
    found = connection.execute(select(attempts).where(attempts.c.key.in_(kinds)).order_by(attempts.c.key).with_for_update()).all()
    waits: list[timedelta] = [row.blocked_until - at for row in found if row.blocked_until is not None and row.blocked_until > at]
    if waits:
        return max(waits)
    for row in found:
        failures = row.failures + 1
        changed = {"failures": failures, "last_at": at, "blocked_until": _blocked_until(failures - FREE[kinds[row.key]], at)}
        connection.execute(attempts.update().where(attempts.c.key == row.key).values(changed))
    return None


def forgive_attempt(connection: Connection, account: Source, address: Source) -> None:
    """Forget the account's wrong attempts, and of the address the one that was right: others may be guessing from there."""
    connection.execute(attempts.delete().where(attempts.c.key == _key(account)))
    one_less = case((attempts.c.failures > 0, attempts.c.failures - 1), else_=0)
    connection.execute(attempts.update().where(attempts.c.key == _key(address)).values(failures=one_less, blocked_until=None))


def _blocked_until(beyond: int, at: datetime) -> datetime | None:
    """The wait doubles with each wrong attempt beyond the free ones."""
    return None if beyond < 0 else at + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(beyond, 10))


def _key(source: Source) -> str:
    """Hash a source: people type passwords into the wrong field."""
    kind, value = source
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:32]}"
