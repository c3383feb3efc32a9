"""Opening the orders' database, SQLite or PostgreSQL, and telling its faults in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from custvalue.config import OrdersConfig
from custvalue.errors import FULL_DISK, ConfigError, TryAgainError, hide_numbers

FILE = "orders.db"
_PATIENCE_SECONDS = 30
_MOST = 40  # connections, kept once they are open: the page has as many threads, and opening one costs more than a page
_NO_ROOM = re.compile("disk is full|No space left on device")  # SQLite, PostgreSQL
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
    arguments = {"connect_timeout": 10, "application_name": "custvalue orders", "options": options}
    url = url.difference_update_query(["options"])
    try:
        return create_engine(url, pool_pre_ping=True, pool_size=_MOST, max_overflow=0, hide_parameters=True, connect_args=arguments), place
    except (ImportError, NoSuchModuleError):
        raise ConfigError("orders.url names PostgreSQL, which needs psycopg: pip install 'custvalue[database]'.") from None


@contextmanager
def writing(engine: Engine, place: str) -> Iterator[Connection]:
    """Give a connection whose work is done whole or not at all; SQLite takes one writer at a time, and the others wait."""
    with telling(place), engine.connect().execution_options(custvalue_writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine, place: str) -> Iterator[Connection]:
    """Give a connection that sees one state of the store."""
    with telling(place), engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # which would show each statement what others have written by then
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


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
        for setting in (f"busy_timeout = {_PATIENCE_SECONDS * 1000}", "journal_mode = WAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Who reads first and writes then would be refused if another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("custvalue_writes") else "BEGIN")

    return engine
