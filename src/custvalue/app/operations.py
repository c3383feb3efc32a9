"""A night, or many, from the command line: made, delivered to the database, measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue import pipeline, publish
from custvalue.app.keys import night_keys, token_key
from custvalue.app.options import open_store
from custvalue.app.rating_log import log_night
from custvalue.app.tables import console, table
from custvalue.config import Config
from custvalue.errors import CustValueError, TryAgainError
from custvalue.pipeline.backfill import CaughtUp, backfill
from custvalue.publish.prometheus import Attempt, night_metrics, write_metrics

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter
    from custvalue.publish import Published
    from custvalue.publish.database import NightDatabase
    from custvalue.retention.orders.store import OrderStore


def run_nightly(config: Config, as_of: date, *, force: bool, reporter: StepReporter) -> Path:
    """Make, publish and deliver one night, and give its folder; see `pipeline.nightly`.

    Raises
    ------
    TryAgainError
        The night is published, but the database did not take it.
    """
    with measured(config, reporter):
        database = open_database(config)
        store = open_store(config, create=False)
        keys, orders = night_keys(config.output, os.environ), open_orders(config)
        published, night = pipeline.nightly(config, as_of, store=store, keys=keys, reporter=reporter, standing=orders.standing, force=force)
        if night is not None:
            log_night(config, night, as_of, environ=os.environ, reporter=reporter, store=store)
        open_night(config, published, night, orders, reporter=reporter)
        deliver(config, database, as_of, reporter=reporter)
        if night is not None or not report_page(config, as_of).exists():
            _report(config, as_of, night, reporter=reporter)
    return published.folder


def run_backfill(config: Config, first: date, last: date, *, reporter: StepReporter) -> int:
    """Make and deliver the nights of a span that are missing, show what became of each, and give the highest exit code."""
    done = []
    with measured(config, reporter) as attempt:
        database = open_database(config)
        store = open_store(config, create=False)
        keys, orders = night_keys(config.output, os.environ), open_orders(config)
        for each in backfill(config, first, last, store=store, keys=keys, reporter=reporter, standing=orders.standing):
            if each.night is not None and each.published is not None:
                log_night(config, each.night, each.as_of, environ=os.environ, reporter=reporter, store=store)
                try:
                    open_night(config, each.published, each.night, orders, reporter=reporter)
                    deliver(config, database, each.as_of, reporter=reporter)
                except TryAgainError as error:  # the night stands, and the next ones can
                    each = replace(each, error=error)
            if each.error is not None:
                reporter.refused(each.error.exit_code, f"{each.as_of}: {each.error}", each.error.facts)
            done.append(each)
        _show(done, last)
        attempt["exit_code"] = max((each.error.exit_code for each in done if each.error), default=0)
    return int(attempt["exit_code"])


def run_forget(config: Config, customer: str, *, reporter: StepReporter) -> None:
    """Remove a customer from every output, and show what was removed; see `pipeline.forgetting.forget_customer`."""
    from custvalue.pipeline.feedback import forget_orders
    from custvalue.pipeline.forgetting import Forgets, forget_customer

    key = token_key(config.output, os.environ)
    database, orders = open_database(config), open_orders(config)
    stores: list[Forgets] = [database.forget] if database else []
    stores += [partial(forget_orders, config, store=orders)] if orders.exists else []
    done = forget_customer(config, customer, token_key=key, stores=stores, reporter=reporter, now=datetime.now(UTC))
    out = console()
    if done.before:
        out.print("forgotten before; nothing of this customer was left in any output")
    else:
        rows: list[tuple[str, object]] = [(f"rows of {name}, published", count) for name, count in done.nights.rows.items()]
        rows += [("nights with a new generation", done.nights.nights), ("older generations removed", done.nights.removed)]
        rows += [("workbooks drawn anew", done.nights.files), ("ratings rewritten", done.ratings), ("unpublished files", done.files)]
        rows += [("unfinished work removed", "yes" if done.work else "none")]
        rows += [(f"rows of {name}, database", count) for name, count in done.database.items()]
        out.print(table(("removed", "count"), rows))
    out.print(
        "The source tables are yours: remove the customer there, or the next night scores him again. Files that you wrote with --out, "
        "sent or copied elsewhere, and backups, are not touched. MLflow holds no identifiers."
    )


def open_orders(config: Config) -> OrderStore:
    """Give the config's store of work orders, not connected yet; a fault of the config is told before the work begins."""
    from custvalue.retention.orders.store import OrderStore

    return OrderStore.of(config)


def open_night(
    config: Config,
    published: Published,
    night: pipeline.Night | None,
    orders: OrderStore,
    *,
    reporter: StepReporter,
    now: datetime | None = None,
) -> None:
    """Make a published night's lists the current work orders; the same night again, and one before the current, change nothing.

    Closed orders that are old enough are verified by what the night's tables know. `now` is the clock's unless given.

    Raises
    ------
    TryAgainError
        The store is away or busy; the night stands, and the same command goes on.
    """
    from custvalue.pipeline.orders import take_orders, verify_orders

    reporter.start("orders")
    now = now or datetime.now(UTC)
    taken = take_orders(published, store=orders, now=now)
    verified = verify_orders(config, night.tables, published.as_of, store=orders, now=now) if night else 0
    late = orders.escalate(now)
    counts = {name: getattr(taken, name) for name in ("new", "stays", "moved", "left")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items()) if taken.taken else "taken before"
    reporter.done("orders", f"{told}; {verified} verified, {late} escalated", **counts, verified=verified, escalated=late)


def open_database(config: Config) -> NightDatabase | None:
    """Give the config's database, not connected yet; None where it names none. A fault of the config is told before the work begins."""
    if config.publish.database is None:
        return None
    from custvalue.publish.database import NightDatabase

    return NightDatabase(config.publish.database)


def deliver(config: Config, database: NightDatabase | None, as_of: date, *, reporter: StepReporter) -> None:
    """Load a published night into the database, and those that it missed; see `NightDatabase.load`."""
    if database is None:
        return
    reporter.start("database")
    loaded = database.load(config.output, as_of)
    what = f"{len(loaded)} night(s) loaded" if loaded else "held the night already"
    reporter.done("database", f"{database.place}: {what}", nights=[night.as_of.isoformat() for night in loaded])


def report_page(config: Config, as_of: date) -> Path:
    """Where a night's monitoring report is written."""
    return config.output / "monitoring" / f"as_of={as_of}" / "report.html"


def _report(config: Config, as_of: date, night: pipeline.Night | None, *, reporter: StepReporter) -> None:
    """Write the report that `custvalue monitor` would write; the night stands whatever becomes of it."""
    from custvalue.app.monitor import Wanted, run_monitor

    try:
        tables = night.tables if night else None
        run_monitor(config, Wanted(as_of, None, config.language, show=False), environ=os.environ, reporter=reporter, tables=tables)
    except (CustValueError, OSError) as error:
        reporter.alert(f"the night is published, but its report could not be written: {error}")


@contextmanager
def measured(config: Config, reporter: StepReporter) -> Iterator[dict[str, Any]]:
    """Write the metrics when the work ends, also where it is refused; a fault of theirs never hides the work's own.

    Yields
    ------
    dict
        Takes ``exit_code``, where the work ends without an error and with another code than 0.
    """
    attempt: dict[str, Any] = {"exit_code": 0}
    try:
        yield attempt
    except CustValueError as error:
        attempt["exit_code"] = error.exit_code
        _write_metrics(config, reporter, attempt)
        raise
    _write_metrics(config, reporter, attempt)


def _write_metrics(config: Config, reporter: StepReporter, attempt: dict[str, Any]) -> None:
    path = config.publish.metrics or config.output / "metrics.prom"
    try:
        found = publish.nights(config.output)
        good = [night.as_of for night in found if night.status == "published"]
        newest = publish.published(config.output, good[-1]) if good else None
        metrics = night_metrics(found, newest, _attempt(reporter.steps, attempt["exit_code"]), written_at=datetime.now(UTC))
        write_metrics(path, metrics)
    except (CustValueError, OSError) as error:
        reporter.note(f"{path}: the metrics could not be written: {error}")


def _attempt(steps: Iterable[dict[str, Any]], exit_code: int) -> Attempt:
    """Sum up what the steps were told to have done; of a backfill's many nights the newest one counts, but every second."""
    seconds: dict[str, float] = {}
    facts: dict[str, Any] = {}
    for step in steps:
        seconds[step["step"]] = seconds.get(step["step"], 0.0) + step["seconds"]
        facts |= {name: step[name] for name in ("rows", "age_days") if step["step"] == "check" and name in step}
        facts |= {"drift_alerts": step["alerts"]} if step["step"] == "monitor" else {}
    return Attempt(exit_code, seconds, **facts)


def _show(done: Iterable[CaughtUp], last: date) -> None:
    done = list(done)
    out = console()
    headers = ("night", "became", "run", "exit", "why")
    out.print(table(headers, [_row(each) for each in done], left=len(headers)))
    made = sum(each.night is not None for each in done)
    refused = sum(each.published is None for each in done)
    left = (last - done[-1].as_of).days
    untried = f", {left} not tried" if left else ""
    out.print(f"{made} made, {len(done) - made - refused} published before, {refused} not made{untried}")


def _row(each: CaughtUp) -> tuple[object, ...]:
    became = "published" if each.night is not None else "published before" if each.published else "not made"
    run = each.published.run_id if each.published else ""
    return each.as_of, became, run, each.error.exit_code if each.error else "", each.error or ""
