from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from custvalue.config import OrdersConfig
from custvalue.retention.orders.store import OrderStore

NIGHT = date(2026, 1, 1)
ZONE = "Asia/Shanghai"


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request):
    """A store's settings, on each database in turn; every test finds it empty."""
    if request.param == "sqlite":
        return OrdersConfig()
    server = request.getfixturevalue("postgres")
    server.ask("DROP SCHEMA IF EXISTS own CASCADE")
    server.ask("CREATE SCHEMA own")
    return OrdersConfig(url=f"{server.url()}&options=-csearch_path%3Down")


@pytest.fixture
def make_store(settings, tmp_path):
    """Open the test's store; PostgreSQL's is made at the first call."""
    made = []

    def make(**changes):
        store = OrderStore(settings.model_copy(update=changes), tmp_path, ZONE)
        if not made and settings.url is not None:
            store.upgrade()
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store):
    return make_store()


def moment(days: float, hours: float = 18.0) -> datetime:
    """The evening (UTC) of the day before a night, when it is made: 02:00 in Shanghai."""
    return datetime(2025, 12, 31) + timedelta(days=days, hours=hours)


def lists(*customers: str, night: date = NIGHT, manager: str = "M1", **columns: object) -> pd.DataFrame:
    """A night's listed customers, in order of priority."""
    usual = {
        "order_id": [f"{night:%Y%m%d}-C-{customer}" for customer in customers],
        "customer_id": list(customers),
        "customer": [f"crm {customer}" for customer in customers],
        "manager_id": [manager] * len(customers),
        "priority": range(1, len(customers) + 1),
        "due_by": [night + timedelta(days=2)] * len(customers),
        "tier": ["gold"] * len(customers),
        "offer": ["half_month"] * len(customers),
        "net_value": [float(10 * (len(customers) - place)) for place in range(len(customers))],
        "value_at_stake": [100.0] * len(customers),
    }
    return pd.DataFrame({name: list(values) for name, values in (usual | columns).items()})


def take(store, rows, day=0, run=None, decisions=None):
    """Take the lists of the day-th night."""
    night = NIGHT + timedelta(days=day)
    return store.take_night(rows, night, run or f"run{day}", decisions=decisions or {}, now=moment(day))


def tell(store, order, outcome, day=0, **given):
    """Record an outcome at noon, in Shanghai, of the day-th day."""
    return store.record_outcome(order, outcome, by="M1", now=moment(day, 28), source="feedback", **given)


def states(store):
    found = store.orders()
    return dict(zip(found.customer_id, found.state, strict=True))
