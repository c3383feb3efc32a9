"""A lead approves a campaign on the dry run that was looked at: once, by name, and for today's policy alone."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from custvalue import publish
from custvalue.retention.approvals import RUNS_FOLDER, approvals, pending, save_dry_run
from custvalue.retention.dry_run import Campaign, DryRun, Reach, Warned

from .conftest import audit_of, token_in
from .reading import tables_in


@pytest.fixture
def config(app):
    return app.state.site.config


@pytest.fixture
def run(config):
    """A dry run of today's policy that was kept."""
    reach = Reach(40, 44, 25.0, 160.0, 90.0, 1730.0, 310.0, 3100.0, {"save_halved": 400.0})
    campaigns = {"spring": Campaign(900, 0, 40, 8, 0.2, 0.1, 900)}
    warnings = (Warned("cannot_conclude", "spring", 900, 48),)
    run = DryRun("2026-01-05", "test-v1", publish.file_digest(config.retention_policy), {"listed": 40}, reach, {}, {}, campaigns, warnings)
    save_dry_run(config.output, run)
    return run


def approve(client, dry_run: str, **changes: str):
    text = client.get(f"/campaigns/{dry_run}").text
    return client.post(f"/campaigns/{dry_run}/approve", data={"form_token": token_in(text), "note": "looked at tiers"} | changes)


def test_the_dry_run_is_told_in_words(run, browse):
    text = browse("lea").get(f"/campaigns/{run.id}").text
    told = {
        next(iter(row.values())): list(row.values())[1]
        for row in tables_in(f"<table><tr><th>a</th><th>b</th></tr>{text.partition('<tbody>')[2]}")[0]
        if len(row) > 1
    }
    assert (told["customers covered"], told["expected net value"], told["if calls save half as many"]) == ("44", "1,730 CNY", "400 CNY")
    assert "one night cannot show the effect; it needs 900 customers" in text
    assert "From the next night on these campaigns may call: spring" in text


def test_an_approval_says_who_when_and_on_what(run, config, app, browse):
    lea = browse("lea")
    digest = publish.file_digest(config.retention_policy)
    assert pending(config.output, ["spring"], digest) != []
    assert approve(lea, run.id).headers["location"] == f"/campaigns/{run.id}"
    (made,) = approvals(config.output)
    assert (made.dry_run, made.campaigns, made.by, made.at, made.note) == (
        run.id,
        ("spring",),
        "lea",
        "2026-01-05T00:30:00+00:00",
        "looked at tiers",
    )
    assert pending(config.output, ["spring"], digest) == []
    text = lea.get(f"/campaigns/{run.id}").text
    assert "spring: approved by lea, Jan 5, 2026 08:30. looked at tiers" in " ".join(text.split())
    assert '<form method="post" action="/campaigns' not in text
    assert audit_of(app)[-1] == ("lea", "change", f"approval of dry run {run.id}")


def test_a_second_approval_changes_nothing_and_shows_the_first(run, config, app, browse):
    lea, sue = browse("lea"), browse("sue")
    form = {"form_token": token_in(sue.get(f"/campaigns/{run.id}").text), "note": "me too"}
    approve(lea, run.id)
    assert sue.post(f"/campaigns/{run.id}/approve", data=form).status_code == 303
    assert [made.by for made in approvals(config.output)] == ["lea"]
    assert "approved by lea" in sue.get(f"/campaigns/{run.id}").text
    assert [entry[0] for entry in audit_of(app) if entry[1] == "change"] == ["lea"]


def test_leads_who_approve_at_once_approve_once(run, config, app, browse):
    clients = [browse(user) for user in ("lea", "sue")]
    tokens = [token_in(client.get(f"/campaigns/{run.id}").text) for client in clients]
    statuses: list[int] = []

    def send(client, token):
        statuses.append(client.post(f"/campaigns/{run.id}/approve", data={"form_token": token}).status_code)

    threads = [threading.Thread(target=send, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, len(approvals(config.output))) == ([303, 303], 1)
    assert [entry[0] for entry in audit_of(app) if entry[1] == "change"] == [approvals(config.output)[0].by]


def test_a_dry_run_of_another_policy_cannot_be_approved(run, config, browse):
    older = replace(run, policy_digest="b" * 64)
    save_dry_run(config.output, older)
    lea = browse("lea")
    assert "The policy was changed since" in lea.get(f"/campaigns/{older.id}").text
    assert approve(lea, older.id).status_code == 303
    assert approvals(config.output) == []
    assert "older policy" in lea.get("/campaigns").text


def test_a_dry_run_that_was_edited_is_neither_listed_nor_approved(run, config, browse):
    path = config.output / RUNS_FOLDER / f"{run.id}.json"
    path.write_text(path.read_text().replace("1730", "9730"), encoding="utf-8")
    lea = browse("lea")
    assert run.id[:8] not in lea.get("/campaigns").text
    assert lea.get(f"/campaigns/{run.id}").status_code == 422
    token = token_in(lea.get("/today").text)
    assert lea.post(f"/campaigns/{run.id}/approve", data={"form_token": token}).status_code == 422
    assert approvals(config.output) == []


@pytest.mark.parametrize("name", ["0123456789abcdef", "..%2F..%2Forders", "{{7*7}}", "x"])
def test_an_unknown_dry_run_is_not_there(name, run, browse):
    assert browse("lea").get(f"/campaigns/{name}").status_code == 404


@pytest.mark.parametrize("user", ["ann", "ana", "adm"])
def test_only_leads_approve(user, run, config, browse):
    client = browse(user)
    token = (
        token_in(client.get("/").text or "")
        if client.get("/").status_code == 200
        else token_in(client.get(client.get("/").headers["location"]).text)
    )
    assert client.get(f"/campaigns/{run.id}").status_code == 403
    assert client.post(f"/campaigns/{run.id}/approve", data={"form_token": token}).status_code == 403
    assert approvals(config.output) == []


def test_a_note_is_shown_as_text(run, browse):
    lea = browse("lea")
    approve(lea, run.id, note="<script>alert(1)</script>{{ 7*7 }}")
    text = lea.get(f"/campaigns/{run.id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in text
