"""Customers whom nobody on duty can call: seen by the leads who can hand them over, by no manager, and handed over for good."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from custvalue.errors import ConfigError
from custvalue.retention.orders.store import OrderStore

from .conftest import audit_of, lists, token_in
from .manager_night import owed
from .reading import tables_in

NIGHT = date(2026, 1, 6)
POOL = "unassigned"
TEAMS = {"M-001": "north", "M-002": "south", "M-003": "north"}
SEEN = {"ann": {1, 3}, "bob": {2}, "lea": {1, 3, 5, 6, 7, 8}, "sue": {2, 4, 7, 8}, "ana": set(), "adm": set()}


def rows_of(night: date = NIGHT) -> pd.DataFrame:
    """K4 and K5 wait for managers of south and north; K6, K7 and K8 have none: K6 on the coast, K7 nowhere known, K8 where nobody is."""
    rows = lists(range(1, 9)).assign(order_id=[f"{night:%Y%m%d}-P-K{number}" for number in range(1, 9)])
    rows["customer_id"] = [f"P{number}" for number in range(1, 9)]
    rows.loc[3:, "manager_id"] = POOL
    rows.loc[5:, "team"] = None
    return rows.assign(region=["coast", "hills", "coast", "hills", "coast", "coast", None, "islands"])


def publish_night(app, *, regions=("coast", "hills", "coast"), run: str = "duty") -> None:
    """Publish who is on duty where, and whose customer everybody is."""
    from custvalue import publish
    from custvalue.pipeline.duty_file import write_duty

    output = app.state.site.config.output
    staging = publish.stage(output, run)
    write_duty(staging, pd.DataFrame({"manager_id": list(TEAMS), "region": list(regions)}), TEAMS, as_of=NIGHT)
    owners = ["M-001", "M-002", "M-001", "M-002", "M-003", None, None, None]
    scores = pd.DataFrame({"customer_id": [f"P{number}" for number in range(1, 9)], "own_manager_id": owners})
    scores.assign(tier="gold", arpu=1.0).to_parquet(staging / "scores.parquet", index=False)
    publish.publish(output, as_of=NIGHT, run_id=run, staging=staging, lineage={}, force=True)


def take(app, night: date = NIGHT, rows: pd.DataFrame | None = None, **more: object) -> None:
    now = datetime(night.year, night.month, night.day - 1, 18)
    own = rows_of(night) if rows is None else rows
    store_of(app).take_night(own, night, f"run{night:%d}", decisions={}, now=now, **more)


def store_of(app) -> OrderStore:
    return OrderStore.of(app.state.site.config)


@pytest.fixture
def app(make_site, tmp_path):
    app = make_site()
    publish_night(app)
    numbers = range(1, 9)
    directory = {"customer_id": [f"P{number}" for number in numbers], "crm_id": [f"CRM-K{number}" for number in numbers]}
    pd.DataFrame(directory).assign(name="Xample Person", msisdn="13800000001").to_parquet(tmp_path / "directory.parquet")
    take(app)
    return app


def order(number: int) -> str:
    return f"20260106-P-K{number}"


def seen_by(client) -> set[int]:
    text = client.get("/today").text
    return {number for number in range(1, 9) if f">CRM-K{number}<" in text}


def choose(client, *numbers: int, to: str = "M-003") -> dict[str, object]:
    """Fill in the form of nobody's orders."""
    text = client.get(f"/team/orders?manager={POOL}").text
    values = [part.partition('"')[0] for part in text.split('name="orders" value="')[1:]]
    chosen = [value for value in values if value.partition("@")[0] in {order(number) for number in numbers}]
    assert len(chosen) == len(numbers)
    return {"form_token": token_in(text), "manager": POOL, "to": to, "reason": "has time", "orders": chosen}


def hand_over(client, number: int, to: str = "M-003"):
    return client.post("/team/orders", data=choose(client, number, to=to))


@pytest.mark.parametrize("user", list(SEEN))
def test_who_waits_is_seen_by_the_team_s_lead_and_without_a_team_by_those_who_lead_the_region(user, browse):
    assert seen_by(browse(user)) == SEEN[user]


@pytest.mark.parametrize("user", ["ann", "bob", "sue"])
def test_nobody_else_comes_to_such_an_order(user, app, browse):
    client = browse(user)
    form = {"form_token": token_in(client.get("/today").text), "version": "1", "key": "0" * 32, "act": "note", "note": "mine"}
    for number in {4, 5, 6, 7, 8} - SEEN[user]:
        path = f"/orders/{order(number)}"
        answers = [client.get(path), *(client.post(f"{path}/{act}", data=form) for act in ("record", "undo"))]
        assert {answer.status_code for answer in (*answers, client.get(f"/search?q=CRM-K{number}"))} == {404}, number
    assert [entry for entry in audit_of(app) if entry[1] in ("view", "change")] == []


def test_where_no_region_is_known_every_lead_sees_who_has_no_manager(make_site, browse):
    app = make_site()
    take(app)
    assert seen_by(browse("lea", of=app)) == {1, 3, 5, 6, 7, 8}
    assert seen_by(browse("sue", of=app)) == {2, 4, 6, 7, 8}


def test_the_team_s_page_counts_them_and_leads_to_them(app, browse):
    lea = browse("lea")
    text = lea.get("/team").text
    load = {row["manager"]: row["waiting for a call"] for row in tables_in(text)[0]}
    assert load == {"M-001": "2", "no manager on duty": "4", "all": "6"}
    assert "4 order(s) wait without a manager on duty." in text
    assert f'href="/team/orders?manager={POOL}"' in text
    assert "manager: no manager on duty" in lea.get(f"/orders/{order(6)}").text
    app.state.site.clock.time = datetime(2026, 1, 20)
    assert "no manager on duty" not in str(tables_in(lea.get("/team").text)[1:])  # nobody's work is on no scorecard


def test_one_is_handed_over_for_good(app, browse):
    lea, sue = browse("lea"), browse("sue")
    assert sue.get(f"/orders/{order(7)}").status_code == 200
    assert hand_over(lea, 7).headers["location"] == "/team?moved=1&changed=0"
    found = store_of(app).orders().set_index("order_id").loc[order(7)]
    assert (found.manager_id, found.team, found.state) == ("M-003", "north", "assigned")
    assert sue.get(f"/orders/{order(7)}").status_code == 404  # it is of the other team now
    last = store_of(app).events(order_id=order(7)).iloc[-1]
    assert (last.event, last.by, last.note) == ("reassign", "lea", "unassigned → M-003: has time")
    take(app, date(2026, 1, 7))  # the next night knows nobody for him, as before
    found = store_of(app).orders().set_index("order_id").loc[order(7)]
    assert (found.manager_id, found.team) == ("M-003", "north")


def test_of_two_leads_the_second_is_told_and_the_rest_of_his_choice_is_handed_over(app, browse):
    lea, sue = browse("lea"), browse("sue")
    form = choose(sue, 4, 7, to="M-002")
    assert hand_over(lea, 7).status_code == 303
    assert sue.post("/team/orders", data=form).headers["location"] == "/team?moved=1&changed=1"
    owners = dict(zip(store_of(app).orders().order_id, store_of(app).orders().manager_id, strict=True))
    assert (owners[order(4)], owners[order(7)]) == ("M-002", "M-003")
    assert "M-003" not in sue.get("/team").text


def test_nobody_is_handed_to_nobody_or_to_another_team(app, browse):
    lea = browse("lea")
    before = store_of(app).orders()
    assert [hand_over(lea, 5, to).status_code for to in (POOL, "M-002")] == [404, 404]
    text = browse("sue").get(f"/team/orders?manager={POOL}").text
    assert {number for number in range(1, 9) if order(number) in text} == {4, 7, 8}
    assert f'<option value="{POOL}">' not in text
    assert store_of(app).orders().equals(before)


def test_service_is_owed_to_them_too(app, browse):
    care = owed((5, 6), night=date(2026, 1, 7)).assign(manager_id=POOL, team=["north", None], due_on=date(2026, 1, 5))
    take(app, date(2026, 1, 7), care=care)
    shown = {user: {number for number in (5, 6) if f"q=CRM-K{number}" in browse(user).get("/care").text} for user in ("ann", "lea", "sue")}
    assert shown == {"ann": set(), "lea": {5, 6}, "sue": {6}}  # of a service contact no region is kept


def test_no_account_is_made_for_nobody_s_list_and_one_that_is_there_shows_nothing(app, browse, clock):
    from custvalue.app.web import accounts
    from custvalue.app.web.schema import users

    with app.state.site.writing() as connection:
        with pytest.raises(ConfigError, match="nobody's list"):
            accounts.add_user(connection, "eve", role="manager", manager_id=POOL, password="x" * 12, actor="test", at=clock())
        connection.execute(users.update().where(users.c.user_name == "ann").values(manager_id=POOL))
    assert seen_by(browse("ann")) == set()


def test_a_new_edition_of_the_night_tells_the_regions_anew(app, browse):
    sue = browse("sue")
    assert 6 not in seen_by(sue)
    publish_night(app, regions=("coast", "coast", "coast"), run="again")
    assert 6 in seen_by(sue)
