"""One customer: the facts in words, the service owed, the full number only on permission; and who is on no list is found and served."""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd
import pytest

from custvalue.lists.identity import customer_token

from .conftest import audit_of, token_in
from .manager_night import NIGHT, tell_night

ORDER = "/orders/20260105-C-K1"
KEY = {"CUSTVALUE_TOKEN_KEY": "0123456789abcdef0123456789abcdef"}


@pytest.fixture
def app(app, tmp_path):
    tell_everything(app.state.site, tmp_path)
    return app


def tell_everything(site, folder) -> None:
    """Give a site all that it can know of a night: names and numbers, facts, scores."""
    site.environ = KEY
    write_directory(folder)
    tell_night(site)
    publish_scores(site.config.output)


def write_directory(folder) -> None:
    numbers = range(1, 13)
    directory = {"customer_id": [f"K{number}" for number in numbers], "crm_id": [f"CRM-K{number}" for number in numbers]}
    names = {"name": ["Xample Person"] * len(numbers), "msisdn": [f"138000000{number:02d}" for number in numbers]}
    pd.DataFrame(directory | names).to_parquet(folder / "directory.parquet")


def publish_scores(output) -> None:
    """A night of which K9 and K11 are M-001's customers on no list, K9 held out, K11 not worth a call; K12 is nobody's."""
    from custvalue.publish import lock, publish, stage

    numbers = range(1, 13)
    rows = pd.DataFrame(
        {
            "customer_id": [f"K{number}" for number in numbers],
            "tier": "gold",
            "arpu": 117.25,
            "region": "coast",
            "own_manager_id": [*("M-001" if number % 2 else "M-002" for number in range(1, 12)), None],
            "probability": 0.87654,
            "decision": ["held_out" if number == 9 else "listed" for number in numbers],
        }
    )
    with lock(output):
        folder = stage(output, "told")
        rows.to_parquet(folder / "scores.parquet", index=False)
        publish(output, as_of=NIGHT, run_id="told", staging=folder, lineage={})


def test_the_page_tells_why_what_to_do_and_what_is_owed(browse, app):
    text = browse("ann").get(ORDER).text
    for said in (
        "complaint made again", "41 % below", "raises the risk", "×2", "Half a month off", "Ask what would fit better",
        "Promise nothing beyond", "09:00–21:00", "¥1,150", "fell by 41%", "ends in 18 day(s)", "Nov 3, 2025",
        "gold since Oct 1, 2025: risen at this rating", "A named manager", "An answer within 24 hours", "call-back after a complaint",
        "order opened",
    ):  # fmt: skip
        assert said in text, said
    assert audit_of(app)[-1] == ("ann", "view", "20260105-C-K1")


def test_plots_say_their_numbers_in_words_too(browse):
    text = browse("ann").get(ORDER).text
    assert text.count('class="plot"') == 4
    assert "last ¥117, between ¥117 and ¥202" in text
    assert '<th scope="row">2025-09</th><td class="number">–</td>' in text  # nothing known of that month
    assert text.count("<polyline") == 7  # three lines are interrupted there, complaints are known throughout


def test_an_order_of_which_the_night_told_nothing_is_shown_with_what_there_is(make_site):
    from .conftest import sign_in

    bare = make_site()
    from starlette.testclient import TestClient

    client = TestClient(bare, base_url="http://127.0.0.1", follow_redirects=False)
    sign_in(client, "ann")
    text = client.get("/orders/20260105-C-K1").text
    assert "The list told no reasons." in text
    assert "last twelve months" not in text


def test_the_full_number_is_shown_once_to_whom_may_and_written_down(browse, app, make_site):
    ann = browse("ann")
    page = ann.get(ORDER).text
    assert "13800000001" not in page
    answer = ann.post(f"{ORDER}/reveal", data={"form_token": token_in(page)})
    assert (answer.status_code, "13800000001" in answer.text, "Xample Person" in answer.text) == (200, True, True)
    assert audit_of(app)[-1] == ("ann", "reveal", "20260105-C-K1")
    assert "13800000001" not in ann.get(ORDER).text
    assert not any("13800" in entry[2] or "Xample" in entry[2] for entry in audit_of(app))


def test_who_lacks_the_permission_is_offered_no_number_and_gets_none(make_site):
    from starlette.testclient import TestClient

    from .conftest import sign_in

    strict = make_site(reveal=["lead"])
    client = TestClient(strict, base_url="http://127.0.0.1", follow_redirects=False)
    sign_in(client, "ann")
    page = client.get(ORDER).text
    assert "/reveal" not in page
    assert client.post(f"{ORDER}/reveal", data={"form_token": token_in(page)}).status_code == 403
    assert audit_of(strict)[-1] == ("ann", "denied", f"{ORDER}/reveal")


@pytest.mark.parametrize(("number", "leads"), [("CRM-K1", ORDER), (" CRM-K3 ", "/orders/20260105-C-K3"), ("CRM-K9", "/customers/CRM-K9")])
def test_a_number_leads_to_the_order_or_to_the_customer(number, leads, browse):
    answer = browse("ann").get("/search", params={"q": number})
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


@pytest.mark.parametrize("number", ["CRM-K2", "CRM-K10", "K9", "CRM-%", "' OR 1=1 --", "13800000009", "C-0000000000"])
def test_another_manager_s_customers_and_nonsense_are_not_found(number, browse):
    ann = browse("ann")
    answer = ann.get("/search", params={"q": number})
    assert (answer.status_code, "no such customer among yours" in answer.text) == (404, True)
    assert ann.get("/customers/CRM-K10").status_code == 404


def test_a_held_out_customer_is_served_like_everybody_without_order_risk_or_offer(browse, app):
    ann = browse("ann")
    held, other = (re.sub(r"CRM-K\d+|138\*+\d+", "…", ann.get(f"/customers/CRM-K{number}").text) for number in (9, 11))
    for said in ("gold", "¥117", "A named manager"):
        assert said in held
    for unsaid in ("held", "risk", "Half a month", "0.87", "at stake", "<textarea"):
        assert unsaid not in held.lower(), unsaid
    assert audit_of(app)[-1][:2] == ("ann", "view")
    assert audit_of(app)[-1][2] == customer_token(KEY["CUSTVALUE_TOKEN_KEY"].encode(), "K11")
    without_care = held.replace(held[held.index("<h2>Service that is due") : held.index("<h2>Service owed")], "")
    assert without_care == other  # nothing tells the one from the other but the service that is due


def test_a_customer_whom_another_manager_works_on_is_not_found(browse, app):
    from custvalue.retention.orders.store import OrderStore

    from .manager_night import told

    night = NIGHT + timedelta(days=1)
    rows = told([9], night=night, manager="M-002")
    OrderStore.of(app.state.site.config).take_night(rows, night, "next", decisions={}, now=app.state.site.clock())
    assert browse("ann").get("/customers/CRM-K9").status_code == 404
    assert browse("bob").get("/search?q=CRM-K9").headers["location"] == "/orders/20260106-C-K9"


def test_who_has_no_manager_is_served_by_whomever_he_calls(browse):
    for user in ("ann", "bob", "lea"):
        client = browse(user)
        assert client.get("/search?q=CRM-K12").headers["location"] == "/customers/CRM-K12"
        assert "gold" in client.get("/customers/CRM-K12").text


def test_without_a_directory_a_customer_is_found_by_the_token(browse, app, tmp_path):
    (tmp_path / "directory.parquet").unlink()
    token = customer_token(KEY["CUSTVALUE_TOKEN_KEY"].encode(), "K9")
    assert browse("ann").get("/search", params={"q": token}).headers["location"] == f"/customers/{token}"
    assert browse("bob").get("/search", params={"q": token}).status_code == 404
