"""Running the page: one process, its own port, a graceful end; and the demonstration's three users."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import typer

from custvalue.app.web import accounts
from custvalue.app.web.application import create_app
from custvalue.app.web.passwords import make_password
from custvalue.app.web.repository import busiest_manager
from custvalue.app.web.site import Database, Site, utc_now
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
    app = create_app(Site(config, environ))
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
        # the server ends gracefully and hands the signal on: told to stop, it has done its work
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        uvicorn.Server(settings).run(sockets=[listening])
    except KeyboardInterrupt:
        typer.echo("ended")


def find_demo(environ: Mapping[str, str]) -> Path:
    """Find the config of the workspace that `custvalue demo` made, here or in ``custvalue-demo``.

    Raises
    ------
    ConfigError
        There is none, or it has no published night.
    """
    for folder in _DEMO_FOLDERS:
        path = folder / _DEMO_CONFIG
        if path.is_file() and published_dates(load_config(path, environ=environ).output):
            return path
    raise ConfigError(
        "there is no demonstration here yet. Run `custvalue demo` first, in this folder, then `custvalue serve --demo` again."
    )


def make_demo_users(config: Config, path: Path) -> None:
    """Give the demonstration its three users, and print the passwords of those that are made now; they are kept nowhere.

    Parameters
    ----------
    config, path : Config, Path
        The demonstration's, and the file that it was read from.
    """
    with Database(config.orders, config.output).writing() as connection:
        manager, team = busiest_manager(connection) or ("none", "none")
        wanted: dict[str, dict[str, str]] = {"manager": {"manager_id": manager}, "lead": {"team": team}, "analyst": {}}
        known = {user.user_name for user in accounts.list_users(connection)}
        for role, scope in wanted.items():
            name, told = f"demo-{role}", "has the password that was printed when it was made"
            if name not in known:
                told = make_password()
                accounts.add_user(connection, name, role=role, password=told, actor=_DEMO_ACTOR, at=utc_now(), **scope)
            typer.echo(f"  {name:<13} {told}")
    if known & {f"demo-{role}" for role in wanted}:
        typer.echo(f"a new password: custvalue users password demo-manager -c {path} --generate")


def listen(host: str, port: int) -> socket.socket:
    """Open the port, 0 taking a free one; raises TryAgainError where it is taken."""
    listening = socket.socket(socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # so that whoever opens the address as soon as it is told waits, and is not refused
    except OSError as error:
        listening.close()
        raise TryAgainError(f"{host}:{port} cannot be opened: {error.strerror}. Choose another one with --host and --port.") from None
    return listening
