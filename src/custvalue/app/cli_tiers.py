"""Commands of value tiers: rate customers, and try another policy."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import AsOf, ConfigPath, Language, MaybeOut, hush_mlflow, make_reporter, read_config


def tiers(
    config: ConfigPath,
    as_of: AsOf,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="Rate every day from here to --as-of on which the policy rates."),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Also rate again the day and every later one that was rated, each from the one before.")
    ] = False,
    out: MaybeOut = None,
    history: Annotated[
        Path | None,
        typer.Option("--history", metavar="FILE", help="Parquet file for the tier history: one row a change, valid_from to valid_to."),
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Explain this customer's tier: score, what is missing, what protects.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FOLDER", help="Also write the tier report there: by tier, segment and region.")
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of what is printed; by default the config's.", show_default=False)] = None,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Keep new ratings and their policy in MLflow, and mark the policy @current there.")
    ] = True,
) -> None:
    """Rate every active customer, keep the rating, and show the base by tier and who moved since the rating before.

    A rating starts from the newest one before it (the first from the table tier_history, if there is one), and is kept whole under the
    output folder. The same day again changes nothing. A night carries its period's rating, so tiers move only on rating days.

    A result other than the kept one, or a day before one that is kept, is refused: --replay puts the new results in their place.

    What MLflow has no record of yet is logged at the end, which takes some seconds; a store that is away is told, and the rating stands.
    """
    from custvalue.app.rating import Wanted, run_tiers

    hush_mlflow()
    loaded = read_config(config)
    days = (as_of.date(), since.date() if since else None)
    wanted = Wanted(*days, replay, out=out, history=history, report=report, customer=customer, log=log)
    run_tiers(loaded, wanted, language=lang.value if lang else loaded.language, environ=os.environ, reporter=make_reporter())


def what_if(
    config: ConfigPath,
    against: Annotated[
        str,
        typer.Option("--against", metavar="POLICY", help="The proposed policy: a YAML file or a ready policy's name.", show_default=False),
    ],
    as_of: AsOf,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="POLICY", help="The policy in force; by default the config's.", show_default=False)
    ] = None,
    months: Annotated[
        int, typer.Option("--months", help="Months over which both are played back to measure stability.", min=1, max=60)
    ] = 12,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write the comparison as a page with plots.")] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="Also write its tables as an Excel workbook.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of what is shown; by default the config's.", show_default=False)] = None,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Keep the comparison in MLflow, and mark the proposed policy @proposed there.")
    ] = True,
) -> None:
    """Show what another tier policy would do: who rises and falls and why, revenue at stake, service owed, stability.

    Both policies are rated month by month up to the day, each from its own tiers; then the proposed one takes over the tiers that are in
    force on the day, with its transition rule, protection and steps. No rating is stored and no tier changes.
    """
    from custvalue.app.what_if import find_policy, run_what_if

    hush_mlflow()
    loaded = read_config(config)
    run_what_if(
        loaded,
        (find_policy(policy, config) if policy else loaded.tier_policy, find_policy(against, config)),
        as_of.date(),
        months=months,
        language=lang.value if lang else loaded.language,
        html=html,
        xlsx=xlsx,
        log=log,
        environ=os.environ,
        reporter=make_reporter(),
    )


TIERS: tuple[Callable[..., None], ...] = (tiers, what_if)
"""In the order in which help lists them."""
