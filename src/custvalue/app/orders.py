"""Work orders on the terminal: managers' feedback taken, the store upgraded, who has what to do and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from custvalue.app.tables import console, table
from custvalue.config import Config
from custvalue.errors import DataError
from custvalue.pipeline.feedback import FeedbackTaken, take_feedback
from custvalue.retention.orders.differences import CHANGES, changes
from custvalue.retention.orders.states import RESULTS, TO_DO, WAITING_STATES
from custvalue.retention.orders.store import OrderStore
from custvalue.wording import Catalogue, load_catalogue

if TYPE_CHECKING:
    from custvalue.app.console import StepReporter


def run_feedback(config: Config, paths: Sequence[Path], *, now: datetime, reporter: StepReporter) -> None:
    """Take managers' workbooks and show what became of every file and of every bad row.

    Raises
    ------
    DataError
        Some rows could not be taken; the good ones are recorded.
    """
    reporter.start("feedback")
    done = take_feedback(config, paths, store=OrderStore.of(config), now=now)
    catalogue, language = load_catalogue(config.wording), config.language
    out = console()
    headers = [catalogue.label(f"order_table.{name}", language) for name in ("file", "applied", "before", "wrong")]
    out.print(table(headers, [(each.path.name, each.applied, each.before, len(each.faults)) for each in done]))
    for each in done:
        for fault in each.faults:
            out.print(f"{each.path.name} {fault.cell}: {fault.text(language)}", markup=False)
    applied, wrong = sum(each.applied for each in done), sum(len(each.faults) for each in done)
    if waiting := sum(each.without_reason for each in done):
        reporter.note(f"{waiting} order(s) stay open because their reason is missing; choose one in the workbook and read it again")
    before = sum(each.before for each in done)
    reporter.done("feedback", f"{applied} row(s) recorded, {before} known before, {wrong} not taken", applied=applied, wrong=wrong)
    if wrong:
        raise DataError(_told_wrong(done, applied, wrong))


def run_upgrade(config: Config) -> None:
    """Bring the order store to this release's version, and tell from which one."""
    store = OrderStore.of(config)
    before, after = store.upgrade()
    told = (
        f"is of version {after} already"
        if before == after
        else f"brought from version {before} to {after}"
        if before
        else f"made, version {after}"
    )
    console().print(f"{store.place}: {told}", markup=False)


def show_orders(config: Config, *, now: datetime) -> None:
    """Show the current night's orders by manager, what is overdue, and what changed since the night before."""
    store = OrderStore.of(config)
    catalogue, language, out = load_catalogue(config.wording), config.language, console()
    nights = store.nights()
    if nights.empty:
        out.print(catalogue.label("order_table.none", language))
        return
    last = nights.iloc[-1]
    out.print(catalogue.label("order_table.title", language, night=f"{last.night}", run=str(last.run_id)))
    out.print(_by_manager(store.orders(), set(store.overdue(now).order_id), catalogue, language))
    if len(nights) > 1:
        out.print(_since(store, nights.night.iloc[-2], last.night, catalogue, language))


def _by_manager(orders: pd.DataFrame, late: set[str], catalogue: Catalogue, language: str) -> object:
    columns = {
        "waiting": orders.state.isin([*WAITING_STATES, "accepted"]),
        "contacting": orders.state == "contacting",
        "deferred": orders.state == "deferred",
        "uncoded": orders.state.isin([state for state in RESULTS if state != "deferred"]),
        "overdue": orders.order_id.isin(late),
        "escalated": orders.state.isin(TO_DO) & orders.escalated_at.notna(),
        "closed": orders.state.isin(["closed", "verified"]),
    }
    counts = pd.DataFrame(columns).groupby(orders.manager_id).sum()
    rows = [(catalogue.label(f"values.{name}", language, default=str(name)), *own) for name, *own in counts.itertuples()]
    rows.append((catalogue.label("order_table.total", language), *counts.sum()))
    return table([catalogue.label(f"order_table.{name}", language) for name in ("manager", *columns)], rows)


def _since(store: OrderStore, before: date, now: date, catalogue: Catalogue, language: str) -> object:
    listed, orders = store.listed(before), store.orders().set_index("order_id")
    ended = orders.close_reason.reindex(listed.order_id).fillna("open_order")
    found = changes(listed, store.listed(now), dict(zip(listed.customer_id, ended.astype(str), strict=True)))
    counted = found.fillna({"reason": ""}).value_counts(["change", "reason"]).reset_index()
    rows = [
        (catalogue.label(f"list_changes.{change}", language), _why(str(row.reason), catalogue, language), row.customers)
        for change in CHANGES
        for row in counted[counted.change == change].rename(columns={"count": "customers"}).itertuples()
    ]
    headers = [catalogue.label(f"order_table.{name}", language) for name in ("change", "why", "orders")]
    return table(headers, rows, left=2)


def _why(reason: str, catalogue: Catalogue, language: str) -> str:
    known = catalogue.label(f"close_reasons.{reason}", language, default="")
    return known or catalogue.label(f"decisions.{reason}", language, default=reason) if reason else ""


def _told_wrong(done: Sequence[FeedbackTaken], applied: int, wrong: int) -> str:
    kept = [str(each.rejected) for each in done if each.rejected is not None]
    where = f" They are in {', '.join(kept)}: correct them there and read that file." if kept else ""
    return f"{wrong} row(s) or file(s) could not be taken; the {applied} good one(s) are recorded.{where}"
