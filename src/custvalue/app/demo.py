"""The demonstration: an operator simulated, a model trained, one night published and checked against what happened next."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from custvalue import pipeline
from custvalue.app.approving import approve
from custvalue.app.console import Quiet, StepReporter
from custvalue.app.keys import night_keys
from custvalue.app.operations import open_night, open_orders
from custvalue.app.promotion import promote
from custvalue.app.rating_log import log_night
from custvalue.app.tables import console, quality_table, table
from custvalue.app.workspace import create_workspace
from custvalue.config import Config, load_config
from custvalue.sources import add_months
from custvalue.wording import Catalogue, load_catalogue

if TYPE_CHECKING:
    from custvalue.pipeline import Night
    from custvalue.tracking import Store

START = date(2024, 1, 1)
_CONFIG = Path("configs") / "demo.yaml"
_ROWS_SHOWN = 5


def run_demo(folder: Path | None, *, customers: int, months: int, seed: int, language: str, environ: Mapping[str, str]) -> None:
    """Run the whole way once on simulated tables; a second run uses what is there.

    Parameters
    ----------
    folder : Path, optional
        Workspace; its ``configs/demo.yaml`` is used, and a starter workspace is made where there is none. Without it the current
        folder if that is a workspace, else ``custvalue-demo``.
    customers, months, seed : int
        Of the simulation. The night looks from the end of month `months`; later months only judge it.
    language : str
        ``en`` or ``zh``.
    environ : mapping
        The process's environment.
    """
    from custvalue.tracking import PromotionRefusedError, Store

    folder = folder or (Path() if _CONFIG.exists() else Path("custvalue-demo"))
    if not (folder / _CONFIG).exists():
        create_workspace(folder)
    config = load_config(folder / _CONFIG, environ=environ).model_copy(update={"language": language})
    window = config.churn.gap_months + config.churn.horizon_months
    as_of = add_months(START, months)
    title = f"custvalue demo · {customers:,} synthetic customers, {months} months (and {window} to check), seed {seed}"
    print(title, file=sys.stderr)
    reporter = StepReporter(human=True)
    _simulate(config, customers=customers, months=months + window, seed=seed, reporter=reporter)
    store = Store.open(config.workspace / "models", tracking_uri=environ.get("MLFLOW_TRACKING_URI"), name=config.name, create=True)
    trained = pipeline.train(config, as_of, store=store, reporter=reporter)
    reporter.start("promote")
    try:
        reporter.done("promote", str(promote(config, store, version=None, environ=environ)).splitlines()[0])
    except PromotionRefusedError as refused:
        reporter.done("promote", f"{str(refused.verdict).splitlines()[0]}: the champion stays")
    keys, orders = night_keys(config.output, environ), open_orders(config)
    if any(pipeline.campaigns_on(config, as_of).values()):
        _approve(config, as_of, store, keys, reporter)
    published, night = pipeline.nightly(config, as_of, store=store, keys=keys, reporter=reporter, standing=orders.standing, force=True)
    open_night(config, published, night, orders, reporter=reporter, now=datetime.combine(as_of, time(8), UTC))
    if night is None:
        tables, _ = pipeline.check(config, as_of, reporter=reporter)
        night = pipeline.Night(published.folder, tables, pipeline.carried_rating(config, tables, as_of, log=reporter.note))
    log_night(config, night, as_of, environ=environ, reporter=reporter, store=store)
    catalogue = load_catalogue(config.wording)
    out = console()
    out.print(_tier_table(config, night, as_of, add_months(as_of, window), catalogue))
    out.print(quality_table(trained.model.evaluation, catalogue, language))
    _show_list(config, night, catalogue)
    _show_paths(config, published.folder, trained, environ, catalogue)


def _simulate(config: Config, *, customers: int, months: int, seed: int, reporter: StepReporter) -> None:
    from custvalue.simulate import simulate

    reporter.start("simulate")
    rows = simulate(config.sources.folder, customers=customers, months=months, seed=seed, start=START, progress=reporter.note)
    total = sum(rows.values())
    reporter.done("simulate", f"{len(rows)} tables, {total / 1e6:.1f} M rows in {_short(config.sources.folder)}")


def _approve(config: Config, as_of: date, store: Store, keys: pipeline.Keys, reporter: StepReporter) -> None:
    """Make a dry run and approve it, as somebody would who has read it."""
    reporter.start("approve")
    tables, _ = pipeline.check(config, as_of, reporter=Quiet())
    outcomes = pipeline.load_outcomes(config, store, log=reporter.note)
    with pipeline.unpublished_night(
        config, as_of, model=store.load("champion"), keys=keys, tables=tables, reporter=Quiet(), outcomes=outcomes
    ) as night:
        if night.dry_run is not None:
            reporter.done("approve", approve(config, night.dry_run, by="custvalue demo", at=datetime.now(UTC)))


def _tier_table(config: Config, night: Night, as_of: date, known_at: date, catalogue: Catalogue) -> object:
    scores = night.scores("customer_id", "tier", "arpu", "probability")
    by_tier = pipeline.tiers_by_size(scores, night.rated.policy.tiers)
    happened = pipeline.snapshot_outcomes(config, night.tables, as_of, known_at)
    judged = scores.merge(happened, on="customer_id")
    rates = judged.groupby("tier")[["probability", "outcome"]].mean().to_dict("index")
    rows = []
    for row in by_tier.to_dict("records"):
        rate = rates.get(row["tier"], {"probability": float("nan"), "outcome": float("nan")})
        rows.append(
            (
                catalogue.label(f"tiers.{row['tier']}", config.language, default=row["tier"]),
                f"{row['customers']:,}",
                f"{row['revenue_share']:.1%}",
                catalogue.money(row["arpu"], language=config.language, currency=config.currency),
                f"{rate['probability']:.1%} / {rate['outcome']:.1%}",
            )
        )
    window = config.churn.gap_months + config.churn.horizon_months
    headers = [catalogue.label(f"terminal.{name}", config.language) for name in ("tier", "customers", "revenue_share", "arpu")]
    return table((*headers, catalogue.label("terminal.left", config.language, months=str(window))), rows)


def _show_list(config: Config, night: Night, catalogue: Catalogue) -> None:
    language = config.language
    if night.rows.empty:
        console().print(catalogue.label("texts.empty", language), markup=False)
        return
    manager = night.rows.groupby("manager_id").net_value.sum().idxmax()
    rows = night.rows[night.rows.manager_id == manager]
    shown = min(_ROWS_SHOWN, len(rows))
    out = console()
    out.print(catalogue.label("terminal.list_of", language, manager=str(manager), shown=str(shown), count=str(len(rows))), markup=False)

    def money(value: float) -> str:
        return catalogue.money(value, language=language, currency=config.currency)

    lines = [
        (
            row["priority"],
            row["customer"],
            catalogue.label(f"tiers.{row['tier']}", language, default=row["tier"]),
            " · ".join(row[f"reasons_{language}"]),
            money(row["value_at_stake"]),
            money(row["net_value"]),
        )
        for row in rows.head(shown).to_dict("records")
    ]
    names = ("customer", "tier", "reasons", "at_stake", "net_value")
    out.print(table(("", *(catalogue.label(f"terminal.{name}", language) for name in names)), lines, left=4))


def _show_paths(config: Config, night: Path, trained: pipeline.Trained, environ: Mapping[str, str], catalogue: Catalogue) -> None:
    out = console()
    workbooks = sorted((night / "lists").glob("*.xlsx"))
    store = environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_short(config.workspace / 'models' / 'mlflow.db')}"
    plots = ", ".join(path.stem for path in trained.plots)
    lines = {"workbook": f"{_short(workbooks[0])} (+{len(workbooks) - 1})"} if workbooks else {}
    lines |= {
        "scores": _short(night / "scores.parquet"),
        "plots": f"{_short(config.output / 'plots')}/ ({plots})",
        "store": f"mlflow ui --backend-store-uri {store}",
        "next": 'README, "Bring your own tables"',
    }
    for name, text in lines.items():
        out.print(f"{catalogue.label(f'terminal.{name}', config.language)}: {text}", markup=False)


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
