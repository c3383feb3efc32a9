"""The command ``custvalue monitor``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import AsOf, ConfigPath, Language, hush_mlflow, make_reporter, read_config


def monitor(
    config: ConfigPath,
    as_of: AsOf,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Where the page is to be; by default beside monitoring.json.", show_default=False),
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of what is shown; by default the config's.", show_default=False)] = None,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Keep the figures in MLflow, a run a night.")] = True,
) -> None:
    """Look at the newest published night: drift, what came true of older ones, list stability, mix of reasons, tier moves.

    Writes monitoring/as_of=DATE/monitoring.json and report.html under the output folder. What is beyond a limit is a loud line; the exit
    code stays 0.
    """
    from custvalue.app.monitor import Wanted, run_monitor

    hush_mlflow()
    loaded = read_config(config)
    wanted = Wanted(as_of.date(), html, lang.value if lang else loaded.language, log)
    run_monitor(loaded, wanted, environ=os.environ, reporter=make_reporter())
