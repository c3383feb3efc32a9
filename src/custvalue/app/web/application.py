"""The FastAPI application: which routes there are, and what stands before all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from custvalue.app.web import (
    audit_page,
    campaigns,
    care,
    company_sign_in,
    customer,
    downloads,
    health,
    portfolio,
    record,
    search,
    signing_in,
    start,
    team,
    today,
)
from custvalue.app.web.failures import add_failure_pages
from custvalue.app.web.headers import Headers
from custvalue.app.web.rendering import STATIC
from custvalue.app.web.site import Clock, Site, utc_now
from custvalue.app.web.visit import current_visit, refuse_foreign_forms
from custvalue.config import Config
from custvalue.config.page import LOOPBACK

PUBLIC: tuple[APIRouter, ...] = (signing_in.public, company_sign_in.public, health.public)
"""Routes for anybody."""
PAGES: tuple[APIRouter, ...] = (
    start.router,
    signing_in.router,
    today.router,
    customer.router,
    record.router,
    care.router,
    search.router,
    downloads.router,
    team.router,
    campaigns.router,
    portfolio.router,
    audit_page.router,
)
"""Routes that nobody reaches without a session, and no change without its form."""

_LARGEST_REQUEST = 64 * 1024


def create_app(config: Config, environ: Mapping[str, str], *, clock: Clock = utc_now) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    config : Config
        The operator's.
    environ : mapping
        The process's environment, for keys.
    clock : callable, optional
        Gives the time in UTC without a zone.

    Raises
    ------
    ConfigError
        The database is of another version; the message says what to run.
    """
    site = Site(config, environ, clock)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        yield
        site.close()

    app = FastAPI(
        title="custvalue",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=_LARGEST_REQUEST,
        lifespan=live,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # a span holds order ids and a bug's message
    )
    app.state.site = site
    for router in PUBLIC:
        app.include_router(router)
    for router in PAGES:
        app.include_router(router, dependencies=[Depends(current_visit), Depends(refuse_foreign_forms)])
    app.mount("/static", StaticFiles(directory=STATIC))
    add_failure_pages(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[config.page.host] if config.page.host else list(LOOPBACK), www_redirect=False)
    app.add_middleware(Headers, secure=config.page.secure)
    return app
