"""Commands of churn models: train, promote, score, write lists without publishing, and say what explains the risk."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import AllowStale, AsOf, ConfigPath, OutcomeName, make_reporter, open_store, read_config


def train(
    config: ConfigPath,
    as_of: AsOf,
    outcome: OutcomeName = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", help="Settings to search, in all: a search that was stopped goes on.", min=1, show_default=False),
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Search settings for so long.", min=1, show_default=False)] = None,
) -> None:
    """Train a churn model on every snapshot whose outcome is known, and register it as challenger.

    With --trials or --seconds it first searches booster settings, inside the training slice alone; by default the config says how long.
    """
    from custvalue import pipeline
    from custvalue.app.tables import show_training

    loaded = read_config(config).with_search(trials, seconds).for_outcome(outcome)
    trained = pipeline.train(loaded, as_of.date(), store=open_store(loaded, create=True), reporter=make_reporter())
    show_training(loaded, trained)
    typer.echo(f"next: custvalue promote -c {config}" + (f" --outcome {outcome}" if outcome else ""))


def promote(
    config: ConfigPath,
    version: Annotated[int | None, typer.Option("--version", help="The challenger by default.", show_default=False)] = None,
    outcome: OutcomeName = None,
    log: Annotated[bool, typer.Option("--log", help="Judge nothing; show every promotion there was, and why.")] = False,
    on: Annotated[
        datetime | None,
        typer.Option(
            "--on", formats=["%Y-%m-%d"], metavar="DATE", help="Judge nothing; tell what was champion when this day ended, and why."
        ),
    ] = None,
) -> None:
    """Make a version the champion if it passes the gates; the verdict is written to the promotion log."""
    from custvalue.app.promotion import run_promotion, show_promotions

    loaded = read_config(config).for_outcome(outcome)
    store = open_store(loaded, create=False)
    if log or on:
        show_promotions(loaded, store, day=on.date() if on else None)
    else:
        run_promotion(loaded, store, version=version, environ=os.environ)


def score(config: ConfigPath, as_of: AsOf, allow_stale: AllowStale = None) -> None:
    """Score every active customer with the champion, without publishing."""
    from custvalue.app.nights import score_only

    loaded = read_config(config, allow_stale=allow_stale)
    path = score_only(loaded, as_of.date(), store=open_store(loaded, create=False), reporter=make_reporter())
    typer.echo(str(path))


def lists(
    config: ConfigPath,
    as_of: AsOf,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show reach, cost and value; write nothing.")] = False,
    allow_stale: AllowStale = None,
) -> None:
    """Write one workbook a manager, without publishing; with --dry-run only what it would cost and bring."""
    from custvalue.app.nights import lists_only

    loaded = read_config(config, allow_stale=allow_stale)
    lists_only(loaded, as_of.date(), store=open_store(loaded, create=False), reporter=make_reporter(), environ=os.environ, dry_run=dry_run)


def reasons(
    config: ConfigPath,
    as_of: AsOf,
    out: Annotated[Path | None, typer.Option("--out", help="PNG file to draw it in.", show_default=False)] = None,
) -> None:
    """Show what explains the risk of a published night, by tier too, and what rose since the month before."""
    from custvalue.app.reasons import show_reasons

    show_reasons(read_config(config), as_of.date(), out=out)


MODELS: tuple[Callable[..., None], ...] = (train, promote, score, lists, reasons)
"""In the order in which help lists them."""
