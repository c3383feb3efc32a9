"""Running the page: one process, its own port, a graceful end; and the demonstration's three users."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from pathlib import Path

import typer

from custvalue.app.web import accounts
from custvalue.app.web.application import create_app
from custvalue.app.web.passwords import make_password
from custvalue.app.web.repository import busiest_manager
from custvalue.app.web.schema import users
from custvalue.app.web.site import Database, utc_now
from custvalue.config import Config, load_config
from custvalue.config.page import LOOPBACK
from custvalue.errors import ConfigError, TryAgainError
from custvalue.publish.manifests import published_dates

_GRACE_SECONDS = 10
_KEEP_SECONDS = 75
"""Longer than a manager thinks and than a proxy waits: whoever reuses a connection does not meet its end."""
_DEMO_CONFIG = Path("configs") / "demo.yaml"
_DEMO_FOLDERS = (Path(), Path("custvalue-demo"))
_DEMO_ACTOR = "demo"


def run_serve(config: Config, *, host: str, port: int, environ: Mapping[str, str]) -> None:
    """Serve until the process is told to stop.

    Raises
    ------
    ConfigError
        People elsewhere are to be served without https, or the database is of another version.
    TryAgainError
        The port is taken.
    """
    import uvicorn

    if not config.page.secure and host not in LOOPBACK:
        raise ConfigError(
            f"--host {host}: the page shows customers, so only this machine is served without https. Set page.url to https://…, the "
            "address under which a proxy with a certificate passes requests on, and let --host name the address that the proxy reaches."
        )
    app = create_app(config, environ)
    listening = listen(host, port)
    address = config.page.url or f"http://{host}:{listening.getsockname()[1]}"
    typer.echo(f"the managers' page: {address}   (Ctrl-C ends it)")
    settings = uvicorn.Config(
        app,
        access_log=False,  # addresses of pages name customers; who looked at whom is in the audit log
        log_level="warning",
        server_header=False,
        proxy_headers=config.page.secure,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_SECONDS,
    )
    # a bug's message may hold a customer's data; failures.py tells its type and place
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.exc_info is None)
    try:
        uvicorn.Server(settings).run(sockets=[listening])
    except KeyboardInterrupt:
        typer.echo("ended")


def demo_config(environ: Mapping[str, str]) -> Config:
    """Find the workspace that `custvalue demo` made, here or in ``custvalue-demo``.

    Raises
    ------
    ConfigError
        There is none, or it has no published night.
    """
    for folder in _DEMO_FOLDERS:
        path = folder / _DEMO_CONFIG
        if path.is_file():
            config = load_config(path, environ=environ)
            if published_dates(config.output):
                return config
    raise ConfigError(
        "there is no demonstration here yet. Run `custvalue demo` first, in this folder, then `custvalue serve --demo` again."
    )


def make_demo_users(config: Config) -> None:
    """Give the demonstration three users, and print their passwords: new ones each time, so that none is kept anywhere."""
    at = utc_now()
    with Database(config.orders, config.output).writing() as connection:
        manager, team = busiest_manager(connection) or ("none", "none")
        wanted: dict[str, dict[str, str]] = {"manager": {"manager_id": manager}, "lead": {"team": team}, "analyst": {}}
        connection.execute(users.delete().where(users.c.user_name.in_([f"demo-{role}" for role in wanted])))
        for role, scope in wanted.items():
            name, password = f"demo-{role}", make_password()
            accounts.add_user(connection, name, role=role, password=password, actor=_DEMO_ACTOR, at=at, **scope)
            typer.echo(f"  {name:<13} {password}")


def listen(host: str, port: int) -> socket.socket:
    """Open the port, 0 taking a free one; raises TryAgainError where it is taken."""
    listening = socket.socket(socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise TryAgainError(f"{host}:{port} cannot be opened: {error.strerror}. Choose another one with --host and --port.") from None
    return listening
