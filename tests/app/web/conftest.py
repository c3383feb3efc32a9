from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from custvalue.config import load_config
from custvalue.retention.orders.store import OrderStore

REPOSITORY = Path(__file__).parents[3]
NIGHT = date(2026, 1, 5)
PASSWORD = "correct horse battery"  # noqa: S105 - of users who are nobody
USERS = {
    "ann": {"role": "manager", "manager_id": "M-001"},
    "bob": {"role": "manager", "manager_id": "M-002"},
    "lea": {"role": "lead", "team": "north"},
    "sue": {"role": "lead", "team": "south"},
    "ana": {"role": "analyst"},
    "adm": {"role": "admin"},
}
_numbers = count()


class Clock:
    """The time of the page's world, moved by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 5, 0, 30)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_config(tmp_path):
    """Write a config with these settings of the page, and load it."""

    def make(orders: str = "", **page: object):
        text = (
            f"currency: CNY\ntime_zone: Asia/Shanghai\noutput: {tmp_path}/out\n"
            f"sources: {{folder: {tmp_path}}}\n"
            f"tier_policy: {REPOSITORY}/configs/tiers/consumer.yaml\nretention_policy: {REPOSITORY}/configs/retention/default.yaml\n"
            f"page: {page}\n" + (f"orders: {{url: '{orders}'}}\n" if orders else "")
        )
        path = tmp_path / "small.yaml"
        path.write_text(text.replace("None", "null").replace("True", "true"), encoding="utf-8")
        return load_config(path)

    return make


@pytest.fixture(scope="session")
def quick_hash():
    """A hash of every test user's password, made once."""
    from custvalue.app.web.passwords import hash_password

    return hash_password(PASSWORD)


def lists(customers=range(1, 7)):
    """A night's lists: M-001 of team north has the odd customers, M-002 of team south the even ones."""
    names = [f"K{number}" for number in customers]
    mine = [number % 2 == 1 for number in customers]
    return pd.DataFrame(
        {
            "order_id": [f"20260105-C-{name}" for name in names],
            "customer_id": names,
            "customer": [f"CRM-{name}" for name in names],
            "manager_id": ["M-001" if own else "M-002" for own in mine],
            "team": ["north" if own else "south" for own in mine],
            "priority": range(1, len(names) + 1),
            "due_by": [NIGHT + timedelta(days=1)] * len(names),
            "tier": ["gold"] * len(names),
            "net_value": [96.0] * len(names),
            "value_at_stake": [1240.0] * len(names),
        }
    )


def fill(store, site, quick_hash, clock) -> None:
    """A small night, and one user of each kind."""
    from custvalue.app.web.schema import users

    store.take_night(lists(), NIGHT, "run1", decisions={}, now=datetime(2026, 1, 4, 18))
    store.close()
    with site.writing() as connection:
        for name, given in USERS.items():
            row = {"manager_id": None, "team": None} | given | {"user_name": name, "password_hash": quick_hash, "created_at": clock()}
            connection.execute(users.insert().values(row))


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory, quick_hash):
    """A SQLite file filled once; each test gets a copy."""
    from custvalue.app.web.site import Database
    from custvalue.config import OrdersConfig

    folder = tmp_path_factory.mktemp("filled")
    store = OrderStore(OrdersConfig(), folder, "Asia/Shanghai")
    database = Database(OrdersConfig(), folder)
    fill(store, database, quick_hash, Clock())
    database.close()
    with closing(sqlite3.connect(folder / "orders.db")) as source, closing(sqlite3.connect(folder / "whole.db")) as target:
        source.backup(target)  # what is still in the log beside the file too
    return folder / "whole.db"


@pytest.fixture
def make_site(make_config, clock, quick_hash, filled_file):
    """Make the application over a small night; give it as a function from the page's settings, or over an empty PostgreSQL database."""
    from custvalue.app.web.application import create_app
    from custvalue.app.web.site import Site

    made = []

    def make(orders: str = "", **page: object):
        config = make_config(orders, **page)
        config.output.mkdir(parents=True, exist_ok=True)
        if not orders:
            shutil.copy(filled_file, config.output / "orders.db")
        else:
            store = OrderStore.of(config)
            store.upgrade()
        made.append(create_app(Site(config, {}, clock)))
        if orders:
            fill(store, made[-1].state.site, quick_hash, clock)
        return made[-1]

    yield make
    for app in made:
        app.state.site.close()


@pytest.fixture
def app(make_site):
    return make_site()


@pytest.fixture(params=["sqlite", "postgres"])
def site(request, make_site):
    """Give the application over a small night on each database in turn."""
    if request.param == "sqlite":
        return make_site()
    import psycopg

    server, name = request.getfixturevalue("postgres"), f"site_{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:  # no database is made inside a transaction
        connection.execute(f"CREATE DATABASE {name}")
    return make_site(orders=server.url(database=name))


@pytest.fixture
def browse(request):
    """Give a browser: a client, signed in where a user is named."""
    from starlette.testclient import TestClient

    def open_browser(user: str | None = None, *, of=None, address: str = "http://127.0.0.1", **options: object) -> TestClient:
        client = TestClient(of or request.getfixturevalue("app"), base_url=address, follow_redirects=False, **options)
        if user:
            answer = sign_in(client, user)
            assert answer.status_code == 303, answer.text
        return client

    return open_browser


def token_in(text: str) -> str:
    """The form token of a page."""
    return re.search(r'name="form_token" value="([0-9a-f]*)"', text)[1]


def sign_in(client, user: str, password: str = PASSWORD, **fields: str):
    """Fill in the form as a person does."""
    form = client.get("/login")
    return client.post("/login", data={"name": user, "password": password, "form_token": token_in(form.text)} | fields)


def audit_of(app) -> list[tuple[str, str, str]]:
    """(who, action, object) of every entry, oldest first."""
    from custvalue.app.web.audit import newest_entries

    with app.state.site.reading() as connection:
        return [(entry.who, entry.action, entry.object) for entry in reversed(newest_entries(connection, 1000))]
