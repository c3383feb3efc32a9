"""Service that is owed: shown to whom it concerns, done once, owed again only when the night says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from .conftest import audit_of, token_in
from .manager_night import NIGHT, owed, tell_night


@pytest.fixture
def app(app):
    tell_night(app.state.site)
    return app


def done(client, customer: str = "CRM-K1", kind: str = "complaint_callback", note: str = ""):
    given = {"customer": customer, "kind": kind, "since": str(NIGHT - timedelta(days=1)), "note": note}
    return client.post("/care", data=given | {"form_token": token_in(client.get("/care").text)})


def test_what_is_due_is_shown_and_what_comes_later_on_demand(browse):
    ann = browse("ann")
    text = ann.get("/care").text
    assert "CRM-K1" in text
    assert "Complaint closed on 2026-01-02" in text
    assert "overdue" in text
    assert "CRM-K9" not in text  # due tomorrow
    assert "CRM-K9" in ann.get("/care?ahead=true").text
    assert "CRM-K2" not in ann.get("/care?ahead=true").text
    assert "CRM-K2" in browse("bob").get("/care").text
    assert "CRM-K1" in browse("lea").get("/care").text  # of her team


def test_it_is_done_once_with_its_note_and_not_owed_again(app, browse):
    ann = browse("ann")
    assert done(ann, note="settled <i>").headers["location"] == "/care"
    text = ann.get("/care").text
    assert "No call-backs or notices are due today." in text
    assert "settled &lt;i&gt;" in text
    assert audit_of(app)[-1] == ("ann", "change", "complaint_callback CRM-K1")
    assert done(ann, note="again").status_code == 303
    assert "again" not in ann.get("/care").text
    tomorrow = owed(night=NIGHT + timedelta(days=1)).assign(since=NIGHT - timedelta(days=1))
    tell_night(app.state.site, night=NIGHT + timedelta(days=1), run="next", care=tomorrow)
    open_now = ann.get("/care?ahead=true").text.partition("Done today")[0]
    assert "CRM-K1<" not in open_now
    later = owed(night=NIGHT + timedelta(days=2)).assign(since=NIGHT + timedelta(days=2))
    tell_night(app.state.site, night=NIGHT + timedelta(days=2), run="later", care=later)
    assert "CRM-K1<" in ann.get("/care?ahead=true").text.partition("Done today")[0]  # another complaint


def test_what_is_owed_no_more_leaves(app, browse):
    tell_night(app.state.site, night=NIGHT + timedelta(days=1), run="next", care=owed().head(0))
    assert "No call-backs" in browse("ann").get("/care?ahead=true").text


@pytest.mark.parametrize(
    ("customer", "kind"), [("CRM-K2", "complaint_callback"), ("CRM-K1", "trial_ends"), ("nobody", "complaint_callback")]
)
def test_nobody_finishes_what_is_another_s_or_is_not_there(customer, kind, browse):
    assert done(browse("ann"), customer, kind).status_code == 404
    assert "CRM-K2" in browse("bob").get("/care").text
