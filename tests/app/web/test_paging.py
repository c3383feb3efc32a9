"""A long list, page by page, while others work on it: no customer twice, none lost, and never half of two nights."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from custvalue.retention.orders.store import OrderStore

from .conftest import token_in
from .manager_night import NIGHT, told
from .test_today import shown

CUSTOMERS = range(1, 260, 2)


def take(site, night=NIGHT, customers=CUSTOMERS) -> OrderStore:
    """M-001's long list: worths that are equal in tens or not known, so that the sort alone does not tell rows apart."""
    rows = told(customers, night=night)
    rows["net_value"] = [None if place % 7 == 0 else float(place // 10) for place in range(len(rows))]
    rows["value_at_stake"] = rows["net_value"]
    store = OrderStore.of(site.state.site.config)
    store.take_night(rows, night, f"of {night}", decisions={}, now=datetime(night.year, night.month, night.day) - timedelta(hours=5))
    return store


def following(text: str) -> str | None:
    found = re.search(r'href="([^"]*)" rel="next"', text)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("sort", ["priority", "due", "net_value", "at_stake"])
def test_orders_that_end_between_two_pages_neither_hide_nor_repeat_another(sort, site, browse):
    store, ann, address, seen = take(site), browse("ann", of=site), f"/today?sort={sort}", []
    ended = set()
    while address:
        page = ann.get(address)
        seen += shown(page.text)
        for customer in (seen[-50], seen[-1]):  # the first of this page, and the one that the next page begins behind
            if customer not in ended:
                store.record_outcome(f"20260105-C-{customer[4:]}", "accepted", by="bob", now=datetime(2026, 1, 5, 1), source="page")
                ended.add(customer)
        address = following(page.text)
    assert len(ended) > 4
    assert sorted(seen) == sorted(f"CRM-K{number}" for number in CUSTOMERS)


def test_what_is_handed_over_between_two_pages_makes_room_for_the_next_and_no_gap(site, browse):
    store = take(site)
    rows = told(CUSTOMERS)
    rows.loc[0, "manager_id"] = "M-003"  # somebody of the team who can take it
    store.take_night(rows, NIGHT, "again", decisions={}, now=datetime(2026, 1, 4, 20))
    ann, lea = browse("ann", of=site), browse("lea", of=site)
    second = following(ann.get("/today").text)
    before = shown(ann.get(second).text)
    form = lea.get("/team/orders?manager=M-001").text
    orders = re.findall(r'name="orders" value="(20260105-C-(K\d+)@\d+)"', form)
    chosen = [value for value, name in orders if f"CRM-{name}" == before[3]]
    data = {"form_token": token_in(form), "manager": "M-001", "to": "M-003", "reason": "has time", "orders": chosen}
    assert lea.post("/team/orders", data=data).headers["location"] == "/team?moved=1&changed=0"
    after = shown(ann.get(second).text)
    assert after[:-1] == [customer for customer in before if customer != before[3]]
    assert after[-1] not in before


def test_behind_a_page_of_the_night_before_comes_the_first_page_of_the_new_one(site, browse):
    take(site)
    ann = browse("ann", of=site)
    second = following(ann.get("/today?tier=gold").text) or following(ann.get("/today?region=coast").text)
    assert ann.get(second).status_code == 200
    take(site, NIGHT + timedelta(days=1), range(259, 0, -2))  # the same customers, the other way round
    answer = ann.get(second)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/today?region=coast"  # filtered as before
    page = ann.get(answer.headers["location"]).text
    assert shown(page)[0] == "CRM-K259"
    assert ann.get(following(page)).status_code == 200


def test_where_the_rest_of_the_list_has_ended_meanwhile_comes_its_first_page(site, browse):
    store, ann = take(site, customers=range(1, 110, 2)), browse("ann", of=site)
    second = following(ann.get("/today").text)
    for customer in shown(ann.get(second).text):
        store.record_outcome(f"20260105-C-{customer[4:]}", "accepted", by="bob", now=datetime(2026, 1, 5, 1), source="page")
    assert ann.get(second).headers["location"] == "/today"


def test_from_a_customer_the_way_leads_back_to_the_list_as_it_was(site, browse):
    take(site)
    ann, order = browse("ann", of=site), "/orders/20260105-C-K1"

    def way_back() -> str:
        return re.search(r'class="back"><a href="([^"]*)"', ann.get(order).text)[1].replace("&amp;", "&")

    assert way_back() == "/today"
    second = following(ann.get("/today?region=coast&sort=due").text)
    assert way_back() == "/today?region=coast&sort=due"
    expected = shown(ann.get(second).text)
    form = ann.get(order).text
    data = {name: re.search(f'name="{name}" value="([^"]*)"', form)[1] for name in ("form_token", "version", "key")}
    assert ann.post(f"{order}/record", data=data | {"act": "reached"}).status_code == 303
    assert shown(ann.get(way_back()).text) == expected  # after a call was recorded, too
    ann.get("/today")
    assert way_back() == "/today"
    for planted in ("//evil.example", "https://evil.example/today", "/audit", "/today\\..", ""):
        ann.cookies.set("custvalue_list", planted, domain="127.0.0.1", path="/")
        assert way_back() == "/today", planted
