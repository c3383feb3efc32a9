"""Published nights as tables of a PostgreSQL database: a night goes in whole, in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.config.publish import DatabaseConfig
from custvalue.errors import ConfigError, TryAgainError, hide_numbers
from custvalue.publish.database_rows import as_csv, column_type
from custvalue.publish.manifests import Published, latest, published_dates, verify_files

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

NIGHTS = "custvalue_nights"
"""One row a night that is loaded: readers take a night from here, never a date that merely has rows."""
_OWN = ("as_of", "run_id", "generation")
_PATIENCE_SECONDS = 60
_BATCH = 1 << 16


class NightDatabase:
    """The schema that holds the nights. Nothing is connected before the first call.

    Each of the configured tables has the columns of the night's Parquet files beside ``as_of``, ``run_id`` and ``generation``; the view
    ``current_<table>`` shows the newest night that is loaded.

    Parameters
    ----------
    config : DatabaseConfig
        Address, schema and tables.

    Raises
    ------
    ConfigError
        The address is none of PostgreSQL, or the packages for it are not installed.
    """

    def __init__(self, config: DatabaseConfig) -> None:
        self._schema = config.schema_
        self._tables = config.tables
        self._engine, self.place = _engine(config)

    def load(self, output: Path, as_of: date) -> list[Published]:
        """Load a night, and later ones than the first that is loaded, where the database has not just these.

        Parameters
        ----------
        output : Path
            The output folder.
        as_of : date
            A published night.

        Returns
        -------
        list of Published
            What was loaded now, oldest first; empty where nothing was missing.

        Raises
        ------
        DataError
            A night's files differ from its manifest.
        TryAgainError
            The database is away or refuses; what it held before is there unchanged.
        """
        done = []
        with self._telling(f"the night of {as_of} is published, but not loaded into it"):
            with self._engine.begin() as connection:
                self._prepare(connection)
                known = self._known(connection)
            for night in self._missing(output, as_of, known):
                self._load(night)
                done.append(night)
        return done

    def forget(self, customer_id: str) -> dict[str, int]:
        """Remove a customer's rows of every night, in one transaction; raises TryAgainError.

        Returns
        -------
        dict
            Table → rows removed.
        """
        from sqlalchemy import inspect

        with self._telling("no row was removed"), self._engine.begin() as connection:
            present = [name for name in ("scores", "reasons", "lists") if inspect(connection).has_table(name, schema=self._schema)]
            removed = {}
            for name in present:
                statement = f"DELETE FROM {self._name(name)} WHERE customer_id = :customer"  # noqa: S608 - quoted, of an allow-list
                removed[name] = connection.execute(_text(statement), {"customer": customer_id}).rowcount
            return removed

    def _missing(self, output: Path, as_of: date, known: Mapping[date, tuple[str, set[str]]]) -> Iterator[Published]:
        first = min((as_of, *known))
        for day in published_dates(output):
            night = latest(output, day) if day == as_of or day >= first else None
            if night is not None:
                run_id, tables = known.get(day, ("", set()))
                if run_id != night.run_id or not set(self._tables) <= tables:
                    yield night

    def _load(self, night: Published) -> None:
        files = {name: _files(night, name) for name in self._tables}
        with self._engine.begin() as connection:
            tables = {name: self._fit(connection, name, _schema_of(paths)) for name, paths in files.items()}
        with self._engine.begin() as connection:
            connection.execute(_text(f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s'"))
            connection.execute(_text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"custvalue {self._schema}"})
            for name, table in tables.items():
                delete = f"DELETE FROM {self._name(name)} WHERE as_of = :day"  # noqa: S608 - quoted, of an allow-list
                connection.execute(_text(delete), {"day": night.as_of})
                self._copy(connection, table, files[name], night)
            self._announce(connection, night)

    def _copy(self, connection: Connection, table: Table, paths: Sequence[Path], night: Published) -> None:
        from psycopg import sql

        own = {"as_of": night.as_of, "run_id": night.run_id, "generation": night.generation}
        columns = [name for name in _schema_of(paths).names if name in table.columns and name not in own]
        names = sql.SQL(", ").join(map(sql.Identifier, [*own, *columns]))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(self._schema, table.name), names)
        whole = {name for name in columns if table.columns[name].type.python_type is int}
        with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for batch in _batches(paths, columns):
                copy.write(as_csv(batch, own, whole=whole))

    def _announce(self, connection: Connection, night: Published) -> None:
        statement = (
            f"INSERT INTO {self._name(NIGHTS)} (as_of, run_id, generation, tables) VALUES (:as_of, :run_id, :generation, :tables) "  # noqa: S608 - quoted
            "ON CONFLICT (as_of) DO UPDATE SET run_id = excluded.run_id, generation = excluded.generation, tables = excluded.tables"
        )
        values = {"as_of": night.as_of, "run_id": night.run_id, "generation": night.generation, "tables": list(self._tables)}
        connection.execute(_text(statement), values)

    def _prepare(self, connection: Connection) -> None:
        from sqlalchemy import ARRAY, Column, Date, Integer, MetaData, Table, Text, inspect

        if not inspect(connection).has_schema(self._schema):
            raise TryAgainError(
                f"{self.place}: there is no schema {self._schema}. Create it (CREATE SCHEMA {self._schema} AUTHORIZATION its owner), then "
                "run `custvalue nightly` again: what is published stands, and is loaded then."
            )
        metadata: MetaData = MetaData(schema=self._schema)
        columns: list[Any] = [Column("run_id", Text, nullable=False), Column("generation", Integer, nullable=False)]
        Table(NIGHTS, metadata, Column("as_of", Date, primary_key=True), *columns, Column("tables", ARRAY(Text), nullable=False))
        metadata.create_all(connection, checkfirst=True)

    def _known(self, connection: Connection) -> dict[date, tuple[str, set[str]]]:
        found = connection.execute(_text(f"SELECT as_of, run_id, tables FROM {self._name(NIGHTS)}"))  # noqa: S608 - quoted
        return {row.as_of: (row.run_id, set(row.tables)) for row in found}

    def _fit(self, connection: Connection, name: str, schema: pa.Schema) -> Table:
        """Make the table, or add the columns that a newer release publishes, and let the view show them."""
        from sqlalchemy import Column, Date, Integer, MetaData, Table, Text, inspect

        metadata = MetaData(schema=self._schema)
        wanted = {field.name: column_type(field.type) for field in schema if field.name not in _OWN and not pa.types.is_null(field.type)}
        if not inspect(connection).has_table(name, schema=self._schema):
            own: list[Any] = [
                Column("as_of", Date, primary_key=True),
                Column("run_id", Text, nullable=False),
                Column("generation", Integer),
            ]
            own += [Column(column, kind, primary_key=column == "customer_id") for column, kind in wanted.items()]
            Table(name, metadata, *own)
            metadata.create_all(connection)
            self._show(connection, name)
            return metadata.tables[f"{self._schema}.{name}"]
        present = Table(name, metadata, autoload_with=connection)
        added = [column for column in wanted if column not in present.columns]
        for column in added:
            kind = wanted[column].compile(dialect=connection.dialect)
            connection.execute(_text(f"ALTER TABLE {self._name(name)} ADD COLUMN {self._quote(column)} {kind}"))
        if added:
            self._show(connection, name)
            present = Table(name, MetaData(schema=self._schema), autoload_with=connection)
        return present

    def _show(self, connection: Connection, name: str) -> None:
        newest = f"(SELECT max(as_of) FROM {self._name(NIGHTS)})"  # noqa: S608 - quoted
        select = f"SELECT * FROM {self._name(name)} WHERE as_of = {newest}"  # noqa: S608 - quoted, of an allow-list
        connection.execute(_text(f"CREATE OR REPLACE VIEW {self._name(f'current_{name}')} AS {select}"))

    def _name(self, table: str) -> str:
        return f"{self._quote(self._schema)}.{self._quote(table)}"

    def _quote(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Turn what the database says into `TryAgainError`: of its first line alone, because a later one may show a row."""
        import psycopg
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, psycopg.Error, pa.ArrowInvalid) as error:
            cause = getattr(error, "orig", None) or error
            told = hide_numbers((str(cause).strip() or type(cause).__name__).splitlines()[0])
            way_out = "Mend it and run the same command again; nothing is computed twice."
            raise TryAgainError(f"{self.place}: {what}: {told}. {way_out}") from None
        finally:
            self._engine.dispose()


def _engine(config: DatabaseConfig) -> tuple[Engine, str]:
    """Make the engine, and a name of the place that holds neither user nor password."""
    try:
        import psycopg  # noqa: F401
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
        from sqlalchemy.pool import NullPool
    except ImportError as error:
        raise ConfigError(f"publish.database needs {error.name}: pip install 'custvalue[database]'.") from None
    try:
        url = make_url(config.url.get_secret_value())
    except (ArgumentError, ValueError):  # whose text may hold the password
        raise ConfigError(
            "publish.database.url cannot be read; write postgresql://user:password@host:port/database, with % codes for special letters."
        ) from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ConfigError(f"publish.database.url: {url.drivername!r} is not supported; give postgresql://….")
    place = f"database {url.database or ''} on {url.host or url.query.get('host') or 'this machine'}"
    arguments = {"connect_timeout": 10, "application_name": "custvalue"}
    url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments), place


def _text(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)


def _driver(connection: Connection) -> Any:
    """Give psycopg's own connection, in the transaction of SQLAlchemy's: only that can COPY."""
    return connection.connection.driver_connection


def _files(night: Published, table: str) -> list[Path]:
    names = sorted(name for name in night.files if PurePosixPath(name).parts[0] == f"{table}.parquet")
    verify_files(night, names)
    return [night.folder / name for name in names]


def _schema_of(paths: Iterable[Path]) -> pa.Schema:
    """Give the columns of a table's files; one that is empty in one part may have values in another."""
    return pa.unify_schemas([pq.read_schema(path).remove_metadata() for path in paths], promote_options="permissive")


def _batches(paths: Iterable[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            present = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=_BATCH, columns=present):
                rows = batch.num_rows
                arrays = [batch.column(name) if name in present else pa.nulls(rows) for name in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))
