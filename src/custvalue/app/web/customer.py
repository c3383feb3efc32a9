"""One customer, reached by a work order: why now, what to offer, what it is worth, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from custvalue.app.web.audit import Action
from custvalue.app.web.charts import make_plot, make_pushes
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository import CURRENT_NIGHT, Repository
from custvalue.app.web.repository_customer import FACTS, Facts, duties_owed, earlier_orders, has_open_order, history, read_facts
from custvalue.app.web.visit import Visit, allowed
from custvalue.config import load_tier_policy
from custvalue.errors import CustValueError
from custvalue.lists.rows import directory_entries
from custvalue.retention.orders.states import CLOSE_REASONS, ENDED, IMPLIED_REASONS, OUTCOMES, WAITING_STATES, MoveRefusedError, steps_to
from custvalue.retention.orders.undoing import is_undoable
from custvalue.sources.directory import open_directory

router = APIRouter()

TRENDS = ("bill", "data_mb", "voice_minutes", "complaints")
"""What is plotted over the last twelve months, where the night knows it."""


@router.get("/orders/{order_id}")
def show_order(order_id: str, visit: Annotated[Visit, allowed(Permission.ORDERS)]) -> Response:
    """Show one order of the principal's; every look is written to the audit log."""
    with visit.reading() as repository:
        shown = order_page(repository, visit, order_id)
    visit.log_view(order_id)
    return visit.show("customer.html.j2", **shown)


@router.post("/orders/{order_id}/reveal")
def reveal(order_id: str, visit: Annotated[Visit, allowed(Permission.REVEAL)]) -> Response:
    """Show the full number once; that it was shown is written down before it is read."""
    with visit.writing() as repository:
        shown = order_page(repository, visit, order_id)
        visit.log(repository, Action.REVEAL, order_id)
    customer = shown["order"].customer_id
    entry = directory_entries(open_directory(visit.site.config), [customer]).get(customer, {})
    shown["full"] = {name: entry.get(name) or None for name in ("name", "msisdn")}
    return visit.show("customer.html.j2", **shown)


def order_page(repository: Repository, visit: Visit, order_id: str) -> dict[str, Any]:
    """Give what the page of an order shows; raises `NotFoundError` for an order outside the scope."""
    order, told = repository.order(order_id, FACTS, CURRENT_NIGHT), history(repository, order_id)
    may_record = visit.principal.may(Permission.RECORD)
    newest = told[0] if told else None
    undo = newest is not None and may_record and is_undoable(newest._asdict(), by=visit.principal.user, now=visit.site.clock())
    return customer_facts(visit, read_facts(order.facts), order.tier) | {
        "night": order.current_night,
        "back": visit.list_path,
        "order": order,
        "history": told,
        "earlier": earlier_orders(repository, order.customer_id, but=order_id),
        "duties": duties_owed(repository, customer_id=order.customer_id),
        "acts": possible_acts(repository, order) if may_record else [],
        "closing": {state: reasons for state, reasons in CLOSE_REASONS.items() if state not in IMPLIED_REASONS},
        "undo": newest if undo else None,
        "taken_back": newest is not None and newest.event == "undo" and newest.by == visit.principal.user,
        "given": {"act": "", "reason": "", "until": "", "note": "", "version": order.version, "key": uuid4().hex},
        "problem": None,
        "changed": None,
        "full": None,
        "may_reveal": visit.principal.may(Permission.REVEAL),
    }


def customer_facts(visit: Visit, facts: Mapping[str, Any], tier: str | None) -> dict[str, Any]:
    """Give what is shown of a customer with and without an order: in words of the visit's language, with plots and the service owed."""
    language = visit.language
    own = Facts(facts)
    for name in ("trigger_words", "offer_words"):
        own[name] = facts.get(f"{name}_{language}")
    for name in ("reasons", "talking_points", "do_not_say"):
        own[name] = facts.get(f"{name}_{language}") or []
    plots = {name: make_plot(facts.get(f"trend_{name}") or []) for name in TRENDS}
    return {
        "facts": own,
        "pushes": make_pushes(own["reasons"], facts.get("reason_weights") or []),
        "plots": {name: plot for name, plot in plots.items() if plot is not None},
        "months": [date.fromisoformat(month) for month in facts.get("trend_months") or []],
        "standard": _standard(visit, tier),
        "tier_reason": lambda code: tier_reason(visit, code),
        "day_of": lambda text: date.fromisoformat(str(text)[:10]) if text else None,
    }


def possible_acts(repository: Repository, order: Any) -> list[str]:
    """Name what may be recorded of an order, in the order of a call.

    A closed order takes notes only. One that a night has withdrawn also takes what came of a call that was being made, unless the customer
    has another order by now; nobody begins it again.
    """
    ended = order.state in ENDED
    if ended and (order.state != "withdrawn" or has_open_order(repository, order.customer_id)):
        return ["note"]
    begins = {} if ended else {"start": "start"} | ({"accept": "accept"} if order.state in WAITING_STATES else {})
    closes = {"close": "close"} if order.state in CLOSE_REASONS else {}
    return [act for act, event in (begins | OUTCOMES | closes).items() if _is_possible(order.state, event)] + ["note"]


def _is_possible(state: str, event: str) -> bool:
    try:
        steps_to(state, event)
    except MoveRefusedError:
        return False
    return True


def tier_reason(visit: Visit, code: str) -> str:
    """Say why a customer came into a tier; a rule of the policy by its name."""
    known, rule = ("adjusted", code.removeprefix("adjusted_")) if code.startswith("adjusted_") else (code, "")
    return visit.site.catalogue.label(f"tier_reasons.{known}", visit.language, default=code, name=rule)


def _standard(visit: Visit, tier: str | None) -> Any:
    """Give the service standard of a tier, where the operator's policy has one."""
    path = visit.site.config.tier_policy
    try:
        return _standards(path, path.stat().st_mtime_ns).get(tier or "")
    except (CustValueError, OSError):
        return None


@lru_cache(maxsize=1)
def _standards(path: Path, changed: int) -> Mapping[str, Any]:  # noqa: ARG001 - a changed file is read again
    return load_tier_policy(path).service
