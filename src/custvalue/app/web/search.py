"""Finding a customer by number: his order, or himself where he has none, as when somebody calls in who is on no list."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import Response

from custvalue.app.web.customer import customer_facts
from custvalue.app.web.known import find_known
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository import NotFoundError, Repository
from custvalue.app.web.repository_customer import duties_owed, earlier_orders, find_order_of, is_anothers, managers_in_scope
from custvalue.app.web.visit import Visit, allowed

router = APIRouter()

OrdersVisit = Annotated[Visit, allowed(Permission.ORDERS)]


@router.get("/search")
def search(visit: OrdersVisit, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Go to the customer whose number this is, or say that there is none."""
    number = q.strip()
    with visit.reading() as repository:
        night = repository.night()
        order = find_order_of(repository, number) if number else None
        if order is not None:
            return visit.go(f"/orders/{quote(order, safe='')}")
        known = _find(repository, visit, number) if number else None
    if known is not None:
        return visit.go(f"/customers/{quote(number, safe='')}")
    return visit.show("search.html.j2", status=404 if number else 200, night=night, number=number)


@router.get("/customers/{customer}")
def show_customer(customer: str, visit: OrdersVisit) -> Response:
    """Show a customer who has no order: who he is and what service he is owed; nothing of risk, order or offer."""
    with visit.reading() as repository:
        known = _find(repository, visit, customer)
        if known is None:
            raise NotFoundError(customer)
        own = str(known["customer_id"])
        shown: dict[str, Any] = customer_facts(visit, {}, known["tier"]) | {
            "night": repository.night(),
            "known": known,
            "earlier": earlier_orders(repository, own),
            "duties": duties_owed(repository, customer_id=own),
        }
    visit.log_view(known["token"])
    return visit.show("known.html.j2", **shown)


def _find(repository: Repository, visit: Visit, number: str) -> dict[str, Any] | None:
    known = find_known(visit.site, number, night=repository.night(), managers=managers_in_scope(repository))
    return None if known is None or is_anothers(repository, str(known["customer_id"])) else known
