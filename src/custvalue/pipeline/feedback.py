"""Managers' workbooks back into the orders: the good rows once, the others told and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from custvalue.config import Config
from custvalue.errors import DataError, PublishError, mask
from custvalue.lists.feedback import Feedback, read_feedback
from custvalue.lists.feedback_care import ReportedCare
from custvalue.lists.feedback_rows import Fault, Reported
from custvalue.lists.rejected import forget_rejected, write_rejected
from custvalue.retention.orders.states import IMPLIED_REASONS, OPEN, RESULTS
from custvalue.wording import load_catalogue

if TYPE_CHECKING:
    from custvalue.retention.orders.store import OrderStore

REJECTED_FOLDER = "feedback"


@dataclass(frozen=True)
class FeedbackTaken:
    """What became of one workbook.

    Attributes
    ----------
    path : Path
        The file.
    applied, before : int
        Rows that were recorded now; that had been before.
    faults : tuple of Fault
        What is wrong with the others.
    without_reason : int
        Of the rows recorded now, those whose order stays open because no reason is told.
    rejected : Path, optional
        Where the faulty rows were put.
    """

    path: Path
    applied: int
    before: int
    faults: tuple[Fault, ...]
    without_reason: int
    rejected: Path | None


def take_feedback(config: Config, paths: Sequence[Path], *, store: OrderStore, now: datetime) -> list[FeedbackTaken]:
    """Read managers' workbooks and record what they tell, row by row.

    A row that cannot be taken does not keep the others back. It is told with its cell, and put with the others of its file into
    ``feedback/<file>.rejected.xlsx`` of the output folder, which can be corrected and read again. Reading a file twice records nothing
    twice; killed, the same call goes on.

    Parameters
    ----------
    config : Config
        The operator's.
    paths : sequence of Path
        Workbooks.
    store : OrderStore
        The orders.
    now : datetime
        When it is recorded, with its zone.

    Raises
    ------
    TryAgainError
        The database is away or busy; what was recorded before stays.
    """
    catalogue, today = load_catalogue(config.wording), now.astimezone(ZoneInfo(config.time_zone)).date()
    done = []
    for path in paths:
        try:
            found = read_feedback(path, catalogue, today=today)
        except DataError as error:
            done.append(FeedbackTaken(path, 0, 0, (Fault(path.name, str(error)),), 0, None))
            continue
        known = store.recorded(row.key for row in found.rows)
        new = [row for row in found.rows if row.key not in known]
        states = [state for row in new if (state := _record(store, found, row, now)) is not None]
        made = [was for row in list(found.care.rows) if (was := _record_care(store, found, row, now)) is not None]
        waiting = sum(state in RESULTS and state in OPEN and state not in (*IMPLIED_REASONS, "deferred") for state in states)
        rejected = None
        faults = (*found.faults, *found.care.faults)
        if faults:
            rejected = config.output / REJECTED_FOLDER / f"{path.stem.removesuffix('.rejected')}.rejected.xlsx"
            rejected.parent.mkdir(parents=True, exist_ok=True)
            write_rejected(rejected, found, catalogue, language=config.language)
        done.append(FeedbackTaken(path, len(states) + sum(made), len(known) + made.count(False), faults, waiting, rejected))
    return done


def _record_care(store: OrderStore, found: Feedback, row: ReportedCare, now: datetime) -> bool | None:
    """Record a service contact that was made; False where it had been before, None where the row was refused."""
    try:
        return store.record_care(row.customer, row.kind, row.since, manager=found.manager, now=now, note=row.note)
    except DataError:
        found.care.refuse(row, "care_not_owed")
        return None


def forget_orders(config: Config, customer_id: str, *, store: OrderStore) -> dict[str, int]:
    """Remove a customer's orders, with all that managers told of them, and his rejected rows; gives what → rows."""
    rejected = forget_rejected(config.output / REJECTED_FOLDER, store.listed_ids(customer_id))
    return {**store.forget(customer_id), "rejected feedback": rejected}


def _record(store: OrderStore, found: Feedback, row: Reported, now: datetime) -> str | None:
    """Record one row and give its order's state then; None where the row was refused."""
    listing = store.listing(row.order_id)
    if listing is None:
        found.refuse(row, "order", "unknown_order", order=mask(row.order_id))
        return None
    if found.manager is not None and found.manager != listing["manager_id"]:
        found.refuse(row, "order", "other_list")
        return None
    told = {
        "by": listing["manager_id"],
        "now": now,
        "source": "feedback",
        "at": row.on or listing["night"],
        "note": row.note,
        "key": row.key,
    }
    try:
        if row.outcome is None:
            return str(store.record(row.order_id, "note", **told)["state"])
        return str(store.record_outcome(row.order_id, row.outcome, reason=row.reason, **told)["state"])
    except (DataError, PublishError) as error:
        found.refuse(row, "outcome" if row.outcome else "note", "not_taken", why=str(error))
        return None
