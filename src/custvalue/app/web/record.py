"""Recording what happened: one form, one act, taken back within a minute; what somebody else wrote meanwhile is shown, not overwritten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from custvalue.app.web.audit import Action
from custvalue.app.web.customer import order_page, possible_acts
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository import Repository
from custvalue.app.web.repository_customer import history
from custvalue.app.web.visit import Visit, allowed
from custvalue.retention.orders.recording import (
    Act,
    OrderChangedError,
    find_order,
    is_recorded,
    local_day,
    outcome_steps,
    record_steps,
    refuse_changed,
)
from custvalue.retention.orders.states import CHOSEN_REASONS, OUTCOMES, MoveRefusedError, steps_to
from custvalue.retention.orders.undoing import undo

router = APIRouter()

RecordVisit = Annotated[Visit, allowed(Permission.RECORD)]
_EVENTS = ("accept", "start", "close")
_LONGEST_WAIT = timedelta(days=366)


@dataclass(frozen=True)
class Given:
    """What a form says.

    Attributes
    ----------
    act : str
        ``accept``, ``start``, ``close``, ``note``, or one of `OUTCOMES`.
    version : int
        Of the order, when the form was shown.
    key : str
        Of the form: sent twice, it is recorded once.
    reason, until, note : str
        Coded reason, day to call again (ISO 8601), free text.
    """

    act: str
    version: int
    key: str
    reason: str = ""
    until: str = ""
    note: str = ""


class UnclearError(ValueError):
    """A form lacks something; the message is a label of the section ``page_record``."""


def given(
    version: Annotated[int, Form()],
    key: Annotated[str, Form(pattern="^[0-9a-f]{32}$")],
    act: Annotated[str, Form(max_length=30)] = "",
    reason: Annotated[str, Form(max_length=30)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Given:
    """Read the form."""
    return Given(act, version, key, reason, until, note.replace("\r\n", "\n").strip())


@router.post("/orders/{order_id}/record")
def record(order_id: str, form: Annotated[Given, Depends(given)], visit: RecordVisit) -> Response:
    """Record what happened, and go back to the order; where that cannot be, show the form again with all that was written."""
    try:
        with visit.writing() as repository:
            order = repository.order(order_id)
            if not is_recorded(repository.connection, form.key):
                _record(repository, visit, order, form)
                visit.log(repository, Action.CHANGE, order_id)
    except OrderChangedError:
        return _again(visit, order_id, form, problem="changed", status=409)
    except MoveRefusedError:
        return _again(visit, order_id, form, problem="not_possible", status=422)
    except UnclearError as unclear:
        return _again(visit, order_id, form, problem=str(unclear), status=422)
    return visit.go(f"/orders/{order_id}")


@router.post("/orders/{order_id}/undo")
def take_back(order_id: str, visit: RecordVisit) -> Response:
    """Take back what the principal recorded within the last minute."""
    try:
        with visit.writing() as repository:
            repository.order(order_id)
            undo(repository.connection, order_id, by=visit.principal.user, now=visit.site.clock())
            visit.log(repository, Action.CHANGE, order_id)
    except MoveRefusedError:
        with visit.reading() as repository:
            shown = order_page(repository, visit, order_id)
        visit.log_view(order_id)
        return visit.show("customer.html.j2", status=422, **(shown | {"problem": "too_late"}))
    return visit.go(f"/orders/{order_id}")


def _record(repository: Repository, visit: Visit, shown: Any, form: Given) -> None:
    """Write the form's act, in the repository's transaction."""
    config, now = visit.site.config, visit.site.clock()
    order = find_order(repository.connection, shown.order_id)
    refuse_changed(order, form.version, repository.connection)
    today = local_day(now, config.time_zone)
    reason, until = _coded_reason(form), _day(form, today)
    if form.act not in (*_EVENTS, *OUTCOMES, "note"):
        raise UnclearError("act_missing")
    if form.act == "note" and not form.note:
        raise UnclearError("note_missing")
    if form.act not in possible_acts(repository, shown):
        raise MoveRefusedError(form.act)
    if form.act in OUTCOMES:
        steps, reason = outcome_steps(order, form.act, reason, tries=config.orders.tries)
        if form.act == "deferred":
            until = until or today + timedelta(days=config.orders.defer_days)
    else:
        steps = ["note"] if form.act == "note" else list(steps_to(order["state"], form.act))
    act = Act(by=visit.principal.user, at=now, now=now, source="page", note=form.note, reason=reason, until=until, key=form.key)
    record_steps(repository.connection, order, steps, act)


def _coded_reason(form: Given) -> str | None:
    if form.reason and form.reason not in CHOSEN_REASONS:
        raise UnclearError("reason_missing")
    if form.act == "close" and not form.reason:
        raise UnclearError("reason_missing")
    return form.reason or None


def _day(form: Given, today: date) -> date | None:
    if form.act != "deferred" or not form.until:
        return None
    try:
        until = date.fromisoformat(form.until)
    except ValueError:
        raise UnclearError("day_wrong") from None
    if not today <= until <= today + _LONGEST_WAIT:
        raise UnclearError("day_wrong")
    return until


def _again(visit: Visit, order_id: str, form: Given, *, problem: str, status: int) -> Response:
    """Show the order as it is now, with the form as it was written: nobody's note is lost."""
    with visit.reading() as repository:
        shown = order_page(repository, visit, order_id)
        since = [event for event in history(repository, order_id) if event.by != visit.principal.user][:1]
    kept = asdict(form) | {"version": shown["order"].version}
    if problem == "changed" and form.act not in shown["acts"]:
        kept["act"] = "note"
    shown |= {"given": kept, "problem": problem, "changed": since[0] if problem == "changed" and since else None}
    visit.log_view(order_id)
    return visit.show("customer.html.j2", status=status, **shown)
