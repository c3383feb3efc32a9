"""Today: the orders that wait for this principal, the most valuable call first; and what changed since yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from custvalue.app.web.principal import Permission
from custvalue.app.web.repository_today import SORTS, Wanted, changes, overview, page_of_orders
from custvalue.app.web.visit import Visit, allowed
from custvalue.retention.choosing import BELOW, HELD_OUT
from custvalue.retention.decisions import WAITING
from custvalue.wording import Catalogue

router = APIRouter()

OrdersVisit = Annotated[Visit, allowed(Permission.ORDERS)]
Code = Annotated[str | None, Query(max_length=100)]
Sort = Literal["priority", "due", "net_value", "at_stake"]


@router.get("/today")
def show_today(
    visit: OrdersVisit,
    tier: Code = None,
    reason: Code = None,
    region: Code = None,
    state: Code = None,
    overdue: bool = False,
    sort: Sort = "priority",
    after: Annotated[str | None, Query(max_length=300)] = None,
    of: date | None = None,
) -> Response:
    """Show the orders, filtered, sorted and cut as the address says; `of` is the night whose page before ended at `after`."""
    wanted = Wanted(tier or None, reason or None, region or None, state or None, overdue, sort, after or None)
    at, zone = visit.site.clock(), visit.site.config.time_zone
    with visit.reading() as repository:
        night = repository.night()
        try:
            orders, following = page_of_orders(repository, wanted, at=at, zone=zone)
        except (ValueError, OverflowError):
            raise HTTPException(422) from None
        total, known = overview(repository, at=at, zone=zone)
    own = {"tier": wanted.tier, "reason": wanted.reason, "region": wanted.region, "state": wanted.state, "overdue": overdue or None}
    address = {name: value for name, value in (own | {"sort": sort}).items() if value and (name, value) != ("sort", "priority")}
    first = "/today" + (f"?{urlencode(address)}" if address else "")
    # of another night every rank is another one: the rest of the old list would miss some and repeat others
    if wanted.after and (not orders or of not in (None, night)):
        return visit.go(first)
    return visit.show_list(
        "today.html.j2",
        night=night,
        orders=orders,
        total=total,
        wanted=wanted,
        sorts=list(SORTS),
        filters={name: _worded(name, codes, visit) for name, codes in known.items()},
        filtered=any(own.values()),
        first=first,
        following=f"/today?{urlencode(address | {'of': night, 'after': following})}" if following else None,
    )


@router.get("/today/changes")
def show_changes(visit: OrdersVisit) -> Response:
    """Show who is new, who stays, who was handed over and who left, with the reason."""
    with visit.reading() as repository:
        night = repository.night()
        before, found = changes(repository)
    for row in found["left"]:
        # nobody who calls learns of the draw
        row["reason"] = WAITING if row["reason"] in (HELD_OUT, BELOW) else row["reason"]
    return visit.show("changes.html.j2", night=night, before=before, found=found)


def _worded(name: str, codes: Mapping[str, int], visit: Visit) -> list[tuple[str, str, int]]:
    """Give code, word and number of orders of each choice of a filter, as the words sort."""
    sections = {"tier": "tiers", "state": "order_states", "region": "values"}
    catalogue, language = visit.site.catalogue, visit.language
    words: dict[str, Any] = {
        code: reason_name(catalogue, code, language)
        if name == "reason"
        else catalogue.label(f"{sections[name]}.{code}", language, default=code)
        for code in codes
    }
    return sorted(((code, words[code], codes[code]) for code in codes), key=lambda choice: choice[1])


def reason_name(catalogue: Catalogue, code: str, language: str) -> str:
    """Give what a reason is called; one that the words no longer know by its code."""
    known = catalogue.reasons.get(code)
    return known.name.text(language) if known else code
