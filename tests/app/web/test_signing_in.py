"""Signing in: slow for guessers, the same for whoever there is or is not, under a new session each time; and out again."""

from __future__ import annotations

import re
import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from custvalue.app.web import accounts
from custvalue.app.web.navigation import local_path
from custvalue.app.web.schema import attempts, sessions

from .conftest import PASSWORD, audit_of, sign_in, token_in


def session_id(client) -> str:
    return client.cookies.get("custvalue")


def test_a_user_signs_in_and_comes_to_the_page_that_was_wanted(browse):
    client = browse()
    wanted = client.get("/orders/20260105-C-K1?x=1").headers["location"]
    form = client.get(wanted)
    answer = client.post(
        "/login",
        data={
            "name": " ANN ",
            "password": PASSWORD,
            "form_token": token_in(form.text),
            "next": re.search('name="next" value="([^"]*)"', form.text)[1],
        },
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders/20260105-C-K1?x=1")


@pytest.mark.parametrize("user", ["ann", "nobody", "", "x" * 200, "ann'--", "{{ 7 * 7 }}"])
def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(user, browse):
    answers = [sign_in(browse(), name, "wrong wrong wrong") for name in ("bob", user)]
    shown = [re.sub(r'(name="name" value|name="form_token" value)="[^"]*"', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert shown[0].replace(" autofocus", "") == shown[1].replace(" autofocus", "")
    assert user != "{{ 7 * 7 }}" or f'value="{user}"' in answers[1].text


def test_an_unknown_name_takes_as_long_as_a_known_one(app, browse):
    from custvalue.app.web.passwords import password_fits

    password_fits("x", None)

    def seconds(user: str | None) -> float:
        with app.state.site.reading() as connection:
            found = accounts.find_user(connection, user) if user else None
        began = time.perf_counter()
        assert not password_fits("wrong wrong wrong", found.password_hash if found else None)
        return time.perf_counter() - began

    known, unknown = (statistics.median(seconds(user) for _ in range(3)) for user in ("ann", None))
    assert unknown > known / 3


def test_guessing_an_account_waits_longer_each_time_and_then_lets_its_owner_in(browse, clock, app):
    client, waits = browse(), []
    for _ in range(12):
        answer = sign_in(client, "ann", "wrong wrong wrong")
        while answer.status_code == 429:
            waits.append(int(answer.headers["retry-after"]))
            assert sign_in(browse(), "ann").status_code == 429  # the right password neither, from wherever
            clock.forward(seconds=waits[-1])
            answer = sign_in(client, "ann", "wrong wrong wrong")
        assert answer.status_code == 401
    assert waits == sorted(waits)
    assert waits[:3] == [16, 31, 61]
    assert max(waits) <= 901
    assert sign_in(browse(), "bob").status_code == 303  # nobody else waits
    clock.forward(minutes=16)
    assert sign_in(client, "ann").status_code == 303
    assert [entry[:2] for entry in audit_of(app) if entry[1] == "login_blocked"]
    with app.state.site.reading() as connection:
        assert connection.execute(select(attempts).where(attempts.c.key.like("account:%"), attempts.c.failures > 0)).all() == []


def test_guessing_many_accounts_from_one_address_is_slowed_too(browse, app, clock):
    from custvalue.app.web.throttle import FREE, count_attempt, forgive_attempt

    address = ("address", "203.0.113.9")
    with app.state.site.writing() as connection:
        waits = [count_attempt(connection, (("account", f"user{number}"), address), clock()) for number in range(FREE["address"] + 1)]
        assert waits[:-1] == [None] * FREE["address"]
        assert waits[-1] == timedelta(seconds=15)
        assert count_attempt(connection, (("account", "ann"), ("address", "203.0.113.10")), clock()) is None
        clock.forward(seconds=16)
        assert count_attempt(connection, (("account", "ann"), address), clock()) is None
        forgive_attempt(connection, ("account", "ann"), address)  # one right password does not free the guesser
        count_attempt(connection, (("account", "user1"), address), clock())
        assert count_attempt(connection, (("account", "user2"), address), clock()) is not None


def test_what_was_typed_as_a_name_is_kept_nowhere(browse, app, tmp_path):
    sign_in(browse(), "Secret-Typed-As-Name", "wrong wrong wrong")
    assert audit_of(app)[-1] == ("unknown user", "login_failed", "")
    assert all(b"typed-as-name" not in path.read_bytes().lower() for path in (tmp_path / "out").glob("orders.db*"))


def test_a_session_begins_under_a_new_id_and_a_planted_one_stays_worthless(browse):
    client = browse()
    client.cookies.set("custvalue", "planted-by-somebody-else", domain="127.0.0.1", path="/")
    assert sign_in(client, "ann").status_code == 303
    assert session_id(client) != "planted-by-somebody-else"
    attacker = browse()
    attacker.cookies.set("custvalue", "planted-by-somebody-else")
    assert attacker.get("/today").status_code == 303
    first = session_id(client)
    assert sign_in(client, "ann").status_code == 303
    assert session_id(client) != first
    attacker.cookies.set("custvalue", first)
    assert attacker.get("/today").status_code == 303  # the session before is over


def test_signing_in_needs_the_form_of_this_browser(browse):
    mine, other = browse(), browse()
    foreign = token_in(other.get("/login").text)
    mine.get("/login")
    data = {"name": "ann", "password": PASSWORD}
    assert mine.post("/login", data=data | {"form_token": foreign}).status_code == 403
    assert mine.post("/login", data=data).status_code == 403
    assert browse().post("/login", data=data | {"form_token": foreign}).status_code == 403
    own = token_in(mine.get("/login").text)
    assert mine.post("/login", data=data | {"form_token": own}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert mine.post("/login", data=data | {"form_token": own}).status_code == 303


def test_signing_out_ends_the_session_in_the_database(browse, app):
    client = browse("ann")
    kept = session_id(client)
    client.post("/logout", data={"form_token": token_in(client.get("/today").text)})
    assert session_id(client) is None
    thief = browse()
    thief.cookies.set("custvalue", kept)
    assert thief.get("/today").status_code == 303
    assert audit_of(app)[-1] == ("ann", "logout", "")


def test_a_session_ends_without_clicks_and_at_the_end_of_the_day(browse, clock):
    client = browse("ann")
    clock.forward(minutes=59)
    assert client.get("/today").status_code == 200
    clock.forward(minutes=59)
    assert client.get("/today").status_code == 200  # the click before counted
    clock.forward(minutes=62)
    assert client.get("/today").status_code == 303
    client = browse("ann")
    for _ in range(19):
        clock.forward(minutes=31)
        assert client.get("/today").status_code == 200
    clock.forward(minutes=31)
    assert client.get("/today").status_code == 303  # ten hours


def test_the_database_holds_no_session_id_and_no_password(browse, app):
    client = browse("ann")
    with app.state.site.reading() as connection:
        stored = [row.session_hash for row in connection.execute(select(sessions))]
        hashes = [user.password_hash for user in accounts.list_users(connection)]
    assert len(stored) == 1
    assert session_id(client) not in stored
    assert all(hashed.startswith("$argon2id$") for hashed in hashes)


def test_a_disabled_user_is_out_at_once_and_a_new_password_ends_the_sessions(browse, app, clock):
    ann, bob = browse("ann"), browse("bob")
    with app.state.site.writing() as connection:
        accounts.disable_user(connection, "ann", actor="test", at=clock())
        accounts.set_password(connection, "bob", "another long password", actor="test", at=clock())
    assert [client.get("/today").status_code for client in (ann, bob)] == [303, 303]
    assert [sign_in(browse(), name).status_code for name in ("ann", "bob")] == [401, 401]
    assert sign_in(browse(), "bob", "another long password").status_code == 303


def test_a_changed_role_counts_from_the_next_click(browse, app):
    from custvalue.app.web.schema import users

    client = browse("ann")
    with app.state.site.writing() as connection:
        connection.execute(users.update().where(users.c.user_name == "ann").values(role="analyst"))
    assert client.get("/today").status_code == 403


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
        "/" + "a" * 2000,
        "/\nSet-Cookie: x=1",
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(target, browse):
    assert local_path(target) == "/"
    answer = sign_in(browse(), "ann", next=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browse().get("/language/zh", params={"next": target}).headers["location"] == "/"


def test_passwords_are_long_and_names_plain(app, clock):
    from custvalue.errors import ConfigError

    with app.state.site.writing() as connection:
        for given, told in (
            ({"name": "new", "role": "manager", "manager_id": "M", "password": "short"}, "12 to 200 characters"),
            ({"name": "new", "role": "manager", "password": PASSWORD}, "--manager"),
            ({"name": "new", "role": "lead", "password": PASSWORD}, "--team"),
            ({"name": "new", "role": "king", "password": PASSWORD}, "no role 'king'"),
            ({"name": "=cmd", "role": "admin", "password": PASSWORD}, "cannot be a user's name"),
            ({"name": "ANN", "role": "admin", "password": PASSWORD}, "already"),
        ):
            with pytest.raises(ConfigError, match=re.escape(told)):
                accounts.add_user(connection, **given, actor="test", at=clock())
