"""Care: the service contacts that are owed to customers by today, whoever is called to be kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from custvalue.app.web.audit import Action
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository_customer import duties_done, duties_owed, finish_duty
from custvalue.app.web.visit import Visit, allowed
from custvalue.retention.orders.recording import as_utc, local_day

router = APIRouter()


@router.get("/care")
def show_care(visit: Annotated[Visit, allowed(Permission.ORDERS)], ahead: bool = False) -> Response:
    """Show what is due today or overdue, with `ahead` what is due later too, and what was done today."""
    zone = visit.site.config.time_zone
    today = local_day(visit.site.clock(), zone)
    with visit.reading() as repository:
        night = repository.night()
        owed = duties_owed(repository)
        done = duties_done(repository, since=as_utc(today, zone))
    due = [duty for duty in owed if ahead or duty["due_on"] <= today]
    return visit.show("care.html.j2", night=night, duties=due, later=len(owed) - len(due), done=done, today=today, ahead=ahead)


@router.post("/care")
def record_care(
    visit: Annotated[Visit, allowed(Permission.RECORD)],
    customer: Annotated[str, Form(max_length=100)],
    kind: Annotated[str, Form(max_length=100)],
    since: Annotated[date, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Record that a service contact was made."""
    with visit.writing() as repository:
        finish_duty(repository, customer, kind, since, at=visit.site.clock(), note=note.strip())
        visit.log(repository, Action.CHANGE, f"{kind} {customer}")
    return visit.go("/care")
