"""Whether the page can work: for a watchdog, without a word about the inside."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import select

from custvalue.app.web.schema import users
from custvalue.app.web.site import Site
from custvalue.errors import TryAgainError

public = APIRouter()


@public.get("/health")
def show_health(request: Request) -> JSONResponse:
    """Answer 200 while the database answers, else 503."""
    site: Site = request.app.state.site
    try:
        with site.reading() as connection:
            connection.execute(select(users.c.user_name).limit(1)).first()
    except TryAgainError:
        return JSONResponse({"status": "no database"}, status_code=503)
    return JSONResponse({"status": "ok"})
