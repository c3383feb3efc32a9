"""Where a store lies; its first touch; and its paths, mended after the workspace was moved."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from custvalue.errors import ConfigError, ModelError, TryAgainError
from custvalue.publish.durable import sync
from custvalue.publish.locks import LockHeldError, hold
from custvalue.tracking.calm import calm, shown

# An experiment tag, so that MLflow keeps it in the database whose root it tells.
ROOT_TAG = "custvalue.models"
_SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "databricks")
_DATABASES = ("postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Place:
    """Where a store lies.

    Attributes
    ----------
    tracking_uri : str
        MLflow's address of it.
    models : Path
        Local folder of locks and the promotion log; of the store itself, unless it lies elsewhere.
    database : Path or None
        The file of a SQLite store.
    artifacts : str or None
        URI of the folder for plots, reports and models; None where a server decides.
    patience : float
        Seconds to wait for locks.
    """

    tracking_uri: str
    models: Path
    database: Path | None
    artifacts: str | None
    patience: float

    @property
    def root(self) -> str:
        """URI of the folder that a SQLite store's recorded paths lie under."""
        return (self.database.parent if self.database else self.models).as_uri()

    @property
    def experiment_tags(self) -> dict[str, str]:
        """Tags that a new experiment needs so that its paths can be mended."""
        return {ROOT_TAG: self.root} if self.database else {}

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one to set up, mend or promote in this store on this machine.

        Raises
        ------
        TryAgainError
            Another process holds the lock for longer than `patience`.
        """
        path = (self.database.parent if self.database else self.models) / ".lock"
        with hold_patiently(path, self.patience):
            yield


@contextmanager
def hold_patiently(path: Path, patience: float) -> Iterator[None]:
    """Hold a lock file, or raise `TryAgainError` when it stays taken."""
    with ExitStack() as held:
        try:
            held.enter_context(hold(path, patience=patience))
        except LockHeldError as error:
            raise TryAgainError(f"{path}: the model store is {error}. Try again when that run is done.") from None
        yield


def locate(models: Path, tracking_uri: str | None, *, patience: float) -> Place:
    """Tell where a store lies; nothing is touched.

    Raises
    ------
    ConfigError
        The address is none that MLflow 3 keeps runs and registered models in, or a SQLite path holds ``%`` or ``?``.
    """
    models = models.resolve()
    if tracking_uri is None or tracking_uri.startswith(_SQLITE):
        database = Path((tracking_uri or "").removeprefix(_SQLITE) or models / "mlflow.db").resolve()
        if {"%", "?"} & set(str(database)):
            raise ConfigError(f"{database}: MLflow cannot keep a database under a path that holds % or ?. Rename the folder.")
        artifacts = database.parent / "artifacts"
        return Place(f"{_SQLITE}{database}", models, database, artifacts.as_uri(), patience)
    scheme = urlsplit(tracking_uri).scheme.partition("+")[0] or tracking_uri
    if scheme in _SERVERS:
        return Place(tracking_uri, models, None, None, patience)
    if scheme in _DATABASES:
        return Place(tracking_uri, models, None, (models / "artifacts").as_uri(), patience)
    raise ConfigError(
        f"MLFLOW_TRACKING_URI {shown(tracking_uri)!r}: give {_SQLITE}FILE, a database or an http(s) address; "
        "MLflow's file store holds no registered models any more. Unset it to use the default store."
    )


def prepare(place: Place, *, name: str, create: bool) -> None:
    """Make a SQLite store ready: create it whole, or mend its paths if it was moved.

    Raises
    ------
    ModelError
        There is no store, and `create` is not given.
    TryAgainError
        Another process keeps the store locked.
    """
    database = place.database
    if database is None:
        return
    if not _exists(database):
        if not create:
            raise ModelError(
                f"no champion for {name!r}: {database.parent} holds no model store. Run `custvalue train`, then `custvalue promote`."
            )
        with place.lock():
            if not _exists(database):
                _initialise(database, str(place.artifacts))
    with calm(place.tracking_uri):
        if _moved_from(place, database):
            with place.lock():
                for root in _moved_from(place, database):
                    _mend(database, root, place.root, place.patience)


def _exists(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0


def _initialise(database: Path, artifacts: str) -> None:
    # Built beside and renamed: a process killed meanwhile leaves no half of a schema, and readers wait for nothing.
    fresh = database.with_name(f".{database.name}.new")
    fresh.unlink(missing_ok=True)
    uri = f"{_SQLITE}{fresh}"
    with calm(uri), _unsynced(fresh):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = SqlAlchemyStore(uri, artifacts)  # type: ignore[no-untyped-call]
        store.engine.dispose()
        # A later fresh start at the same path must not meet this engine's cached connections.
        SqlAlchemyStore._engine_map.pop(uri, None)
    sync(fresh)
    fresh.replace(database)
    sync(database.parent)


@contextmanager
def _unsynced(database: Path) -> Iterator[None]:
    """Let SQLite not wait for the disk after each of the hundreds of steps that make a schema; who asks for this syncs the whole file."""
    from sqlalchemy import Engine, event

    def relax(connection: sqlite3.Connection, _: object) -> None:
        if isinstance(connection, sqlite3.Connection) and connection.execute("PRAGMA database_list").fetchone()[2] == str(database):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        event.remove(Engine, "connect", relax)


def _moved_from(place: Place, database: Path) -> list[str]:
    with closing(sqlite3.connect(database, timeout=place.patience)) as connection:
        query = "SELECT DISTINCT value FROM experiment_tags WHERE key = ? AND value <> ?"
        return [root for (root,) in connection.execute(query, (ROOT_TAG, place.root))]


def _mend(database: Path, old: str, new: str, patience: float) -> None:
    """Replace the old root, written as a URI or as a path, at the start of every text in the database."""
    forms = [(old, new), (_path(old), _path(new))]
    with closing(sqlite3.connect(database, timeout=patience, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for table, column in _text_columns(connection):
            for before, after in forms:
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = ? || substr("{column}", ?) '  # noqa: S608 - names from the schema
                    f'WHERE "{column}" = ? OR substr("{column}", 1, ?) = ?',
                    (after, len(before) + 1, before, len(before) + 1, f"{before}/"),
                )
        connection.execute("COMMIT")


def _text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    query = (
        "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table' AND (c.type LIKE '%CHAR%' OR c.type LIKE '%TEXT%')"
    )
    return [(str(table), str(column)) for table, column in connection.execute(query)]


def _path(uri: str) -> str:
    return unquote(urlsplit(uri).path)
