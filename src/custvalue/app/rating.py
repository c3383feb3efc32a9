"""``custvalue tiers``: rate a day or many, show the base by tier and who moved, write what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
import pyarrow.compute as pc
from rich.table import Table

from custvalue import pipeline, publish
from custvalue.app.files import check_writable, write_table
from custvalue.app.rating_log import StandingRating, log_ratings, report_texts
from custvalue.app.tables import console, show_tiers, table
from custvalue.config import Config, load_retention_policy
from custvalue.errors import ConfigError, DataError, mask
from custvalue.features import build_features
from custvalue.pipeline.ratings import Rated, rating_store, starting_point
from custvalue.sources import SourceTables
from custvalue.tiers import tier_history, tier_table
from custvalue.tiers.measures.movements import movement_table
from custvalue.tiers.schedule import next_rating_day
from custvalue.wording import Catalogue, load_catalogue

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter

_FILE_COLUMNS = ["customer_id", "tier", "score", "valid_from", "reason_code", "policy_version"]
_TOLD = ("up", "down", "held", "new")
"""Moves whose reasons are shown."""
_BY_THE_CUT = ("stays", "renewed")
"""Reasons of those who keep a tier by its lower cut for keeping: nothing else holds it."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes
    ----------
    as_of, since : date
        The day to rate; with `since`, every day from there on that is due.
    replay : bool
        Rate again what is rated.
    out, history, report : Path, optional
        Files of the rating and of the tier history, folder of the report.
    customer : str, optional
        Whose tier to explain.
    log : bool
        Keep a record of what was rated in MLflow.
    """

    as_of: date
    since: date | None = None
    replay: bool = False
    out: Path | None = None
    history: Path | None = None
    report: Path | None = None
    customer: str | None = None
    log: bool = True


def run_tiers(config: Config, wanted: Wanted, *, language: str, environ: Mapping[str, str], reporter: StepReporter) -> list[Rated]:
    """Rate, store and show, then log what MLflow has no record of; the same again changes nothing and says so.

    Returns
    -------
    list of Rated
        The newest rating with its rows, and before it those made now, without theirs.

    Raises
    ------
    ConfigError
        An option is wrong, or the policy asks for what the tables do not give.
    DataError
        The contract is broken, a feed is late, or a stored rating is damaged.
    PublishError
        A day is rated with another result, or another run holds the output folder.
    """
    if wanted.since is not None and wanted.since > wanted.as_of:
        raise ConfigError(f"--from {wanted.since} is later than --as-of {wanted.as_of}. Exchange them.")
    for path in (wanted.out, wanted.history):
        if path is not None:
            check_writable(path)
    if wanted.report is not None:
        from custvalue.app.tier_report import check_folder

        check_folder(wanted.report)
    tables, _ = pipeline.check(config, wanted.as_of, reporter=reporter)
    metric = load_retention_policy(config.retention_policy).value.metric
    catalogue = load_catalogue(config.wording)
    texts: dict[str, str] = {}
    with publish.lock(config.output):
        rated = _rate(config, tables, wanted, metric, reporter)
        _show(config, tables, rated[-1], metric, catalogue, language)
        if wanted.customer is not None:
            print(explain_customer(config, tables, rated[-1], wanted.customer, catalogue, language))
        _write(config, tables, rated[-1], wanted)
        if wanted.report is not None:
            from custvalue.app.tier_report import write
            from custvalue.pipeline.tier_report import tier_report

            report = tier_report(config, rated[-1].manifest.day, tables=tables, rated=rated[-1], reporter=reporter)
            write(config, report, wanted.report, language)
            texts = report_texts(report)
    if wanted.log:
        standing = [StandingRating(each.policy, each.manifest, each.by_tier) for each in rated]
        standing[-1] = replace(standing[-1], texts=texts)
        log_ratings(config, standing, environ=environ, reporter=reporter)
    return rated


def explain_customer(config: Config, tables: SourceTables, rated: Rated, customer: str, catalogue: Catalogue, language: str) -> str:
    """Say why a customer holds a tier, with the number of the open complaint: this is for the person who asked, not for a log.

    Raises
    ------
    DataError
        The rating does not hold the customer.
    """
    day, policy = rated.manifest.day, rated.policy
    if not pc.any(pc.equal(rated.table["customer_id"], customer)).as_py():
        raise DataError(f"customer {mask(customer)} is not in the rating of {day}: not active then, or another id. Look at --out FILE.")
    known, moment = tables.known(day), tables.moment(day)
    columns = build_features(known, moment, config.features, delay_days=tables.delay_days).columns
    complaint = None
    if "complaints" in known:
        own = known["complaints"].filter(known["complaints"].customer_id == customer)
        still = own.filter(own.closed_at.isnull()) if "closed_at" in own.columns else own
        newest = still.order_by(ibis.desc("opened_at"), "complaint_id").limit(1).complaint_id.to_pyarrow().to_pylist()
        complaint = newest[0] if newest else None
    said: dict[str, Any] = {"language": language, "complaint": complaint, "as_of": day, "columns": columns, "currency": config.currency}
    return policy.explain(customer, _facts(rated), rated.table, catalogue=catalogue, **said)


def _rate(config: Config, tables: SourceTables, wanted: Wanted, metric: str, reporter: StepReporter) -> list[Rated]:
    reporter.start("tiers")
    made: list[Rated] = []
    days = pipeline.rate_days(config, tables, wanted.as_of, since=wanted.since, again=wanted.replay, also=(metric,), log=reporter.note)
    for rated in days:
        # of a long replay only the newest rows stay in memory
        made = [*(replace(each, table=each.table.schema.empty_table(), facts=None) for each in made), _counted(rated, metric)]
    last = made[-1]
    if last.facts is None:
        facts = pipeline.tier_facts(config, tables, last.manifest.day, [last.policy], also=(metric,))
        made[-1] = last = _counted(replace(last, facts=facts), metric)
    new = [rated for rated in made if not rated.kept]
    told = f"{len(new)} day(s) rated" if new else f"{last.manifest.day} was rated before with the same result: nothing changed"
    reporter.done(
        "tiers", f"{told}; policy {last.policy.label}", rated=[str(each.manifest.day) for each in new], digest=last.manifest.digest
    )
    return made


def _counted(rated: Rated, metric: str) -> Rated:
    if rated.facts is None:
        return rated
    return replace(rated, by_tier=tier_table(ibis.memtable(rated.table), rated.facts, order=rated.policy.tiers, metric=metric))


def _show(config: Config, tables: SourceTables, rated: Rated, metric: str, catalogue: Catalogue, language: str) -> None:
    day, policy, out = rated.manifest.day, rated.policy, console()
    now = ibis.memtable(rated.table)
    show_tiers(config, tier_table(now, _facts(rated), order=policy.tiers, metric=metric), catalogue, language)
    start = starting_point(config, tables, policy, day, log=lambda _: None)
    moves = movement_table(start.tiers, now, policy.tiers)
    origin = str(start.manifest.day) if start.manifest else start.origin
    out.print(catalogue.label(f"rating.since_{start.origin}", language, day=origin), markup=False)
    out.print(_movement_rows(moves, catalogue, language))
    following = next_rating_day(policy.config.rating, day)
    out.print(catalogue.label("rating.next", language, day=str(following)), markup=False)


def _facts(rated: Rated) -> ibis.Table:
    if rated.facts is None:
        raise RuntimeError(f"the facts of {rated.manifest.day} were dropped")
    return rated.facts


def _movement_rows(moves: pd.DataFrame, catalogue: Catalogue, language: str) -> Table:
    """One row a kind of move, and below it what held or moved its customers."""
    rows: list[tuple[str, str]] = []
    for move, found in moves.groupby("move", sort=False):
        rows.append((catalogue.label(f"rating.{move}", language), f"{found.customers.sum():,}"))
        reasons = found[found.reason.notna()]
        if move in _TOLD:
            names = reasons.reason.map(lambda code, move=str(move): _reason(str(code), move, catalogue, language))
            rows += [(f"  {name}", f"{count:,}") for name, count in reasons.customers.groupby(names, sort=False).sum().items()]
    return table(tuple(catalogue.label(f"rating.{name}", language) for name in ("what", "customers")), rows)


def _reason(code: str, move: str, catalogue: Catalogue, language: str) -> str:
    if move == "held" and code in _BY_THE_CUT:
        return catalogue.label("rating.kept_by_cut", language)
    if code.startswith("adjusted_"):
        return catalogue.label("tier_reasons.adjusted", language, name=code.removeprefix("adjusted_"))
    return catalogue.label(f"tier_reasons.{code}", language, default=code)


def _write(config: Config, tables: SourceTables, rated: Rated, wanted: Wanted) -> None:
    if wanted.out is not None:
        write_table(wanted.out, rated.table.select(_FILE_COLUMNS))
        print(f"{rated.table.num_rows:,} rows: {wanted.out}")
    if wanted.history is not None:
        store = rating_store(config, rated.policy)
        ratings = {day: tables.con.read_parquet(store.path(day)) for day in store.days()}
        rows = tier_history(ratings).order_by("customer_id", "valid_from").to_pyarrow()
        write_table(wanted.history, rows)
        print(f"{rows.num_rows:,} rows: {wanted.history}")
