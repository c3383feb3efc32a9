"""What every module of commands shares: options, and how a command gets its config, its reporter and its store."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter
    from custvalue.config import Config
    from custvalue.tracking import Store


class Language(StrEnum):
    """Languages that words are written in."""

    en = "en"
    zh = "zh"


ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The operator's YAML file.", show_default=False)]
AsOf = Annotated[
    datetime,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], metavar="DATE", help="Only what was known at 00:00 of this day is used.", show_default=False
    ),
]
MaybeAsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], metavar="DATE", help="Also check that the feeds reach this day.")
]
Out = Annotated[Path, typer.Option("--out", help="Parquet file to write.", show_default=False)]
MaybeOut = Annotated[Path | None, typer.Option("--out", help="Parquet file to write; only a table on the terminal without it.")]
OutcomeName = Annotated[
    str | None,
    typer.Option("--outcome", metavar="NAME", help="One of the config's `outcomes`; by default the main one.", show_default=False),
]
AllowStale = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-stale",
        metavar="TABLE",
        help="Go on although this table's feed is late; every row that comes of it says so. Give it once a table.",
        show_default=False,
    ),
]


def read_config(path: Path, *, allow_stale: Sequence[str] | None = None) -> Config:
    """Read the config, with the feeds that may be late this time.

    Raises
    ------
    ConfigError
        The file is wrong, or a table that may be late is none of the contract's.
    """
    from custvalue.config import load_config

    config = load_config(path, environ=os.environ)
    if allow_stale:
        from custvalue.app.checking import refuse_unknown_feeds

        refuse_unknown_feeds(allow_stale)
        config = config.with_stale_allowed(allow_stale, "--allow-stale for this run")
    return config


def make_reporter() -> StepReporter:
    """Give a reporter for whoever watches: a person on a terminal, else a log."""
    from custvalue.app.console import StepReporter

    return StepReporter(human=sys.stderr.isatty(), verbose=True)


def begin_attempt() -> None:
    """Give the records of this command an attempt id of their own."""
    from custvalue.app.console import StepReporter

    StepReporter.begin_attempt()


def hush_mlflow() -> None:
    """Keep MLflow from reporting home, and from complaining where git is absent; it reads these once, at import."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def open_store(config: Config, *, create: bool) -> Store:
    """Open the workspace's model store, or the one that ``MLFLOW_TRACKING_URI`` names."""
    from custvalue.tracking import Store

    hush_mlflow()
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    return Store.open(config.workspace / "models", tracking_uri=uri, name=config.name, create=create)
