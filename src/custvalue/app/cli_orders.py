"""Commands around work orders: feedback from managers, the state of the orders, and their database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import ConfigPath, make_reporter, read_config

database = typer.Typer(help="The database of work orders and of the page's accounts.", no_args_is_help=True)


def feedback(
    config: ConfigPath,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Managers' workbooks, .xlsx or .xlsm.", show_default=False)],
) -> None:
    """Record what managers wrote into their workbooks, once however often a file is read.

    Every row is checked. A bad one is told with its sheet and cell and kept in feedback/<file>.rejected.xlsx of the output folder, to be
    corrected and read again; the good ones are recorded all the same, and the exit code is 3.
    """
    from custvalue.app.orders import run_feedback

    run_feedback(read_config(config), files, now=datetime.now(UTC), reporter=make_reporter())


def orders(config: ConfigPath) -> None:
    """Show the work orders by manager, what is overdue, and what changed since the night before."""
    from custvalue.app.orders import show_orders

    show_orders(read_config(config), now=datetime.now(UTC))


@database.command("upgrade")
def upgrade(config: ConfigPath) -> None:
    """Bring the database to this release's version; what is there is kept."""
    from custvalue.app.orders import run_upgrade

    run_upgrade(read_config(config))
