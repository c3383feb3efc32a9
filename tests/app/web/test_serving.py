"""The real server in a process of its own: its address, its end, its refusals; and the commands on users."""

from __future__ import annotations

import csv
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from custvalue.errors import ConfigError, TryAgainError

from .conftest import PASSWORD, sign_in

PROGRAM = """
import os, sys
import typer
from custvalue.app.cli_page import serve, users
from custvalue.errors import CustValueError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(serve)
app.add_typer(users, name="users")
try:
    app()
except CustValueError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class Server:
    """`custvalue serve` on a free port."""

    def __init__(self, config: Path, *arguments: str) -> None:
        command = [sys.executable, "-u", "-c", PROGRAM, "serve", "-c", str(config), "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ)
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, line + self.process.stdout.read()
        self.address = line.split()[3]

    def end(self, sign: int = signal.SIGTERM) -> str:
        self.process.send_signal(sign)
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def config_file(make_site, tmp_path) -> Path:
    make_site()
    return tmp_path / "small.yaml"


@pytest.fixture
def server(config_file):
    running = Server(config_file)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def test_the_server_serves_and_ends_when_told(server):
    import httpx2

    with httpx2.Client(base_url=server.address) as client:
        assert client.get("/health").json() == {"status": "ok"}
        answer = sign_in(client, "ann")
        assert answer.status_code == 303
        assert client.get("/today").status_code == 200
        assert "server" not in answer.headers
    told = server.end()
    assert "20260105" not in told  # nobody's order in the log
    assert server.process.returncode == 0


def test_what_was_answered_survives_a_kill_and_a_session_goes_on(server, config_file):
    import httpx2

    with httpx2.Client(base_url=server.address) as client:
        sign_in(client, "ann")
        assert client.get("/orders/20260105-C-K1").status_code == 200
        cookies = dict(client.cookies)
    server.end(signal.SIGKILL)
    again = Server(config_file)
    try:
        with httpx2.Client(base_url=again.address, cookies=cookies) as client:
            assert client.get("/today").status_code == 200
        with httpx2.Client(base_url=again.address) as client:
            sign_in(client, "adm")
            assert client.get("/audit").text.count("20260105-C-K1") == 1
    finally:
        again.end()


def test_a_forwarded_address_counts_only_behind_the_named_proxy(server):
    import httpx2

    with httpx2.Client(base_url=server.address, headers={"X-Forwarded-For": "203.0.113.1", "X-Forwarded-Proto": "https"}) as client:
        sign_in(client, "adm")
        text = client.get("/audit").text
    assert "203.0.113.1" not in text
    assert "127.0.0.1" in text


def test_others_are_not_served_without_https(make_config):
    from custvalue.app.web.serving import run_serve

    for page in ({}, {"url": "http://127.0.0.1:9"}):
        with pytest.raises(ConfigError, match=r"page\.url"):
            run_serve(make_config(**page), host="0.0.0.0", port=0, environ={})  # noqa: S104 - it is what must be refused


def test_a_taken_port_is_told(make_site, make_config):
    import socket

    from custvalue.app.web.serving import run_serve

    make_site()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(TryAgainError, match="cannot be opened"):
            run_serve(make_config(), host="127.0.0.1", port=taken.getsockname()[1], environ={})


def test_the_address_answers_as_soon_as_it_is_told():
    """The first visitor may come before the server does: he waits, and is not refused."""
    import socket

    from custvalue.app.web.serving import listen

    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname(), timeout=5) as early:
        assert early.getpeername() == listening.getsockname()


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_a_database_of_another_version_is_refused(version, make_site, make_config):
    from sqlalchemy import text

    from custvalue.app.web.site import Site

    site = make_site()
    with site.state.site.writing() as connection:
        connection.execute(text("UPDATE custvalue_orders_version SET version_num = :version"), {"version": version})
    with pytest.raises(ConfigError, match="custvalue db upgrade" if version == "0001" else "newer"):
        Site(make_config(), {})


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ({"url": "http://page.example"}, "https://"),
        ({"url": "https://ann:word@page.example"}, "without user or password"),
        ({"url": "https://page.example/sub"}, "must end after the host"),
        ({"url": "ftp://page.example"}, "https://"),
        ({"hours": 25}, "24"),
        ({"reveal": ["king"]}, "analyst"),
        ({"oidc": {"issuer": "https://id.example", "client_id": "x", "client_secret": "s"}}, "oidc needs url"),
        ({"url": "https://p.example", "oidc": {"issuer": "http://id.example", "client_id": "x", "client_secret": "s"}}, "https://"),
    ],
)
def test_unsafe_settings_are_refused(page, told, make_config):
    with pytest.raises(ConfigError, match=told):
        make_config(**page)


@pytest.fixture
def command(config_file):
    """Run a command on users, with what is piped in."""
    from custvalue.app.cli_page import users

    def run(*arguments: str, given: str = ""):
        app = typer.Typer(pretty_exceptions_enable=False)
        app.add_typer(users, name="users")
        return CliRunner().invoke(app, ["users", *arguments, "-c", str(config_file)], input=given)

    return run


def test_users_are_added_listed_and_disabled(command, make_config):
    from starlette.testclient import TestClient

    from custvalue.app.web.application import create_app
    from custvalue.app.web.site import Site

    assert command("add", "New.One", "--role", "manager", "--manager", "M-001", given=f"{PASSWORD}\n").exit_code == 0
    made = command("add", "chief", "--role", "lead", "--team", "north", "--generate")
    password = made.output.split()[-1]
    assert len(password) == 19
    assert command("add", "guest", "--role", "analyst", "--no-password").exit_code == 0
    assert isinstance(command("add", "other", "--role", "analyst", given="").exception, ConfigError)
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in command("list").output.splitlines() if line.strip()}
    assert shown["new.one"] == "manager M-001 with a password"
    assert shown["chief"] == "lead north with a password"
    assert shown["guest"] == "analyst with the company account"
    app = create_app(Site(make_config(), {}))

    def enters(user: str, word: str) -> bool:
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        return sign_in(client, user, word).status_code == 303

    assert enters("new.one", PASSWORD)
    assert enters("CHIEF", password)
    assert not enters("guest", "")
    assert command("disable", "chief").exit_code == 0
    assert not enters("chief", password)
    renewed = command("password", "chief", "--generate").output.split()[-1]
    assert enters("chief", renewed)
    assert isinstance(command("disable", "nobody").exception, ConfigError)


def test_the_audit_log_is_written_for_its_owner_alone(command, tmp_path):
    command("add", "new", "--role", "admin", "--generate")
    file = tmp_path / "audit.csv"
    assert command("audit", "--csv", str(file)).exit_code == 0
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["action"], row["object"], row["address"]) for row in rows] == [("user_added", "new admin", "console")]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_demonstration_has_three_users_whose_passwords_are_printed_once(make_site, make_config, tmp_path, capsys):
    from starlette.testclient import TestClient

    from custvalue.app.web.application import create_app
    from custvalue.app.web.serving import make_demo_users
    from custvalue.app.web.site import Site

    make_site()
    config = make_config()
    path = tmp_path / "small.yaml"
    make_demo_users(config, path)
    words = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert list(words) == ["demo-manager", "demo-lead", "demo-analyst"]
    make_demo_users(config, path)
    again = capsys.readouterr().out
    assert not any(word in again for word in words.values())
    assert f"custvalue users password demo-manager -c {path} --generate" in again
    app = create_app(Site(config, {}))
    seen = {}
    for user, word in words.items():
        client = TestClient(app, base_url="http://127.0.0.1")
        sign_in(client, user, word)
        seen[user] = client.get("/today").text.count("CRM-K")
    assert seen == {"demo-manager": 3, "demo-lead": 3, "demo-analyst": 0}


def test_without_a_demonstration_it_says_what_to_run(tmp_path, monkeypatch):
    from custvalue.app.web.serving import find_demo

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="Run `custvalue demo` first"):
        find_demo({})
