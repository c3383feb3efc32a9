"""A session that ends while somebody writes: nothing is recorded, the words are given back, and the way leads to where they belong."""

from __future__ import annotations

import re
from html import unescape

import pytest

from custvalue.app.web.navigation import links_for
from custvalue.app.web.principal import PERMISSIONS, make_principal

from .conftest import sign_in, token_in
from .test_record import ORDER, fields, state

NOTE = "calls back on Friday\n<b>after</b> {{ 7 * 191919 }}"


def send_late(client, clock, path: str = f"{ORDER}/record", note: str = NOTE, **headers: str):
    given = fields(client.get(ORDER).text) | {"act": "reached", "note": note}
    clock.forward(minutes=61)
    return client.post(path, data=given, headers=headers)


def test_a_note_that_came_too_late_is_given_back_and_not_recorded(app, browse, clock):
    ann, before = browse("ann"), state(app)
    answer = send_late(ann, clock)
    assert answer.status_code == 401
    assert unescape(re.search(r"<textarea[^>]*>([^<]*)</textarea>", answer.text)[1]) == NOTE
    assert 'href="/login?next=/orders/20260105-C-K1"' in answer.text
    assert "CRM-K1" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert state(app).equals(before)
    assert sign_in(ann, "ann", next=ORDER).headers["location"] == ORDER


@pytest.mark.parametrize(
    ("path", "leads"), [(f"{ORDER}/record", ORDER), (f"{ORDER}/undo", ORDER), ("/campaigns/x/approve", "/campaigns/x"), ("/logout", "/")]
)
def test_without_a_note_the_way_leads_over_the_sign_in_to_the_form_s_page(path, leads, browse, clock):
    answer = send_late(browse("ann"), clock, path, note="  ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={leads}")
    client = browse("lea")
    assert client.get(leads).status_code != 405  # it is a page, not another form's address


def test_what_another_site_sends_is_not_shown_in_our_name(browse, clock):
    answer = send_late(browse("ann"), clock, **{"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "Friday" in answer.text) == (303, False)


def test_after_a_failed_form_the_language_leads_back_to_its_page(browse):
    ann = browse("ann")
    answer = ann.post(f"{ORDER}/record", data=fields(ann.get(ORDER).text) | {"act": ""})
    assert (answer.status_code, f'href="/language/zh?next={ORDER}"' in answer.text) == (422, True)


@pytest.mark.parametrize("role", list(PERMISSIONS))
def test_each_role_has_a_page_to_begin_with(role, make_config, browse):
    principal = make_principal("x", role, "M", "T", make_config().page)
    user = {"manager": "ann", "lead": "lea", "analyst": "ana", "admin": "adm"}[role]
    assert browse(user).get("/").headers["location"] == links_for(principal)[0].path


def test_a_form_of_a_session_that_is_over_changes_nothing_in_the_next_one(app, browse, clock):
    ann = browse("ann")
    late = fields(ann.get(ORDER).text) | {"act": "reached"}
    clock.forward(minutes=61)
    sign_in(ann, "ann")
    assert ann.post(f"{ORDER}/record", data=late).status_code == 403
    assert state(app).state == "assigned"
    assert token_in(ann.get(ORDER).text) != late["form_token"]
