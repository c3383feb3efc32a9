"""The FastAPI application: which routes there are, and what stands before all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
from custvalue.app.web.site import Site
from custvalue.app.web.visit import current_visit, refuse_foreign_forms, refuse_nul
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


def create_app(site: Site) -> FastAPI:
    """Make the application of a site, which ends with it."""

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
        dependencies=[Depends(refuse_nul)],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # a span holds order ids and a bug's message
    )
    app.state.site = site
    for router in PUBLIC:
        app.include_router(router)
    for router in PAGES:
        app.include_router(router, dependencies=[Depends(current_visit), Depends(refuse_foreign_forms)])
    app.mount("/static", StaticFiles(directory=STATIC))
    add_failure_pages(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[site.page.host] if site.page.host else list(LOOPBACK), www_redirect=False)
    app.add_middleware(Headers, secure=site.page.secure)
    return app
