"""The address without a path: each role goes on to its own first page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from custvalue.app.web.navigation import links_for
from custvalue.app.web.visit import AnyVisit

router = APIRouter()


@router.get("/")
def go_to_start(visit: AnyVisit) -> Response:
    """Go on to the role's first page."""
    return visit.go(links_for(visit.principal)[0].path)
