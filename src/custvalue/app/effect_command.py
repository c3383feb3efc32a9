"""The command ``custvalue effect``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import AsOf, ConfigPath, Language, hush_mlflow, make_reporter, read_config


def effect(
    config: ConfigPath,
    campaign: Annotated[str, typer.Option("--campaign", metavar="ID", help="The campaign's name in the policy.", show_default=False)],
    as_of: AsOf,
    months: Annotated[
        int | None,
        typer.Option(min=1, max=24, help="Months each customer is watched; gap and horizon of the model by default.", show_default=False),
    ] = None,
    managers_randomised: Annotated[bool, typer.Option("--by-manager", help="Managers, not households, were listed or held out.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Where the page is to be; by default beside effect.json.", show_default=False),
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of what is shown; by default the config's.", show_default=False)] = None,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Keep the figures in MLflow, a run a campaign and day.")] = True,
) -> None:
    """Tell what a campaign's calls earned against the customers who were held out, or that it cannot be told yet.

    Writes effect/CAMPAIGN/as_of=DATE/effect.json and report.html under the output folder.
    """
    from custvalue.app.effect import Wanted, run_effect

    hush_mlflow()
    loaded = read_config(config)
    wanted = Wanted(campaign, as_of.date(), months, managers_randomised, html, lang.value if lang else loaded.language, log)
    run_effect(loaded, wanted, environ=os.environ, reporter=make_reporter())
