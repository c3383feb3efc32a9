"""The command line. Every command is a thin skin: it reads arguments, calls the pipeline, shows what came of it."""

from __future__ import annotations

import gc
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.cli_operations import OPERATIONS
from custvalue.app.cli_orders import database
from custvalue.app.cli_page import serve, users
from custvalue.app.options import (
    AllowStale,
    AsOf,
    ConfigPath,
    Language,
    MaybeAsOf,
    MaybeOut,
    Out,
    OutcomeName,
    begin_attempt,
    hush_mlflow,
    make_reporter,
    open_store,
    read_config,
)
from custvalue.errors import CustValueError, TryAgainError

app = typer.Typer(
    help="From monthly ARPU, usage and complaints to tonight's retention list.\n\n"
    "Start with `custvalue demo`, or `custvalue init DIR` for a workspace of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done · 1 a bug of ours · 2 usage or config · 3 data contract or late feed · 4 model missing or refused · "
    "5 publish conflict or lock held · 75 try again later",
)


_INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended."""


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Make a starter workspace: ready configs and the folders they name."""
    from custvalue.app.workspace import create_workspace

    made = create_workspace(folder)
    typer.echo(
        f"made {', '.join(path.name for path in made)} in {folder}; next: put your tables into {folder / 'data'}, edit configs/demo.yaml"
    )


@app.command()
def demo(
    customers: Annotated[int, typer.Option(help="Synthetic customers.", min=2000)] = 20_000,
    months: Annotated[int, typer.Option(help="Months that the models may see; three more are kept to check them.", min=18)] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 7,
    lang: Annotated[Language, typer.Option(help="Language of tables and lists.")] = Language.en,
    folder: Annotated[
        Path | None,
        typer.Option(help="Workspace, made if absent. By default this folder if it is one, else custvalue-demo.", show_default=False),
    ] = None,
) -> None:
    """Simulate an operator, train, score and list one night; ends with where to look."""
    from custvalue.app.demo import run_demo

    hush_mlflow()
    run_demo(folder, customers=customers, months=months, seed=seed, language=lang.value, environ=os.environ)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the tables.")],
    customers: Annotated[int, typer.Option(help="Customers at the start.", min=100)] = 20_000,
    months: Annotated[int, typer.Option(help="Months to simulate.", min=3)] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    scenario: Annotated[
        str,
        typer.Option(help="Which operator: postpaid, prepaid, enterprise, tariff-launch, feed-outage, tiny, or a YAML file like theirs."),
    ] = "postpaid",
) -> None:
    """Write the tables of a synthetic operator, with a hidden truth that no model may read."""
    from custvalue.simulate import simulate as run

    reporter = make_reporter()
    reporter.start("simulate")
    rows = run(out, customers=customers, months=months, seed=seed, scenario=scenario, progress=reporter.note)
    reporter.done("simulate", f"{len(rows)} tables, {sum(rows.values()):,} rows in {out}", rows=rows)


@app.command()
def check(
    config: ConfigPath,
    as_of: MaybeAsOf = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write the findings as a page to send on.")] = None,
    allow_stale: AllowStale = None,
) -> None:
    """Check the tables against the data contract and their own history and, with a date, how fresh they are."""
    from custvalue.app.checking import run_check

    run_check(read_config(config, allow_stale=allow_stale), as_of.date() if as_of else None, html=html, reporter=make_reporter())


@app.command()
def features(config: ConfigPath, as_of: AsOf, out: Out) -> None:
    """Write one row of features for each active customer."""
    from custvalue import pipeline
    from custvalue.app.files import write_parquet

    built = pipeline.build_features_at(read_config(config), as_of.date(), reporter=make_reporter())
    write_parquet(out, built.frame)
    typer.echo(f"{len(built.frame):,} rows, {len(built.columns)} features: {out}")


@app.command()
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


@app.command("what-if")
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


@app.command()
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


@app.command()
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


@app.command()
def score(config: ConfigPath, as_of: AsOf, allow_stale: AllowStale = None) -> None:
    """Score every active customer with the champion, without publishing."""
    from custvalue.app.nights import score_only

    loaded = read_config(config, allow_stale=allow_stale)
    path = score_only(loaded, as_of.date(), store=open_store(loaded, create=False), reporter=make_reporter())
    typer.echo(str(path))


@app.command()
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


for _command in (*OPERATIONS, serve):
    app.command()(_command)
app.add_typer(users, name="users")
app.add_typer(database, name="db")


@app.command()
def reasons(
    config: ConfigPath,
    as_of: AsOf,
    out: Annotated[Path | None, typer.Option("--out", help="PNG file to draw it in.", show_default=False)] = None,
) -> None:
    """Show what explains the risk of a published night, by tier too, and what rose since the month before."""
    from custvalue.app.reasons import show_reasons

    show_reasons(read_config(config), as_of.date(), out=out)


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and give its exit code; an error becomes one message and its code."""
    begin_attempt()
    try:
        app(args=arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except CustValueError as error:
        make_reporter().refused(error.exit_code, str(error), error.facts)
        return error.exit_code
    except OSError as error:
        make_reporter().refused(
            TryAgainError.exit_code, f"{error.filename or 'the system'}: {error.strerror or error}. Mend it and run the command again."
        )
        return TryAgainError.exit_code
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # DuckDB's answer to Ctrl-C
            raise
        return _INTERRUPTED
    finally:
        make_reporter().stop()
    return 0


def main() -> None:
    """Entry point of the ``custvalue`` command."""
    # Expressions of hundreds of columns are millions of small objects: Python's collector would walk them all, again and again.
    gc.set_threshold(200_000, 50, 100)
    sys.exit(run())
