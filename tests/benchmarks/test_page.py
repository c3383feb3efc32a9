"""What the page's benchmark calls a lost update."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from page import show
from page_store import fill, lost_updates, write_config

from custvalue.config import load_config
from custvalue.retention.orders.store import OrderStore


def test_a_confirmed_note_that_is_missing_or_there_twice_counts_as_lost(tmp_path: Path) -> None:
    path = write_config(tmp_path, None)
    users = fill(path, orders=6, managers=2)
    assert [set(user) for user in users] == [{"cookie", "session0", "session1", "token0", "token1"}] * 2
    store = OrderStore.of(load_config(path))
    orders = store.orders().order_id
    for order, note in zip(orders, ("load 1", "load 2", "load 2"), strict=False):
        store.record(order, "note", by="user-000", now=datetime(2026, 1, 5), source="page", note=note)
    assert lost_updates(path, ["load 1"]) == 0
    assert lost_updates(path, ["load 1", "load 2", "load 3"]) == 2


def test_a_slow_page_an_error_a_lost_update_or_nothing_measured_fails_the_goal() -> None:
    fast, slow = ({"requests": 9, "p50": 20.0, "p95": p95, "p99": 300.0} for p95 in (149.0, 150.0))
    good = {"errors": 0, "lost": 0, "pages": {"today": fast, "customer": fast, "search": slow}}
    assert show("sqlite", good)
    for fault in (
        {"errors": 1},
        {"lost": 1},
        {"pages": {"today": slow, "customer": fast}},
        {"pages": {"today": fast, "customer": slow}},
        {"pages": {}},
    ):
        assert not show("sqlite", good | fault)
