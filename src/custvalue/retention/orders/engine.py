"""Opening the orders' database, SQLite or PostgreSQL, and telling its faults in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from custvalue.config import OrdersConfig
from custvalue.errors import FULL_DISK, ConfigError, TryAgainError, hide_numbers

Answer = TypeVar("Answer")

FILE = "orders.db"
_PATIENCE_SECONDS = 30
_MOST = 40  # connections, kept once they are open: the page has as many threads, and opening one costs more than a page
_CACHE_KB = 256  # of each SQLite connection: the system keeps the file's pages as well, once for all of them
_NO_ROOM = re.compile("disk is full|No space left on device")  # SQLite, PostgreSQL
_TURNS: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
"""SQLite's engines: a thread that writes waits for its turn, where SQLite would let it sleep and try again, ever longer."""
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")


def open_engine(config: OrdersConfig, output: Path) -> tuple[Engine, str]:
    """Give the engine, nothing connected yet, and a name of the place that holds neither user nor password.

    Raises
    ------
    ConfigError
        The address is none of PostgreSQL, or its driver is not installed.
    """
    if config.url is None:
        return _sqlite(output / FILE), str(output / FILE)
    url = _postgres_url(config.url.get_secret_value())
    place = f"orders database {url.database or ''} on {url.host or url.query.get('host') or 'this machine'}"
    options = f"-c lock_timeout={_PATIENCE_SECONDS}s {url.query.get('options', '')}"
    # autocommit: the driver would begin a transaction of its own at the first statement
    arguments = {"connect_timeout": 10, "application_name": "custvalue orders", "options": options, "autocommit": True}
    url = url.difference_update_query(["options"])
    try:
        engine = create_engine(url, pool_size=_MOST, max_overflow=0, hide_parameters=True, connect_args=arguments)
    except (ImportError, NoSuchModuleError):
        raise ConfigError("orders.url names PostgreSQL, which needs psycopg: pip install 'custvalue[database]'.") from None
    # a reader would see with each statement what others have written by then
    return _beginning(engine, {"read": "BEGIN ISOLATION LEVEL REPEATABLE READ", "write": "BEGIN"}), place


@contextmanager
def writing(engine: Engine, place: str) -> Iterator[Connection]:
    """Give a connection whose work is done whole or not at all; SQLite takes one writer at a time, and the others wait."""
    with telling(place), _turn(engine, place), _transaction(engine, "write") as connection:
        yield connection


@contextmanager
def reading(engine: Engine, place: str) -> Iterator[Connection]:
    """Give a connection that sees one state of the store."""
    with telling(place), _transaction(engine, "read") as connection:
        yield connection


def asking(engine: Engine, place: str, ask: Callable[[Connection], Answer]) -> Answer:
    """Let one query run that needs no transaction, and give what it tells."""
    with telling(place), engine.connect() as connection:
        return _again_if_restarted(connection, ask)


def adding(engine: Engine, place: str, add: Callable[[Connection], None]) -> None:
    """Let one statement write that needs no transaction; where the server dies meanwhile, it may have run twice."""
    with _turn(engine, place):
        asking(engine, place, add)


@contextmanager
def _turn(engine: Engine, place: str) -> Iterator[None]:
    turn = _TURNS.get(engine)
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=_PATIENCE_SECONDS):
        raise TryAgainError(f"{place}: others have been writing for {_PATIENCE_SECONDS} seconds. Nothing was changed; do the same again.")
    try:
        yield
    finally:
        turn.release()


@contextmanager
def _transaction(engine: Engine, kind: str) -> Iterator[Connection]:
    with engine.connect().execution_options(custvalue_begins=kind) as connection, _again_if_restarted(connection, Connection.begin):
        yield connection


def _again_if_restarted(connection: Connection, first: Callable[[Connection], Answer]) -> Answer:
    """Do what is done first with a connection; where the server was restarted since its last use, again on a new one."""
    try:
        return first(connection)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        connection.rollback()
        return first(connection)


@contextmanager
def telling(place: str) -> Iterator[None]:
    """Turn what the database says into `TryAgainError`: of its first line alone, because a later one may show a row."""
    try:
        yield
    except DBAPIError as error:
        told = hide_numbers((str(error.orig).strip() or type(error.orig).__name__).splitlines()[0])
        if _NO_ROOM.search(told):
            raise TryAgainError(f"{place}: {FULL_DISK}") from None
        raise TryAgainError(f"{place}: {told}. Nothing was changed; mend it and run the same command again.") from None


def _postgres_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # whose text may hold the password
        raise ConfigError(
            "orders.url cannot be read; write postgresql://user:password@host:port/database, with % codes for special letters."
        ) from None
    if url.drivername not in _POSTGRES:
        raise ConfigError(f"orders.url: {url.drivername!r} is not supported; give postgresql://…, or leave it out for a SQLite file.")
    return url.set(drivername="postgresql+psycopg")


def _sqlite(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=_MOST, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver would begin a transaction only at the first change
        settings = {"busy_timeout": _PATIENCE_SECONDS * 1000, "journal_mode": "WAL", "foreign_keys": "ON", "cache_size": -_CACHE_KB}
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}").close()

    _TURNS[engine] = Lock()
    # who reads first and writes then would be refused if another wrote in between
    return _beginning(engine, {"read": "BEGIN", "write": "BEGIN IMMEDIATE"})


def _beginning(engine: Engine, statements: Mapping[str, str]) -> Engine:
    """Begin each kind of transaction with its statement; without a kind, a statement is one by itself."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("custvalue_begins")
        if kind is not None:
            connection.exec_driver_sql(statements[kind])

    return engine
