"""Nights become orders: opened, kept, handed over, withdrawn; whole or not at all, and never two open ones for a customer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custvalue.config import OrdersConfig
from custvalue.errors import DataError, TryAgainError
from custvalue.retention.orders.states import OPEN
from custvalue.retention.orders.store import OrderStore

from .conftest import NIGHT, ZONE, lists, moment, states, take, tell

NEXT = NIGHT + timedelta(days=1)


def counts(taken):
    return taken.new, taken.stays, taken.moved, taken.left


def test_a_first_night_opens_an_order_a_customer_and_assigns_it(store):
    taken = take(store, lists("a", "b"))
    assert (taken.taken, counts(taken)) == (True, (2, 0, 0, 0))
    found = store.orders()
    assert found[["order_id", "customer_id", "customer", "manager_id", "state", "priority", "version"]].to_dict("records")[0] == {
        "order_id": "20260101-C-a",
        "customer_id": "a",
        "customer": "crm a",
        "manager_id": "M1",
        "state": "assigned",
        "priority": 1,
        "version": 1,
    }
    # the term is the end of 3 January in Shanghai, eight hours before UTC
    assert found.due_at[0] == datetime(2026, 1, 3, 16)
    assert list(store.events().event) == ["open", "assign", "open", "assign"]
    assert list(store.nights().run_id) == ["run0"]


def test_who_has_no_manager_waits_unassigned_until_one_is_on_duty(store):
    take(store, lists("a", manager="unassigned"))
    assert states(store) == {"a": "new"}
    assert counts(take(store, lists("a", night=NEXT), 1)) == (0, 0, 1, 0)
    assert states(store) == {"a": "assigned"}


def test_the_same_run_again_changes_nothing(store):
    take(store, lists("a", "b"))
    before = [frame.to_dict("records") for frame in (store.orders(), store.events(), store.nights(), store.listed(NIGHT))]
    taken = take(store, lists("a", "b"))
    assert (taken.taken, counts(taken)) == (False, (0, 0, 0, 0))
    assert [frame.to_dict("records") for frame in (store.orders(), store.events(), store.nights(), store.listed(NIGHT))] == before


def test_a_night_before_the_newest_one_changes_nothing(store):
    take(store, lists("a", night=NEXT), 1)
    assert take(store, lists("b"), 0).taken is False
    assert states(store) == {"a": "assigned"}


def test_the_next_night_keeps_moves_withdraws_and_opens(store):
    take(store, lists("stays", "moves", "falls", "gone"))
    rows = lists("moves", "stays", "comes", night=NEXT)
    rows.loc[0, "manager_id"] = "M2"
    taken = take(store, rows, 1, decisions={"falls": "over_capacity"})
    assert counts(taken) == (1, 1, 1, 2)
    found = store.orders().set_index("customer_id")
    assert states(store) == {**dict.fromkeys(("moves", "stays", "comes"), "assigned"), **dict.fromkeys(("falls", "gone"), "withdrawn")}
    assert found.close_reason["falls"] == "over_capacity"
    assert found.close_reason["gone"] == "left_base"
    assert found.manager_id["moves"] == "M2"
    assert found.order_id["stays"] == "20260101-C-stays"  # one order a customer, however often he is listed
    listed = store.listed(NEXT).set_index("customer_id")
    assert listed.loc["stays", ["listed_id", "order_id"]].tolist() == ["20260102-C-stays", "20260101-C-stays"]


def test_a_night_does_not_take_back_what_a_lead_has_handed_over(store):
    take(store, lists("a", "b"))
    ids = dict(zip(store.orders().customer_id, store.orders().order_id, strict=True))
    store.record(ids["a"], "reassign", by="lead", now=moment(0.5), source="page", manager_id="M2", team="north")
    assert counts(take(store, lists("a", "b", night=NEXT, manager="M1"), 1)) == (0, 2, 0, 0)
    assert store.orders().set_index("customer_id").manager_id.to_dict() == {"a": "M2", "b": "M1"}
    assert store.orders().set_index("customer_id").team["a"] == "north"
    # without such a decision the order follows the night
    assert counts(take(store, lists("a", "b", night=NEXT + timedelta(days=1), manager="M3"), 2)) == (0, 1, 1, 0)
    assert store.orders().set_index("customer_id").manager_id.to_dict() == {"a": "M2", "b": "M3"}


def test_offer_and_priority_follow_the_night_until_somebody_calls_and_the_term_never_moves_back(store):
    take(store, lists("a", "b"))
    tell(store, "20260101-C-b", "unreachable")
    take(store, lists("b", "a", night=NEXT, offer=["gift", "gift"]), 1)
    found = store.orders().set_index("customer_id")
    assert found.loc["a", ["offer", "priority"]].tolist() == ["gift", 2]
    assert found.loc["b", ["offer", "priority", "state"]].tolist() == ["half_month", 2, "contacting"]
    assert set(found.due_at) == {datetime(2026, 1, 3, 16)}


def test_an_order_that_somebody_has_begun_is_not_withdrawn_unless_nobody_may_call_any_more(store):
    take(store, lists("called", "dead", "left"))
    for customer in ("called", "dead", "left"):
        tell(store, f"20260101-C-{customer}", "unreachable")
    taken = take(store, lists("x", night=NEXT), 1, decisions={"called": "open_order", "dead": "deceased"})
    assert counts(taken) == (1, 0, 0, 2)
    assert states(store) == {"called": "contacting", "dead": "withdrawn", "left": "withdrawn", "x": "assigned"}


def test_a_night_that_is_made_anew_corrects_what_its_first_edition_did(store):
    take(store, lists("a", "b"))
    assert counts(take(store, lists("a", "c"), 0, run="again", decisions={"b": "no_consent"})) == (1, 1, 0, 1)
    assert states(store) == {"a": "assigned", "b": "withdrawn", "c": "assigned"}
    assert list(store.listed(NIGHT).customer_id) == ["a", "c"]
    # and back: the first edition's customer gets his order again, under its own number
    assert counts(take(store, lists("a", "b"), 0, run="run0", decisions={"c": "over_capacity"})) == (1, 1, 0, 1)
    found = store.orders().set_index("customer_id")
    assert found.loc["b", ["order_id", "state"]].tolist() == ["20260101-C-b", "assigned"]
    assert found.close_reason.isna()["b"]
    tell(store, "20260101-C-a", "accepted")
    assert counts(take(store, lists("a"), 0, run="third", decisions={"b": "over_capacity"})) == (0, 1, 0, 1)
    assert states(store)["a"] == "closed"  # what was done today is not asked for again


def test_an_account_keeps_its_order_when_another_line_leads_it(store):
    take(store, lists("line1", account=["acme"]))
    taken = take(store, lists("line2", night=NEXT, account=["acme"]), 1, decisions={"line1": "account_covered"})
    assert counts(taken) == (0, 1, 0, 0)
    assert store.orders()[["customer_id", "customer", "order_id"]].to_numpy().tolist() == [["line2", "crm line2", "20260101-C-line1"]]


@pytest.mark.parametrize("column", ["order_id", "customer_id", "account"])
def test_a_list_that_names_somebody_twice_is_refused_without_showing_who(store, column):
    rows = lists("secret-a", "secret-b", account=["acme-corp", "bmce-corp"])
    rows[column] = rows[column].iloc[0]
    with pytest.raises(DataError, match=rf"1 row\(s\) whose {column} occurs before") as told:
        take(store, rows)
    assert str(rows[column].iloc[0]) not in str(told.value)
    assert store.orders().empty


def test_a_list_without_a_needed_column_is_refused(store):
    with pytest.raises(DataError, match=r"lack the column\(s\) due_by"):
        take(store, lists("a").drop(columns="due_by"))


def test_two_programs_that_take_the_same_night_at_once_take_it_once(store, make_store):
    from threading import Thread

    done, customers = [], [f"c{place:04d}" for place in range(400)]
    others = [make_store() for _ in range(3)]
    threads = [Thread(target=lambda other=other: done.append(take(other, lists(*customers)))) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken.taken for taken in done) == [False, False, True]
    assert len(store.orders()) == 400
    assert len(store.events()) == 800


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from sqlalchemy import event
from custvalue.config import OrdersConfig
from custvalue.retention.orders.store import OrderStore
sys.path.insert(0, sys.argv[1])
from conftest import lists, take
store = OrderStore(OrdersConfig(url=sys.argv[3] or None), Path(sys.argv[2]), "Asia/Shanghai")
@event.listens_for(store._engine, "before_cursor_execute")
def die(connection, cursor, statement, parameters, context, many):
    if statement.startswith("INSERT INTO order_nights"):
        print(connection.exec_driver_sql("SELECT count(*) FROM orders").scalar(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
take(store, lists("b", "c", night=date(2026, 1, 2)), 1, decisions={"a": "over_capacity"})
"""


def test_a_program_killed_in_the_middle_leaves_the_night_before_and_the_next_run_takes_it(store, settings, tmp_path, request):
    take(store, lists("a", "b"))
    before = [frame.to_dict("records") for frame in (store.orders(), store.events(), store.nights())]
    url = settings.url.get_secret_value() if settings.url else ""
    command = [sys.executable, "-c", KILLED, str(request.path.parent), str(tmp_path), url]
    killed = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.strip() == "3"  # all but the last statement was done
    assert [frame.to_dict("records") for frame in (store.orders(), store.events(), store.nights())] == before
    assert counts(take(store, lists("b", "c", night=NEXT), 1, decisions={"a": "over_capacity"})) == (1, 1, 0, 1)


def test_a_database_that_is_held_by_another_program_is_told_and_nothing_is_lost(store, monkeypatch):
    take(store, lists("a"))
    with store._writing() as connection:
        other = OrderStore(store._settings, store._output, ZONE)
        _lose_patience(other, monkeypatch)
        connection.exec_driver_sql("UPDATE orders SET priority = 7")
        with pytest.raises(TryAgainError, match="Nothing was changed"):
            tell(other, "20260101-C-a", "accepted")
    assert store.orders().priority.tolist() == [7]
    assert tell(store, "20260101-C-a", "accepted")["state"] == "closed"


def _lose_patience(store, monkeypatch):
    from sqlalchemy import event

    @event.listens_for(store._engine, "connect")
    def connect(connection, _):
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 50" if store._engine.dialect.name == "sqlite" else "SET lock_timeout = 50")
        cursor.close()


letters = st.lists(st.sampled_from("abcdef"), unique=True)
managers = st.sampled_from(["M1", "M2", "unassigned"])
outcomes = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["accepted", "unreachable", "deferred", "refused"]))
nights = st.lists(st.tuples(letters, managers, outcomes), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """An empty store's file: a copy is made faster than a store."""
    folder = tmp_path_factory.mktemp("empty")
    OrderStore(OrdersConfig(), folder, ZONE).upgrade()
    return folder / "orders.db"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(nights)
def test_whatever_nights_and_managers_do_a_customer_has_one_open_order_and_every_move_is_on_record(tmp_path_factory, empty, course):
    folder = tmp_path_factory.mktemp("orders")
    shutil.copy(empty, folder)
    store = OrderStore(OrdersConfig(), folder, ZONE)
    for day, (listed, manager, worked) in enumerate(course):
        busy = set(store.standing(NIGHT + timedelta(days=day)).query("open_order").customer_id)
        rows = lists(*(customer for customer in listed if customer not in busy), night=NIGHT + timedelta(days=day), manager=manager)
        take(store, rows, day, decisions=dict.fromkeys("abcd", "over_capacity"))
        found = store.orders()
        is_open = found.state.isin(OPEN)
        assert not found[is_open].customer_id.duplicated().any()
        assert set(rows.customer_id) <= set(found[is_open].customer_id)
        for row in store.listed(NIGHT + timedelta(days=day)).itertuples():
            if row.customer_id in worked:
                tell(store, row.listed_id, worked[row.customer_id], day)
    events = store.events()
    for order in store.orders().itertuples():
        own = events[events.order_id == order.order_id]
        assert list(own.from_state)[1:] == list(own.to_state)[:-1]
        assert own.to_state.iloc[-1] == order.state
    store.close()
