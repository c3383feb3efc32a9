"""The server killed while it writes, and a night that is taken while people look: nothing lost, nothing twice, never half."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from custvalue.config import load_config
from custvalue.retention.orders.store import OrderStore

from .conftest import lists, sign_in
from .test_serving import Server
from .test_team import choose

NEXT = date(2026, 1, 6)
MANY = 120


def seen(connection) -> tuple[object, int, int]:
    night = connection.scalar(text("SELECT max(night) FROM order_nights"))
    orders = connection.scalar(text("SELECT count(*) FROM orders WHERE state NOT IN ('closed', 'verified', 'withdrawn')"))
    return (
        str(night),
        orders,
        connection.scalar(text("SELECT count(*) FROM order_listings WHERE night = (SELECT max(night) FROM order_nights)")),
    )


def test_a_page_sees_one_night_though_the_next_is_taken_while_it_reads(site):
    site = site.state.site
    before, after = ("2026-01-05", 6, 6), ("2026-01-06", 4, 4)
    with site.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM orders")) == 6  # the page has begun to read
        rows = lists(range(1, 5)).assign(order_id=[f"20260106-C-K{number}" for number in range(1, 5)])
        OrderStore.of(site.config).take_night(rows, NEXT, "run2", decisions={"K5": "below", "K6": "below"}, now=datetime(2026, 1, 5, 18))
        assert seen(connection) == before
    with site.reading() as connection:
        assert seen(connection) == after


class Looker(threading.Thread):
    """A manager's window that is reloaded again and again, and keeps which night it showed with which customers."""

    def __init__(self, address: str) -> None:
        import httpx2

        super().__init__()
        self.client = httpx2.Client(base_url=address, timeout=10)
        assert sign_in(self.client, "ann").status_code == 303
        self.seen: Counter[tuple[str, frozenset[str]]] = Counter()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            text = self.client.get("/today", headers={"Accept-Language": "en"}).text
            customers = re.findall(r"CRM-(N[0-9]+K[0-9]+)<", text)
            self.seen[(re.search(r"Lists of Jan ([0-9]+), 2026", text)[1], frozenset(customers))] += 1


def test_a_night_is_switched_whole_while_people_work(make_site, tmp_path):
    make_site()
    path = tmp_path / "small.yaml"
    store = OrderStore.of(load_config(path))

    def take(day: int) -> frozenset[str]:
        customers = [f"N{day}K{number}" for number in range(30)]
        rows = lists(range(1, 60, 2)).assign(customer_id=customers, customer=[f"CRM-{name}" for name in customers])
        rows["order_id"] = [f"202601{day:02d}-C-{name}" for name in customers]
        store.take_night(rows, date(2026, 1, day), f"night{day}", decisions={}, now=datetime(2026, 1, day - 1, 18))
        return frozenset(customers)

    told = {"6": take(6)}
    server = Server(path)
    lookers: list[Looker] = []
    try:
        lookers += [Looker(server.address) for _ in range(4)]
        for looker in lookers:
            looker.start()
        for day in range(7, 13):
            told[str(day)] = take(day)
        time.sleep(0.2)
    finally:
        for looker in lookers:
            looker.over.set()
            looker.join(timeout=30)
        server.end()
    seen = sum((looker.seen for looker in lookers), Counter())
    assert set(seen) <= set(told.items())
    assert len(seen) > 2  # nights were switched while people looked


class Sender(threading.Thread):
    """A lead's browser that hands orders over one by one, and keeps which ones the server confirmed."""

    def __init__(self, client, forms) -> None:
        super().__init__()
        self.client, self.forms = client, forms
        self.confirmed: set[str] = set()

    def run(self) -> None:
        import httpx2

        for form in self.forms:
            try:
                answer = self.client.post("/team/orders", data=form)
            except httpx2.TransportError:
                return
            if answer.status_code == 303:
                self.confirmed.add(str(form["orders"]).partition("@")[0])


def forms_of(client) -> list[dict[str, object]]:
    whole = choose(client, *(f"20260106-C-K{number}" for number in range(1, 2 * MANY, 2)))
    return [whole | {"orders": each} for each in whole["orders"]]


@pytest.mark.parametrize("after", [1, 15])
def test_a_server_killed_while_it_writes_has_lost_nothing_and_does_nothing_twice(after, make_site, tmp_path):
    import httpx2

    make_site()
    path = tmp_path / "small.yaml"
    store = OrderStore.of(load_config(path))
    rows = lists(range(1, 2 * MANY + 1))
    rows["order_id"] = [f"20260106-C-K{number}" for number in range(1, 2 * MANY + 1)]
    rows["customer_id"] = [f"L{number}" for number in range(1, 2 * MANY + 1)]
    rows.loc[0, "manager_id"] = "M-003"
    store.take_night(rows, NEXT, "run2", decisions={}, now=datetime(2026, 1, 5, 18))
    first = Server(path)
    clients = [httpx2.Client(base_url=first.address, timeout=10) for _ in range(3)]
    for client in clients:
        assert sign_in(client, "lea").status_code == 303
    forms = [forms_of(client)[number::3] for number, client in enumerate(clients)]
    senders = [Sender(*pair) for pair in zip(clients, forms, strict=True)]
    for sender in senders:
        sender.start()
    until = time.monotonic() + 60
    while sum(len(sender.confirmed) for sender in senders) < after and time.monotonic() < until:
        time.sleep(0.001)
    first.end(signal.SIGKILL)
    for sender in senders:
        sender.join(timeout=30)
    confirmed = set().union(*(sender.confirmed for sender in senders))
    assert after <= len(confirmed) < MANY - 1  # it was killed in the middle of it
    done = handed_over(store)
    assert confirmed <= set(done)  # nothing lost
    assert set(done.values()) == {1}
    assert len(set(done) - confirmed) <= len(senders)  # no more than one each whose answer was lost on the way
    assert written_down(path) == done  # a change and its entry in the audit log are there together, or neither is
    again = Server(path)
    with httpx2.Client(base_url=again.address, timeout=10, cookies=clients[0].cookies) as client:
        for form in [form for own in forms[:1] for form in own]:  # whoever got no answer sends the form again, and so does everybody else
            assert client.post("/team/orders", data=form).status_code == 303
    again.end()
    done = handed_over(store)
    assert set(done.values()) == {1}
    assert {str(form["orders"]).partition("@")[0] for form in forms[0]} <= set(done)
    assert written_down(path) == done


def handed_over(store: OrderStore) -> Counter[str]:
    events = store.events()
    return Counter(events.order_id[events.event == "reassign"])


def written_down(path: Path) -> Counter[str]:
    from custvalue.app.web.audit import newest_entries
    from custvalue.app.web.site import Database

    config = load_config(path)
    database = Database(config.orders, config.output)
    with database.reading() as connection:
        entries = newest_entries(connection, 10_000)
    database.close()
    return Counter(entry.object for entry in entries if entry.action == "change")
