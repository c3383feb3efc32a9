"""Nobody sees or changes anything without a session, a right and a form; and nobody another manager's customer."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import custvalue.app.web
from custvalue.app.web.application import PAGES, PUBLIC
from custvalue.app.web.principal import PERMISSIONS, Permission

from .conftest import USERS, audit_of, token_in

ROUTES = [(method, route.path) for router in PAGES for route in router.routes for method in sorted(route.methods - {"HEAD"})]
OPEN = {"/login", "/language/{language}", "/health", "/oidc", "/oidc/callback"}
CHANGES = [path for method, path in ROUTES if method != "GET"]
OWN, FOREIGN = "20260105-C-K1", "20260105-C-K2"
FOLDER = Path(custvalue.app.web.__file__).parent


def filled(path: str, order: str = OWN) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "none", path.replace("{order_id}", order))


def test_only_signing_in_language_and_health_are_for_anybody():
    assert {route.path for router in PUBLIC for route in router.routes} <= OPEN


def test_the_application_has_no_other_routes(browse):
    client = browse()
    for path in ("/docs", "/redoc", "/openapi.json", "/nothing", "/static/../application.py", "/static/%2e%2e/application.py", "/static/"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_session_every_page_leads_to_the_sign_in(method, path, browse):
    client = browse()
    answer = client.request(method, filled(path), data={"form_token": "x"} if method != "GET" else None)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/")
    client.cookies.set("custvalue", "made-up")
    assert client.request(method, filled(path)).status_code == 303
    asked = client.request(method, filled(path), headers={"HX-Request": "true"})
    assert (asked.status_code, asked.headers["hx-redirect"].partition("?")[0]) == (401, "/login")


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_needs_the_form_of_its_own_session(path, browse):
    ann, bob = browse("ann"), browse("bob")
    tokens = {client: token_in(client.get("/today").text) for client in (ann, bob)}
    for given in ({}, {"form_token": ""}, {"form_token": "é" * 64}, {"form_token": tokens[bob]}):
        assert ann.post(filled(path), data=given).status_code == 403, given
    assert ann.post(filled(path), headers={"X-Form-Token": tokens[bob]}).status_code == 403
    foreign = ann.post(filled(path), data={"form_token": tokens[ann]}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert ann.get("/today").status_code == 200  # nothing happened, not even a sign-out


def test_the_form_of_a_session_passes_as_field_and_as_header_and_no_more_once_it_is_over(browse):
    first, second = browse("ann"), browse("ann")
    token = token_in(first.get("/today").text)
    assert first.post("/logout", data={"form_token": token}).status_code == 303
    assert second.post("/logout", data={"form_token": token}).status_code == 403  # replayed in another session of the same user
    own = token_in(second.get("/today").text)
    assert second.post("/logout", headers={"X-Form-Token": own}).headers["location"] == "/login"


@pytest.mark.parametrize("user", ["bob", "sue"])
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in ROUTES if "{order_id}" in path])
def test_another_manager_s_order_is_not_there(method, path, user, browse):
    owner, other = browse("ann" if user == "bob" else "lea"), browse(user)
    token = token_in(other.get("/today").text)
    answers = [
        client.request(method, filled(path, order), data={"form_token": token} if method != "GET" else None)
        for client, order in ((other, OWN), (other, "20260105-C-none"))
    ]
    assert {answer.status_code for answer in answers} <= {403, 404, 422}
    assert "CRM-K1" not in answers[0].text
    assert answers[0].text.replace(OWN, "…") == answers[1].text.replace("20260105-C-none", "…")  # absent or not mine: the same page
    if method == "GET":
        assert owner.request(method, filled(path)).status_code in (200, 303, 403)


@pytest.mark.parametrize("user", list(USERS))
def test_lists_hold_the_scope_alone(user, browse):
    seen = {"ann": {1, 3, 5}, "bob": {2, 4, 6}, "lea": {1, 3, 5}, "sue": {2, 4, 6}}.get(user, set())
    text = browse(user).get("/today").text
    assert {number for number in range(1, 7) if f"CRM-K{number}" in text} == seen


def test_who_lacks_the_right_is_refused_and_written_down(browse, app):
    for user, path in (("ann", "/audit"), ("ana", "/today"), ("adm", f"/orders/{OWN}")):
        answer = browse(user).get(path)
        assert (answer.status_code, "CRM" in answer.text) == (403, False)
        assert audit_of(app)[-1] == (user, "denied", path)


def test_a_role_has_the_rights_of_the_table_and_no_more(make_config):
    from custvalue.app.web.principal import make_principal

    assert set(PERMISSIONS) == {"manager", "lead", "analyst", "admin"}
    assert Permission.REVEAL not in set().union(*PERMISSIONS.values())
    revealing = make_config(reveal=["lead", "admin"]).page
    may = {role: make_principal("x", role, "M", "T", revealing).may(Permission.REVEAL) for role in PERMISSIONS}
    assert may == {"manager": False, "lead": True, "analyst": False, "admin": False}  # who sees no orders has no number to reveal


def test_a_lead_without_a_team_and_a_manager_without_an_id_see_nothing(app):
    from custvalue.app.web.principal import make_principal
    from custvalue.app.web.repository import Repository

    with app.state.site.reading() as connection:
        for role in ("manager", "lead"):
            repository = Repository(make_principal("x", role, None, None, app.state.site.page), connection, app.state.site.roster)
            assert connection.execute(repository.orders()).all() == []


def importers(module: str) -> set[str]:
    found = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [name.name for name in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            if module in names:
                found.add(path.relative_to(FOLDER).as_posix())
    return found


def test_the_orders_tables_are_named_in_the_repository_alone():
    named = importers("custvalue.retention.orders.schema")
    assert "repository.py" in named
    assert {name for name in named if not name.startswith("repository")} == set()
