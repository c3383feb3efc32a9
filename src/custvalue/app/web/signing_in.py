"""Signing in with a password of the page, and out; the language may be chosen before."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from custvalue.app.web.accounts import find_user, tidy_name
from custvalue.app.web.audit import Action, write_audit
from custvalue.app.web.cookies import drop_cookie, session_cookie, set_cookie, set_language, sign_in_cookie
from custvalue.app.web.navigation import local_path
from custvalue.app.web.passwords import password_fits
from custvalue.app.web.sessions import begin_session, end_session, form_token
from custvalue.app.web.site import Site
from custvalue.app.web.throttle import Source, count_attempt, forgive_attempt
from custvalue.app.web.visit import AnyVisit, address_of, is_foreign, render
from custvalue.wording.models import LANGUAGES

public = APIRouter()
"""Routes that need no principal."""
router = APIRouter()

NOBODY = "unknown user"
"""Who is written to the audit log where there is no such user: what was typed may be a password."""
_LONGEST_NAME = 200


@public.get("/login")
def show_login(request: Request, next: str = "/") -> Response:
    """Show the form, tied to this browser."""
    return login_form(request, local_path(next))


@public.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=_LONGEST_NAME)] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
    form_token: Annotated[str, Form()] = "",
) -> Response:
    """Check name and password, slower with each wrong try, and begin a new session."""
    refuse_unasked(request, form_token)
    site: Site = request.app.state.site
    target, address = local_path(next), address_of(request)
    sources: tuple[Source, Source] = ("account", tidy_name(name)), ("address", address)
    with site.writing() as connection:
        user: Any = find_user(connection, name)
        known = user.user_name if user else NOBODY
        wait = count_attempt(connection, sources, site.clock())
        if wait:
            write_audit(connection, Action.LOGIN_BLOCKED, who=known, what="", address=address, at=site.clock())
    if wait:
        return login_form(request, target, name=name, problem="wait", status=429, wait=wait)
    right = password_fits(password, user.password_hash if user else None)
    if not right:
        with site.writing() as connection:
            write_audit(connection, Action.LOGIN_FAILED, who=known, what="", address=address, at=site.clock())
        return login_form(request, target, name=name, problem="wrong", status=401)
    with site.writing() as connection:
        forgive_attempt(connection, *sources)
        session_id = start_session(connection, request, user.user_name)
    return enter(request, session_id, target)


@router.post("/logout")
def log_out(request: Request, visit: AnyVisit) -> Response:
    """End the session, here and in the database."""
    name = session_cookie(visit.site.page)
    with visit.writing() as repository:
        end_session(repository.connection, request.cookies[name])
        visit.log(repository, Action.LOGOUT, "")
    answer = RedirectResponse("/login", status_code=303)
    drop_cookie(answer, name, visit.site.page)
    return answer


@public.get("/language/{language}")
def choose_language(request: Request, language: str, next: str = "/") -> Response:
    """Remember the language, and go back to the page."""
    if language not in LANGUAGES:
        raise HTTPException(404)
    answer = RedirectResponse(local_path(next), status_code=303)
    set_language(answer, language, request.app.state.site.page)
    return answer


def refuse_unasked(request: Request, given: str) -> None:
    """Refuse a sign-in that our own form in this browser did not ask for (403)."""
    cookie = request.cookies.get(sign_in_cookie(request.app.state.site.page), "")
    if is_foreign(request) or not cookie or not hmac.compare_digest(form_token(cookie, "sign-in").encode(), given.encode()):
        raise HTTPException(403, "form")


def start_session(connection: Any, request: Request, user: str) -> str:
    """Begin a session under a new id, whatever the browser brought, and end the one that it brought."""
    site: Site = request.app.state.site
    end_session(connection, request.cookies.get(session_cookie(site.page), ""))
    write_audit(connection, Action.LOGIN, who=user, what="", address=address_of(request), at=site.clock())
    return begin_session(connection, user, site.clock(), site.page)


def enter(request: Request, session_id: str, target: str) -> Response:
    """Send a browser on into its session."""
    page = request.app.state.site.page
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer, session_cookie(page), session_id, page)
    drop_cookie(answer, sign_in_cookie(page), page)
    return answer


def login_form(
    request: Request, target: str, *, name: str = "", problem: str | None = None, status: int = 200, wait: timedelta | None = None
) -> Response:
    """Show the sign-in form, tied to this browser, with the label of what went wrong before."""
    page = request.app.state.site.page
    cookie = request.cookies.get(sign_in_cookie(page)) or secrets.token_urlsafe(32)
    answer = render(
        request,
        "login.html.j2",
        status=status,
        name=name,
        next=target,
        problem=problem,
        wait=wait.total_seconds() if wait else None,
        oidc=page.oidc is not None,
        here=f"/login?next={quote(target, safe='/')}",
        token=form_token(cookie, "sign-in"),
    )
    if wait:
        answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    set_cookie(answer, sign_in_cookie(page), cookie, page)
    return answer
