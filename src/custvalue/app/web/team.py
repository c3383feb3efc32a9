"""The team, for its lead: who has how much to do, how the work was done, what the calls changed, and handing orders over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Form
from starlette.responses import Response

from custvalue.app.web.audit import Action
from custvalue.app.web.campaign_effects import points, read_effects
from custvalue.app.web.principal import Permission
from custvalue.app.web.repository import NotFoundError, Repository
from custvalue.app.web.repository_customer import managers_in_scope
from custvalue.app.web.repository_team import LOAD, hand_over, orders_to_do, team_load, work_since
from custvalue.app.web.visit import Visit, allowed
from custvalue.errors import DataError
from custvalue.pipeline.scorecard import Recorded, work_flags
from custvalue.retention.effect.scorecard import MEASURES, process_scorecard
from custvalue.retention.managers import POOL
from custvalue.retention.orders.recording import Act, local_day

router = APIRouter()
_MOST = 200
_CLOSED_DAYS = 7
_KNOWN_MEASURES = tuple(name for name in MEASURES if name not in ("call_backs_in_time", "without_complaint"))
"""What orders alone tell; the rest needs the source tables, and stands in the effect report."""

TeamVisit = Annotated[Visit, allowed(Permission.TEAM)]


@router.get("/team")
def show_team(visit: TeamVisit, moved: int | None = None, changed: int = 0) -> Response:
    """Show who has how much to do, who is away, how the work was done and what the calls changed.

    `moved` and `changed` tell what became of the orders that were handed over last.
    """
    now, zone = visit.site.clock(), visit.site.config.time_zone
    today = local_day(now, zone)
    with visit.reading() as repository:
        night, duty = repository.night(), repository.duty
        load = team_load(repository, now, zone, closed_since=today - timedelta(days=_CLOSED_DAYS))
        orders, events = work_since(repository, _month_before(today))
    away = None if duty is None else _of_team(duty[duty["absent"]], visit, [row.manager_id for row in load])
    return visit.show(
        "team.html.j2",
        night=night,
        moved=moved,
        changed=changed,
        load=load,
        kinds=LOAD,
        pooled=sum(row.waiting + row.contacting + row.deferred for row in load if row.manager_id == POOL),
        pool=POOL,
        most=max((row.waiting + row.contacting + row.deferred for row in load), default=0),
        totals={kind: sum(getattr(row, kind) for row in load) for kind in (*LOAD, "net_value")},
        days=_CLOSED_DAYS,
        away=away,
        measures=_KNOWN_MEASURES,
        scores=_scores(visit, orders, events),
        effects=_effects(visit),
    )


@router.get("/team/orders")
def show_manager(visit: TeamVisit, manager: str) -> Response:
    """Show one manager's orders that wait, to hand them over."""
    with visit.reading() as repository:
        night, found = repository.night(), orders_to_do(repository, manager, _MOST + 1)
        managers = _targets(visit, repository)
    return visit.show(
        "team_orders.html.j2",
        night=night,
        manager=manager,
        orders=found[:_MOST],
        more=len(found) > _MOST,
        others=[name for name in sorted(managers) if name != manager],
        now=visit.site.clock(),
    )


@router.post("/team/orders")
def hand_orders_over(
    visit: TeamVisit,
    manager: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form(max_length=200)],
    reason: Annotated[str, Form(max_length=500, pattern=r"\S")],
    orders: Annotated[list[str], Form(default_factory=list, max_length=_MOST)],
    shown: Annotated[list[str], Form(default_factory=list, max_length=_MOST)],
    every: Annotated[bool, Form()] = False,
) -> Response:
    """Hand the chosen orders over, or all that were shown, in one transaction; what somebody else changed meanwhile stays, and is told."""
    now = visit.site.clock()
    looked_at = [_looked_at(each) for each in (shown if every else orders)]
    note = f"{manager} → {to}: {' '.join(reason.split())}"
    with visit.writing() as repository:
        if to not in _targets(visit, repository):
            raise NotFoundError(to)
        act = Act(by=visit.principal.user, at=now, now=now, source="page", note=note)
        handed = hand_over(repository, looked_at, to, act, shared=manager == POOL)
        for order_id in handed.moved:
            visit.log(repository, Action.CHANGE, order_id)
    return visit.go(f"/team?moved={len(handed.moved)}&changed={handed.changed}")


def _looked_at(text: str) -> tuple[str, int]:
    order_id, _, version = text.rpartition("@")
    if not order_id or not version.isdecimal() or len(version) > 9:
        raise DataError("an order that was chosen cannot be read: choose it again on the page.")
    return order_id, int(version)


def _targets(visit: Visit, repository: Repository) -> set[str]:
    """Name who may be given orders: the managers of the lead's team, also those who have none now, but nobody who is away."""
    duty, known = repository.duty, set(managers_in_scope(repository)) - {POOL}
    if duty is None:
        return known
    return (known | set(duty.loc[duty["team"] == visit.principal.team, "manager_id"])) - set(duty.loc[duty["absent"], "manager_id"])


def _of_team(duty: pd.DataFrame, visit: Visit, managers: list[str]) -> list[str]:
    """Name the managers of the lead's team; where the table tells no teams, those who have its orders."""
    own = (duty["team"] == visit.principal.team) | duty["manager_id"].isin(managers)
    return sorted(duty.loc[own, "manager_id"].astype(str))


def _scores(visit: Visit, orders: pd.DataFrame, events: pd.DataFrame) -> list[dict[str, Any]]:
    owned = orders[orders["manager_id"] != POOL]
    if owned.empty:
        return []
    found = process_scorecard(work_flags(Recorded(owned, events), visit.site.clock()), visit.site.config.scorecard, by="month")
    newest = found.sort_values(["period", "manager_id"], ascending=[False, True])
    return [{str(name): value for name, value in row.items()} for row in newest.to_dict("records")]


def _effects(visit: Visit) -> list[dict[str, Any]]:
    """Give what each campaign's calls changed in the lead's team, with its interval; without those of which nothing is known."""
    rows = [(effect, effect.team(visit.principal.team)) for effect in read_effects(visit.site.config.output)]
    return [{"effect": effect, "row": row, "points": points(row)} for effect, row in rows if row is not None]


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
