"""Commands of the managers' page: serve it, and say who may sign in."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import ConfigPath, read_config
from custvalue.errors import ConfigError


class Role(StrEnum):
    """What a user of the page is."""

    manager = "manager"
    lead = "lead"
    analyst = "analyst"
    admin = "admin"


UserName = Annotated[str, typer.Argument(metavar="NAME", help="What the user signs in with; capitals do not count.", show_default=False)]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it once, instead of asking or reading one.")]

users = typer.Typer(help="The page's users: add, list and disable them, and read the audit log.", no_args_is_help=True)


def serve(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The operator's YAML file.", show_default=False)] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others reach needs page.url with https in the config.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8321,
    demo: Annotated[
        bool, typer.Option("--demo", help="Serve what `custvalue demo` made, with three users whose passwords are printed once.")
    ] = False,
) -> None:
    """Serve the managers' page: today's customers, why, what to offer, and what came of it."""
    if demo == (config is not None):
        raise ConfigError("give either -c CONFIG or --demo.")
    from custvalue.app.web.serving import find_demo, make_demo_users, run_serve

    path = find_demo(os.environ) if config is None else config
    loaded = read_config(path)
    if demo:
        if loaded.page.url is not None:
            raise ConfigError("--demo prints passwords, so it serves this machine alone: remove page.url, or serve with -c.")
        make_demo_users(loaded, path)
    run_serve(loaded, host=host, port=port, environ=os.environ)


@users.command("add")
def add(
    config: ConfigPath,
    name: UserName,
    role: Annotated[Role, typer.Option(help="What the user may do; docs/page.md has the table.", show_default=False)],
    manager: Annotated[
        str | None, typer.Option("--manager", metavar="ID", help="A manager's id, as in the table managers.", show_default=False)
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="A lead's team.", show_default=False)] = None,
    generate: Generate = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Let only the company sign-in (page.oidc) bring this user in.")
    ] = False,
) -> None:
    """Add a user. The password is asked for twice, or read from the first line of what is piped in."""
    from custvalue.app.web.users import run_add

    run_add(
        read_config(config),
        name,
        role=role.value,
        manager_id=manager,
        team=team,
        generate=generate,
        no_password=no_password,
        environ=os.environ,
    )


@users.command("list")
def list_users(config: ConfigPath) -> None:
    """List all users, with role, scope, and how they sign in."""
    from custvalue.app.web.users import show_users

    show_users(read_config(config))


@users.command("disable")
def disable(config: ConfigPath, name: UserName) -> None:
    """Let a user in no more, and end their sessions at once; what they recorded stays."""
    from custvalue.app.web.users import run_disable

    run_disable(read_config(config), name, environ=os.environ)


@users.command("password")
def password(config: ConfigPath, name: UserName, generate: Generate = False) -> None:
    """Give a user a new password, end their sessions, and let them in again if they were disabled."""
    from custvalue.app.web.users import run_password

    run_password(read_config(config), name, generate=generate, environ=os.environ)


@users.command("audit")
def audit(
    config: ConfigPath,
    csv: Annotated[Path, typer.Option("--csv", metavar="FILE", help="File to write, readable by its owner alone.", show_default=False)],
) -> None:
    """Write the audit log: who looked at, revealed, exported and changed what, when and from where."""
    from custvalue.app.web.users import write_audit_file

    write_audit_file(read_config(config), csv)
