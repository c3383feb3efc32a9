"""The whole base, read-only: tiers and their revenue, who moved, where the risk is, last night's health, what campaigns achieved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from custvalue.app.web.campaign_effects import read_effects, told
from custvalue.app.web.portfolio_figures import Figures, read_monitoring
from custvalue.app.web.principal import Permission
from custvalue.app.web.visit import Visit, allowed
from custvalue.config import load_alert_rules, load_tier_policy
from custvalue.monitoring import Alert

router = APIRouter()


@router.get("/portfolio")
def show_portfolio(visit: Annotated[Visit, allowed(Permission.PORTFOLIO)]) -> Response:
    """Show the newest published night, whole or not at all."""
    config, figures = visit.site.config, visit.site.newest_night.read()
    monitored = read_monitoring(config.output, figures.run_id) if figures else None
    effects, order = read_effects(config.output), tuple(load_tier_policy(config.tier_policy).tiers)
    return visit.show(
        "portfolio.html.j2",
        night=figures.night if figures else None,
        figures=figures,
        groups=_in_order(figures.groups, order) if figures else {},
        moves=_moves(monitored, order) if monitored else [],
        monitored=monitored,
        alerts=_alerts(visit, monitored) if monitored else [],
        compared_with=date.fromisoformat(monitored["before"]) if monitored and monitored["before"] else None,
        reasons=_named_reasons(visit, figures) if figures else [],
        effects=[{"effect": each, "told": told(each, visit.site.catalogue, visit.language)} for each in effects],
    )


def _alerts(visit: Visit, monitored: dict[str, Any]) -> list[str]:
    """Say each alert in the visitor's language; one whose rule is gone by now says what it said."""
    rules = {rule.name: rule for rule in load_alert_rules(visit.site.config.alerts).rules}
    return [
        Alert(rules[each["rule"]], each["metric"], each["value"]).told(visit.language) if each["rule"] in rules else str(each["message"])
        for each in monitored["alerts"]
    ]


def _in_order(groups: Mapping[str, list[dict[str, Any]]], order: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Put tiers into the policy's order, the highest first; other groups stay by revenue."""
    place = {tier: number for number, tier in enumerate(order)}
    return {
        name: sorted(rows, key=lambda row: place.get(row["group"], len(place))) if name == "tier" else rows for name, rows in groups.items()
    }


def _moves(monitored: dict[str, Any], order: tuple[str, ...]) -> list[dict[str, Any]]:
    """Give one row a tier: customers now and before, and how many came up, came down, joined and left; the highest tier first."""
    pairs = [(row["before"], row["after"], row["customers"]) for row in monitored["tiers"]]
    place = {tier: number for number, tier in enumerate(order)}
    found = []
    for tier in [*order, *sorted({after for _, after, _ in pairs if after not in place and after is not None})]:
        came = {before: number for before, after, number in pairs if after == tier and before != tier}
        known = {before: number for before, number in came.items() if before in place and tier in place}
        found.append(
            {
                "tier": tier,
                "stayed": sum(number for before, after, number in pairs if before == after == tier),
                "up": sum(number for before, number in known.items() if place[before] > place[tier]),
                "down": sum(number for before, number in known.items() if place[before] < place[tier]),
                "joined": sum(number for before, number in came.items() if before not in known),
                "left": sum(number for before, after, number in pairs if before == tier and after is None),
            }
        )
    return [row for row in found if any(row[name] for name in ("stayed", "up", "down", "joined", "left"))]


def _named_reasons(visit: Visit, figures: Figures) -> list[dict[str, Any]]:
    known = visit.site.catalogue.reasons
    names = {code: reason.name.text(visit.language) for code, reason in known.items()}
    return [row | {"name": names.get(row["reason"], row["reason"])} for row in figures.reasons]
