"""The commands on the page's users: what they ask for, do and print."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from custvalue.app.promotion import actor
from custvalue.app.tables import console, table
from custvalue.app.web import accounts
from custvalue.app.web.audit import export_audit
from custvalue.app.web.passwords import make_password
from custvalue.app.web.site import Database, utc_now
from custvalue.config import Config
from custvalue.errors import ConfigError


def run_add(
    config: Config,
    name: str,
    *,
    role: str,
    manager_id: str | None,
    team: str | None,
    generate: bool,
    no_password: bool,
    environ: Mapping[str, str],
) -> None:
    """Add a user; see `accounts.add_user` for what is refused."""
    password = None if no_password else _new_password(generate)
    with Database(config.orders, config.output).writing() as connection:
        accounts.add_user(
            connection, name, role=role, manager_id=manager_id, team=team, password=password, actor=actor(environ), at=utc_now()
        )
    typer.echo(f"added {accounts.tidy_name(name)}, {role}" + _shown_once(password, generate))


def run_password(config: Config, name: str, *, generate: bool, environ: Mapping[str, str]) -> None:
    """Give a user a new password; see `accounts.set_password` for what is refused."""
    password = _new_password(generate)
    with Database(config.orders, config.output).writing() as connection:
        accounts.set_password(connection, name, password, actor=actor(environ), at=utc_now())
    typer.echo(f"{accounts.tidy_name(name)} has a new password; their sessions are over" + _shown_once(password, generate))


def run_disable(config: Config, name: str, *, environ: Mapping[str, str]) -> None:
    """Let a user in no more."""
    with Database(config.orders, config.output).writing() as connection:
        accounts.disable_user(connection, name, actor=actor(environ), at=utc_now())
    typer.echo(f"{accounts.tidy_name(name)} is disabled; their sessions are over, their records stay")


def show_users(config: Config) -> None:
    """Show all users."""
    with Database(config.orders, config.output).reading() as connection:
        rows = [
            (user.user_name, user.role, user.manager_id or "", user.team or "", _sign_in(user.password_hash, user.disabled_at))
            for user in accounts.list_users(connection)
        ]
    if not rows:
        typer.echo("no users yet; custvalue users add NAME --role manager --manager M-001")
        return
    console().print(table(("user", "role", "manager", "team", "signs in"), rows, left=5))


def write_audit_file(config: Config, path: Path) -> None:
    """Write the whole audit log as CSV that Excel opens as UTF-8; nothing but the file's owner can read it."""
    with Database(config.orders, config.output).reading() as connection, path.open("w", encoding="utf-8-sig", newline="") as file:
        path.chmod(0o600)
        entries = export_audit(connection, file)
    typer.echo(f"{entries:,} entries: {path}")


def _new_password(generate: bool) -> str:
    """Make a password, ask for it twice on a terminal, or read it from the first line of what is piped in."""
    if generate:
        return make_password()
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt="again"))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise ConfigError("no password was piped in. Pipe it in as one line, or let one be made with --generate.")
    return given


def _shown_once(password: str | None, generate: bool) -> str:
    return f"\npassword, shown this once: {password}" if generate and password else ""


def _sign_in(password_hash: str | None, disabled_at: object) -> str:
    return "no (disabled)" if disabled_at else "with a password" if password_hash else "with the company account"
