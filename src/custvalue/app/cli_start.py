"""Commands to begin with: a workspace, a demonstration, a synthetic operator, tables checked, features written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from custvalue.app.options import AllowStale, AsOf, ConfigPath, Language, MaybeAsOf, Out, hush_mlflow, make_reporter, read_config


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Make a starter workspace: ready configs and the folders they name."""
    from custvalue.app.workspace import create_workspace

    made = create_workspace(folder)
    typer.echo(
        f"made {', '.join(path.name for path in made)} in {folder}; next: put your tables into {folder / 'data'}, edit configs/demo.yaml"
    )


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


def check(
    config: ConfigPath,
    as_of: MaybeAsOf = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write the findings as a page to send on.")] = None,
    allow_stale: AllowStale = None,
) -> None:
    """Check the tables against the data contract and their own history and, with a date, how fresh they are."""
    from custvalue.app.checking import run_check

    run_check(read_config(config, allow_stale=allow_stale), as_of.date() if as_of else None, html=html, reporter=make_reporter())


def features(config: ConfigPath, as_of: AsOf, out: Out) -> None:
    """Write one row of features for each active customer."""
    from custvalue import pipeline
    from custvalue.app.files import write_parquet

    built = pipeline.build_features_at(read_config(config), as_of.date(), reporter=make_reporter())
    write_parquet(out, built.frame)
    typer.echo(f"{len(built.frame):,} rows, {len(built.columns)} features: {out}")


START: tuple[Callable[..., None], ...] = (init, demo, simulate, check, features)
"""In the order in which help lists them."""
