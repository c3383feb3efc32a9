"""The version of an order store: made, told, brought up to date; a store of another version is never touched by mistake."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from custvalue.errors import ConfigError
from custvalue.retention.orders.engine import reading, writing
from custvalue.retention.orders.schema import HEAD, VERSION_TABLE

_SCRIPTS = Path(__file__).parent / "migrations"


def ensure_version(engine: Engine, place: str) -> None:
    """Make an empty SQLite file a store of the newest version, and refuse any store of another one.

    Raises
    ------
    ConfigError
        The store is older, newer or not made yet; the message says what to run.
    TryAgainError
        The database is away.
    """
    with reading(engine, place) as connection:
        found = current_version(connection)
    if found is None and engine.dialect.name == "sqlite":
        upgrade(engine, place)
        return
    if found == HEAD:
        return
    if found is None or found < HEAD:
        told = "no order store was made there yet" if found is None else f"the order store is of version {found}; this release needs {HEAD}"
        raise ConfigError(f"{place}: {told}. Run `custvalue db upgrade -c CONFIG`, which keeps what is there.")
    raise ConfigError(
        f"{place}: the order store is of version {found}, and this release knows none after {HEAD}. "
        "Use the release of custvalue that wrote it, or a newer one."
    )


def current_version(connection: Connection) -> str | None:
    """Give the store's version; None where there is no store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return found


def upgrade(engine: Engine, place: str) -> tuple[str | None, str]:
    """Bring a store to the newest version, in one transaction, and give the versions before and after.

    Raises
    ------
    ConfigError
        The store is newer than this release.
    TryAgainError
        The database is away or refuses; the store is as before.
    """
    with writing(engine, place) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('custvalue orders'))"))
        before = current_version(connection)
        if before is not None and before > HEAD:
            raise ConfigError(f"{place}: the order store is of version {before}, newer than {HEAD}, the newest that this release knows.")
        if before != HEAD:
            migrate(connection, HEAD)
    return before, HEAD


def migrate(connection: Connection, version: str) -> None:
    """Run the migrations up to a version, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, version)
