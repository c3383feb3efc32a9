"""What a lead sees of the team, and handing orders over: in the team alone, with a reason, and never over somebody else's change."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pandas as pd
import pytest

from custvalue.retention.orders.store import OrderStore

from .conftest import audit_of, lists, token_in
from .reading import tables_in

MINE = [f"20260105-C-K{number}" for number in (1, 3, 5)]


@pytest.fixture
def app(make_site):
    """The north team has two managers: M-001 with three orders, M-003 with one."""
    app = make_site()
    rows = lists(range(1, 8))
    rows.loc[6, "manager_id"] = "M-003"
    store_of(app).take_night(rows, date(2026, 1, 6), "run2", decisions={}, now=datetime(2026, 1, 5, 18))
    return app


def store_of(app) -> OrderStore:
    return OrderStore.of(app.state.site.config)


def choose(client, *orders: str, manager: str = "M-001") -> dict[str, object]:
    """Fill in the form of a manager's page as a lead does."""
    text = client.get(f"/team/orders?manager={manager}").text
    values = [part.partition('"')[0] for part in text.split('name="orders" value="')[1:]]
    return {
        "form_token": token_in(text),
        "manager": manager,
        "to": "M-003",
        "reason": "on holiday",
        "orders": [value for value in values if value.partition("@")[0] in orders],
    }


def managers_of(app) -> dict[str, str]:
    found = store_of(app).orders()
    return dict(zip(found.order_id, found.manager_id, strict=True))


def test_the_load_is_counted_by_manager_for_the_own_team_alone(app, browse):
    store_of(app).record_outcome(MINE[0], "unreachable", by="ann", now=datetime(2026, 1, 5, 1), source="page")
    app.state.site.clock.time = datetime(2026, 1, 6, 17)  # the first night's orders are due by the end of 6 January in Shanghai, 16:00 UTC
    text = browse("lea").get("/team").text
    table = tables_in(text)[0]
    told = [(row["manager"], row["waiting for a call"], row["calling"], row["overdue"]) for row in table]
    assert told == [("M-001", "3", "1", "3"), ("M-003", "1", "0", "1"), ("all", "4", "1", "4")]
    assert "M-002" not in text


def test_an_order_is_handed_over_with_its_reason(app, browse):
    lea = browse("lea")
    answer = lea.post("/team/orders", data=choose(lea, MINE[1]))
    assert answer.headers["location"] == "/team?moved=1&changed=0"
    assert "1 order(s) handed over" in lea.get(answer.headers["location"]).text
    assert managers_of(app)[MINE[1]] == "M-003"
    assert managers_of(app)[MINE[0]] == "M-001"
    last = store_of(app).events(order_id=MINE[1]).iloc[-1]
    assert (last.event, last.by, last.source, last.note) == ("reassign", "lea", "page", "M-001 → M-003: on holiday")
    assert audit_of(app)[-1] == ("lea", "change", MINE[1])
    assert MINE[1] not in browse("ann").get("/today").text


def test_all_that_is_shown_is_handed_over_at_once(app, browse):
    lea = browse("lea")
    whole = choose(lea, *MINE, "20260105-C-K7")
    assert lea.post("/team/orders", data=whole | {"shown": whole["orders"], "orders": [], "every": "1"}).status_code == 303
    assert {managers_of(app)[order] for order in MINE} == {"M-003"}
    assert "3 order(s) handed over" in lea.get("/team?moved=3&changed=0").text
    assert [row["manager"] for row in tables_in(lea.get("/team").text)[0]] == ["M-003", "all"]


def test_without_a_reason_nothing_is_handed_over(app, browse):
    lea = browse("lea")
    for reason in ("", "   "):
        assert lea.post("/team/orders", data=choose(lea, MINE[0]) | {"reason": reason}).status_code == 422
    assert managers_of(app)[MINE[0]] == "M-001"


def test_what_somebody_else_changed_meanwhile_is_not_handed_over(app, browse):
    lea = browse("lea")
    form = choose(lea, MINE[0], MINE[1])
    store_of(app).record_outcome(MINE[0], "reached", by="ann", now=datetime(2026, 1, 5, 1), source="page", note="calls back")
    answer = lea.post("/team/orders", data=form)
    assert answer.headers["location"].endswith("moved=1&changed=1")
    assert "1 order(s) had been changed" in lea.get(answer.headers["location"]).text
    found = store_of(app).orders().set_index("order_id")
    assert (found.manager_id[MINE[0]], found.state[MINE[0]], found.manager_id[MINE[1]]) == ("M-001", "reached", "M-003")
    again = lea.post("/team/orders", data=form)  # sent twice, for example by going back
    assert again.headers["location"].endswith("moved=0&changed=2")


@pytest.mark.parametrize("change", [{"to": "M-002"}, {"to": "nobody"}, {"orders": ["20260105-C-K2@1"]}, {"orders": ["20260105-C-none@1"]}])
def test_nothing_leaves_or_enters_the_team(change, app, browse):
    lea, before = browse("lea"), managers_of(app)
    form = choose(lea, MINE[0]) | change
    if "orders" in change:
        form["orders"] = [*choose(lea, MINE[0])["orders"], *change["orders"]]
    assert lea.post("/team/orders", data=form).status_code == 404
    assert managers_of(app) == before  # nothing of it, not even the own order
    assert [entry for entry in audit_of(app) if entry[1] == "change"] == []


@pytest.mark.parametrize("wrong", ["", "x", "@1", "20260105-C-K1@", "20260105-C-K1@-1", "20260105-C-K1@1e9", "20260105-C-K1@99999999999"])
def test_a_mangled_choice_is_refused(wrong, app, browse):
    lea, before = browse("lea"), managers_of(app)
    assert lea.post("/team/orders", data=choose(lea, MINE[0]) | {"orders": wrong}).status_code == 422
    assert managers_of(app) == before


def test_another_team_s_manager_is_not_there(app, browse):
    answers = [browse("lea").get(f"/team/orders?manager={manager}") for manager in ("M-002", "nobody")]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize("user", ["ann", "ana", "adm"])
def test_who_leads_nobody_may_not_see_the_team(user, app, browse):
    assert browse(user).get("/team").status_code == 403
    assert audit_of(app)[-1] == (user, "denied", "/team")


def test_two_leads_at_once_hand_an_order_over_once(app, browse):
    clients = [browse("lea"), browse("lea")]
    forms = [choose(client, MINE[0]) for client in clients]
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda c=c, f=f: answers.append(c.post("/team/orders", data=f).headers["location"]))
        for c, f in zip(clients, forms, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.partition("moved=")[2] for answer in answers) == ["0&changed=1", "1&changed=0"]
    assert list(store_of(app).events(order_id=MINE[0]).event).count("reassign") == 1


def publish_duty(app, night: date, **absent: bool) -> None:
    """Publish a night that tells who is away."""
    from custvalue import publish
    from custvalue.pipeline.duty_file import write_duty

    output = app.state.site.config.output
    staging = publish.stage(output, "duty")
    away = [night if gone else pd.NaT for gone in absent.values()]
    managers = pd.DataFrame({"manager_id": [name.replace("_", "-") for name in absent], "absent_from": away, "absent_to": away})
    write_duty(staging, managers, {"M-004": "north", "M-005": "south"}, as_of=night)
    publish.publish(output, as_of=night, run_id="duty", staging=staging, lineage={})


def test_who_is_away_is_told_and_is_given_nothing(app, browse):
    publish_duty(app, date(2026, 1, 6), M_001=False, M_003=True, M_004=False, M_005=False, M_002=True)
    lea = browse("lea")
    text = lea.get("/team").text
    assert "Away on this night: M-003." in text
    form = choose(lea, MINE[0])
    assert lea.post("/team/orders", data=form | {"to": "M-003"}).status_code == 404
    assert lea.post("/team/orders", data=form | {"to": "M-005"}).status_code == 404  # another team's
    assert lea.post("/team/orders", data=form | {"to": "M-004"}).status_code == 303  # has no orders yet
    assert managers_of(app)[MINE[0]] == "M-004"


def test_without_a_table_of_managers_nothing_is_claimed(app, browse):
    assert "Who is away is not known" in browse("lea").get("/team").text


def test_the_scorecard_counts_the_team_s_work(app, browse):
    store = store_of(app)
    store.record_outcome(MINE[0], "accepted", by="ann", now=datetime(2026, 1, 5, 1), source="page")
    store.record_outcome(MINE[1], "unreachable", by="ann", now=datetime(2026, 1, 5, 2), source="page")
    app.state.site.clock.time = datetime(2026, 1, 8)
    row = next(row for row in tables_in(browse("lea").get("/team").text)[1] if row["manager"] == "M-001")
    # of three orders that are due two were called in time; of two called one was reached, one closed with its reason
    assert (row["first contact in time"], row["reached"], row["closed with a reason"]) == ("67%", "50%", "50%")


@pytest.mark.parametrize("page", ["/team", "/team/orders?manager=M-001"])
def test_names_from_outside_are_shown_as_text(page, app, browse):
    rows = lists(range(1, 3)).assign(order_id=["20260107-a", "20260107-b"], customer_id=["X1", "X2"], team="north")
    rows["customer"] = "<script>alert(1)</script>"
    rows["manager_id"] = ["M-001", "<img src=x onerror=alert(1)>"]
    store_of(app).take_night(rows, date(2026, 1, 7), "run3", decisions={}, now=datetime(2026, 1, 6, 18))
    text = browse("lea").get(page).text
    assert "<img" not in text
    assert "<script>alert" not in text
