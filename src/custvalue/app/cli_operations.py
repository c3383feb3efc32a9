"""Commands of those who run custvalue every night: publish, look at what is published, catch up, forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from custvalue.app.cli_orders import feedback, orders
from custvalue.app.effect_command import effect
from custvalue.app.monitor_command import monitor
from custvalue.app.options import AllowStale, AsOf, ConfigPath, make_reporter, read_config


def nightly(
    config: ConfigPath,
    as_of: AsOf,
    force: Annotated[bool, typer.Option("--force", help="Add a generation although another run is published for the night.")] = False,
    allow_stale: AllowStale = None,
) -> None:
    """Check, score, list and publish one night: whole, or not at all. The same input again changes nothing.

    A rating that the night made is logged in MLflow afterwards; if that fails it is told, and the night stands.
    """
    from custvalue.app.operations import run_nightly

    folder = run_nightly(read_config(config, allow_stale=allow_stale), as_of.date(), force=force, reporter=make_reporter())
    typer.echo(str(folder))


def backfill(
    config: ConfigPath,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="The first night.", show_default=False)],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="The last night.", show_default=False)],
    allow_stale: AllowStale = None,
) -> None:
    """Make the nights of a span that are not published, each with what was champion when its date ended.

    After a refused night the next one is tried; the end lists what was not made and why, and the exit code is the highest of all.
    """
    from custvalue.app.operations import run_backfill

    code = run_backfill(read_config(config, allow_stale=allow_stale), first.date(), last.date(), reporter=make_reporter())
    if code:
        raise typer.Exit(code)


def nights(config: ConfigPath) -> None:
    """List what is published, what is not and why, and which night is the last good one."""
    from custvalue.app.nights_shown import show_nights

    show_nights(read_config(config), config)


def forget(
    config: ConfigPath,
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="The warehouse's customer id, the CRM id, or the token that lists show.")
    ],
) -> None:
    """Remove a customer from every output, and say what was removed. The source tables are the operator's own to clear.

    Nights that hold the customer get a new generation, and the older ones go; ratings and database rows are rewritten. The record in
    forgotten.jsonl keeps a keyed hash and counts. Killed, the same command goes on.
    """
    from custvalue.app.operations import run_forget

    run_forget(read_config(config), customer, reporter=make_reporter())


def approve(
    config: ConfigPath,
    dry_run: Annotated[str, typer.Option("--dry-run", metavar="ID", help="The dry run that was looked at.", show_default=False)],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves.", show_default=False)],
    note: Annotated[str, typer.Option("--note", help="Kept with the approval.")] = "",
) -> None:
    """Let the campaigns of a dry run go live: who, when and on which dry run is kept.

    A retention policy that is changed later needs a new dry run and a new approval. Without one a night has scores, service contacts and
    tiers, but calls nobody.
    """
    from custvalue.app.approving import approve_kept

    typer.echo(approve_kept(read_config(config), dry_run, by=by, at=datetime.now(UTC), note=note))


OPERATIONS: tuple[Callable[..., None], ...] = (nightly, approve, backfill, nights, monitor, effect, orders, feedback, forget)
"""In the order in which help lists them."""
