"""Today: ranked, filtered by the address, a page at a time; and what changed since the night before, with the reason."""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd
import pytest

from .manager_night import NIGHT, tell_night


@pytest.fixture
def app(app):
    tell_night(app.state.site)
    return app


def shown(text: str) -> list[str]:
    """Customers of the table, from top to bottom."""
    return re.findall(r'rowheader" scope="row"><a[^>]*>([^<]*)</a>', text)


def test_the_list_is_ranked_and_says_who_why_what_and_by_when(browse):
    text = browse("ann").get("/today").text
    assert shown(text) == ["CRM-K1", "CRM-K3", "CRM-K5", "CRM-K7"]
    row = text[text.index("CRM-K1") : text.index("CRM-K3")]
    for said in (
        "gold",
        "X**",
        "138****0001",
        "complaint made again",
        "complaint open",
        "41 % below",
        "Half a month off",
        "¥1,150",
        "¥113",
    ):
        assert said in row, said
    assert '<span class="band medium">medium</span>' in row  # a word, beside its colour
    assert "Jan 6, 2026" in row
    assert "assigned" in row
    assert "4 customers" in text
    chinese = browse("ann", headers={"Accept-Language": "zh"}).get("/today").text
    for said in ("重复投诉", "上月消费117元", "减免半个月月费", "1,150元"):
        assert said in chinese, said


def test_a_trigger_that_must_not_be_named_is_told_by_its_urgency_alone(browse):
    text = browse("ann").get("/today").text
    assert "call soon" in text[text.index("CRM-K3") : text.index("CRM-K5")]
    assert "complaint_repeat" not in text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tier=diamond", ["CRM-K3"]),
        ("region=coast", ["CRM-K1", "CRM-K3", "CRM-K5", "CRM-K7"]),
        ("region=north-east", []),
        ("reason=spend_drop", ["CRM-K1", "CRM-K3", "CRM-K5", "CRM-K7"]),
        ("reason=spend", []),  # a part of a code is no code
        ("state=assigned&tier=gold", ["CRM-K1", "CRM-K7"]),
        ("state=closed", []),
        ("tier=&reason=&state=&sort=priority", ["CRM-K1", "CRM-K3", "CRM-K5", "CRM-K7"]),
        ("sort=due", ["CRM-K1", "CRM-K3", "CRM-K5", "CRM-K7"]),
        ("tier=%27%20OR%201%3D1%20--", []),
        ("reason=%25", []),
    ],
)
def test_filters_stand_in_the_address(address, expected, browse):
    found = shown(browse("ann").get(f"/today?{address}").text)
    assert sorted(found) == expected


def test_overdue_shows_what_is_late_now_and_nothing_else(browse, clock):
    assert shown(browse("ann").get("/today?overdue=true").text) == []
    clock.forward(hours=25)  # 09:30 in Shanghai on the next day, half an hour after two of the terms
    text = browse("ann").get("/today?overdue=true").text
    assert shown(text) == ["CRM-K1", "CRM-K5"]
    assert "2 overdue" in text


@pytest.mark.parametrize(("sort", "expected"), [("priority", "1357"), ("due", "7315"), ("net_value", "3751"), ("at_stake", "5713")])
def test_a_sort_orders_by_what_it_names(sort, expected, app, browse):
    from custvalue.retention.orders.store import OrderStore

    from .manager_night import told

    rows = told([1, 3, 5, 7]).assign(net_value=[10.0, 40.0, 20.0, 30.0], value_at_stake=[200.0, 100.0, 400.0, 300.0])
    rows["due_by"] = [pd.Timestamp(NIGHT) + pd.Timedelta(hours=hours) for hours in (3, 2, 4, 1)]
    OrderStore.of(app.state.site.config).take_night(rows, NIGHT, "sorted", decisions={}, now=app.state.site.clock())
    assert "".join(customer[-1] for customer in shown(browse("ann").get(f"/today?sort={sort}").text)) == expected


@pytest.mark.parametrize("sort", ["priority", "due", "net_value", "at_stake"])
def test_pages_hold_every_order_once_in_every_sort(sort, app, browse):
    tell_night(app.state.site, customers=range(1, 260, 2), run="many")
    ann, seen, address = browse("ann"), [], f"/today?sort={sort}"
    while address:
        text = ann.get(address).text
        seen += shown(text)
        following = re.search(r'href="([^"]*)" rel="next"', text)
        address = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == 130
    assert set(seen) == {f"CRM-K{number}" for number in range(1, 260, 2)}


@pytest.mark.parametrize("after", ["x", "1", "~", "nan", "2026-01-01", "1~" + "x" * 400, "inf~x"])
def test_a_made_up_place_is_refused_or_empty_and_never_a_fault(after, browse):
    assert browse("ann").get("/today", params={"after": after}).status_code in (200, 303, 422)


def test_an_unknown_sort_is_refused(browse):
    assert browse("ann").get("/today?sort=customer_id").status_code == 422


def test_what_changed_is_told_with_the_reason_and_never_of_the_draw(app, browse):
    ann, bob = browse("ann"), browse("bob")
    tell_night(app.state.site, customers=[1, 2, 4, 5, 9, 11], night=NIGHT + timedelta(days=1), run="next")
    text = ann.get("/today/changes").text
    assert "2 new, 2 stay, 0 handed over, 2 left." in text
    left = text[text.index("Left the list") :]
    assert "CRM-K3" in left
    assert "over capacity" in left  # it was held out, which nobody who calls may learn
    assert "held" not in text
    assert "no longer in the base" in left  # K7 has no decision any more
    assert "CRM-K2" not in text
    assert "CRM-K2" not in ann.get("/today").text
    assert "0 new, 2 stay, 0 handed over, 2 left." in bob.get("/today/changes").text


def test_what_a_second_edition_of_the_night_drops_is_told_as_gone(app, browse):
    for run, customers in (("next", [1, 2, 4, 5, 9, 11]), ("again", [1, 2, 4, 5, 9])):
        tell_night(app.state.site, customers=customers, night=NIGHT + timedelta(days=1), run=run)
    text = browse("ann").get("/today/changes").text
    assert "1 new, 2 stay, 0 handed over, 3 left." in text
    assert "CRM-K11" in text[text.index("Left the list") :]


def test_who_was_handed_over_is_told_to_both_by_the_number_alone(app, browse):
    ann, bob = browse("ann"), browse("bob")
    from custvalue.retention.orders.store import OrderStore

    from .manager_night import told

    night = NIGHT + timedelta(days=1)
    rows = told([1, 3, 5, 7, 2, 4, 6, 8], night=night)
    rows.loc[0, ["manager_id", "team"]] = ["M-002", "south"]
    OrderStore.of(app.state.site.config).take_night(rows, night, "next", decisions={}, now=app.state.site.clock())
    mine, theirs = ann.get("/today/changes").text, bob.get("/today/changes").text
    assert "CRM-K1" in mine[mine.index("Handed over to others") :]
    assert "/orders/20260105-C-K1" not in mine
    assert "/orders/20260105-C-K1" in theirs[theirs.index("Handed over to this list") :]


def test_a_list_without_any_order_says_so(make_config, clock, quick_hash):
    from custvalue.app.web.application import create_app
    from custvalue.app.web.schema import users
    from custvalue.app.web.site import Site

    from .conftest import sign_in

    empty = create_app(Site(make_config(), {}, clock))
    with empty.state.site.writing() as connection:
        row = {"user_name": "ann", "role": "manager", "manager_id": "M-001", "team": None, "password_hash": quick_hash}
        connection.execute(users.insert().values(row | {"created_at": clock()}))
    from starlette.testclient import TestClient

    client = TestClient(empty, base_url="http://127.0.0.1", follow_redirects=False)
    sign_in(client, "ann")
    assert "No customers to call today." in client.get("/today").text
    assert "These are the first lists" in client.get("/today/changes").text
