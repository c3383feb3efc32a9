"""Where the orders are kept: made at the newest version, never touched at another one, and never told with a password."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text

from custvalue.config import OrdersConfig
from custvalue.errors import ConfigError, TryAgainError
from custvalue.retention.orders import engine as engines
from custvalue.retention.orders import versions
from custvalue.retention.orders.engine import adding, asking, reading, writing
from custvalue.retention.orders.schema import HEAD, VERSION_TABLE, metadata, nights
from custvalue.retention.orders.store import OrderStore

from .conftest import NIGHT, ZONE, lists, take


def test_migrations_lead_to_the_tables_that_the_code_speaks_of(store):
    assert store.orders().empty
    own = {"version_table": VERSION_TABLE, "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
    with reading(store._engine, store.place) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=own), metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_needs():
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(versions._SCRIPTS))
    assert ScriptDirectory.from_config(settings).get_heads() == [HEAD]


def test_a_store_of_an_older_version_is_refused_until_an_upgrade_which_keeps_what_is_there(settings, tmp_path):
    store = OrderStore(settings, tmp_path, ZONE)
    with writing(store._engine, store.place) as connection:
        versions.migrate(connection, "0001")
        connection.execute(insert(nights).values(night=NIGHT, run_id="old", taken_at=datetime(2026, 1, 1)))
    with pytest.raises(ConfigError, match=r"is of version 0001; this release needs .* Run `custvalue db upgrade -c CONFIG`") as refused:
        store.nights()
    assert refused.value.exit_code == 2
    assert store.upgrade() == ("0001", HEAD)
    assert store.upgrade() == (HEAD, HEAD)
    assert list(store.nights().run_id) == ["old"]


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store, make_store):
    take(store, lists("a"))
    with writing(store._engine, store.place) as connection:
        connection.execute(text("UPDATE custvalue_orders_version SET version_num = '9999'"))
    other = make_store()
    with pytest.raises(ConfigError, match=f"knows none after {HEAD}"):
        take(other, lists("b"), 1)
    with pytest.raises(ConfigError, match=f"newer than {HEAD}"):
        other.upgrade()
    assert list(store.orders().customer_id) == ["a"]


def test_an_empty_postgres_database_says_what_makes_it_a_store_and_a_file_is_made_at_once(settings, tmp_path):
    store = OrderStore(settings, tmp_path / "not" / "there", ZONE)
    if settings.url is None:
        assert store.orders().empty
        assert (tmp_path / "not" / "there" / "orders.db").is_file()
        return
    with pytest.raises(ConfigError, match=r"no order store was made there yet\. Run `custvalue db upgrade"):
        store.orders()
    assert store.upgrade() == (None, HEAD)
    assert store.orders().empty


def test_many_programs_that_open_a_new_file_at_once_all_find_a_store(tmp_path):
    faults = []

    def open_it():
        try:
            OrderStore(OrdersConfig(), tmp_path, ZONE).orders()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_file_takes_readers_while_one_writes_and_guards_its_references(tmp_path):
    OrderStore(OrdersConfig(), tmp_path, ZONE).orders()
    with sqlite3.connect(tmp_path / "orders.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store = OrderStore(OrdersConfig(), tmp_path, ZONE)
    with reading(store._engine, store.place) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "orders.db").write_text("these are no orders at all, but a text that somebody put here")
    with pytest.raises(TryAgainError, match=r"orders\.db: file is not a database"):
        OrderStore(OrdersConfig(), tmp_path, ZONE).orders()


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@host:port/db", "mysql://u:hunter2@host/db", "hunter2"])
def test_an_address_that_is_none_is_told_without_its_password(tmp_path, url):
    with pytest.raises(ConfigError, match="postgresql://") as told:
        OrderStore(OrdersConfig(url=url), tmp_path, ZONE)
    assert "hunter2" not in str(told.value)
    assert "hunter2" not in repr(OrdersConfig(url=url))


def test_a_server_that_refuses_is_told_without_the_password(tmp_path, postgres):
    store = OrderStore(OrdersConfig(url=postgres.url(word="hunter2hunter2")), tmp_path, ZONE)
    with pytest.raises(TryAgainError, match="password authentication failed") as told:
        store.orders()
    assert "hunter2" not in str(told.value) + store.place
    assert f"orders database postgres on {postgres.folder}" in str(told.value)


@pytest.mark.parametrize("url", ["", "  ", None])
def test_an_empty_address_means_the_file(tmp_path, url):
    assert OrderStore(OrdersConfig(url=url), tmp_path, ZONE).place.endswith("orders.db")


def test_a_reader_sees_one_state_whatever_others_write_meanwhile(store, make_store):
    take(store, lists("a"))
    count = text("SELECT count(*) FROM orders")
    with reading(store._engine, store.place) as connection:
        before = connection.scalar(count)
        take(make_store(), lists("a", "b"), 1)
        assert (before, connection.scalar(count)) == (1, 1)
    with reading(store._engine, store.place) as connection:
        assert connection.scalar(count) == 2


def test_nobody_notices_that_the_server_was_restarted(store, settings, request):
    take(store, lists("a"))
    engine, place, count = store._engine, store.place, text("SELECT count(*) FROM orders")
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'custvalue orders'"

    def read() -> int:
        with reading(engine, place) as connection:
            return connection.scalar(count)

    def write() -> int:
        with writing(engine, place) as connection:
            return connection.execute(text("UPDATE orders SET team = 'north'")).rowcount

    for use in (read, write, lambda: asking(engine, place, lambda connection: connection.scalar(count))):
        with reading(engine, place), reading(engine, place):
            pass  # two connections wait in the pool from here on
        if settings.url is not None:
            assert len(request.getfixturevalue("postgres").ask(ended)) >= 2
        assert [use(), use()] == [1, 1]


def test_one_statement_by_itself_is_kept_and_a_refused_one_is_not(store):
    take(store, lists("a"))
    engine, place = store._engine, store.place
    adding(engine, place, lambda connection: connection.execute(text("UPDATE orders SET team = 'north'")))
    with pytest.raises(TryAgainError):
        adding(engine, place, lambda connection: connection.execute(text("UPDATE orders SET team = 'south', manager_id = NULL")))
    assert list(store.orders().team) == ["north"]


def test_threads_that_write_to_the_file_take_turns_and_are_told_when_theirs_does_not_come(tmp_path, monkeypatch):
    store = OrderStore(OrdersConfig(), tmp_path, ZONE)
    take(store, lists("a"))
    holding, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(store._engine, store.place) as connection:
            connection.execute(text("UPDATE orders SET priority = 7"))
            holding.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(30)
    monkeypatch.setattr(engines, "_PATIENCE_SECONDS", 0.05)
    for write in (lambda: adding(store._engine, store.place, lambda _: None), lambda: writing(store._engine, store.place).__enter__()):
        with pytest.raises(TryAgainError, match=r"others have been writing for 0.05 seconds. Nothing was changed"):
            write()
    with reading(store._engine, store.place) as connection:  # which waits for nobody
        assert connection.scalar(text("SELECT priority FROM orders")) != 7
    may_end.set()
    holder.join()
    adding(store._engine, store.place, lambda connection: connection.execute(text("UPDATE orders SET priority = priority + 1")))
    assert list(store.orders().priority) == [8]
    store.close()
