"""Routes of the company sign-in: out to the OpenID Connect provider, and back into a session."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from custvalue.app.web.accounts import find_user
from custvalue.app.web.audit import Action, write_audit
from custvalue.app.web.cookies import set_cookie, sign_in_cookie
from custvalue.app.web.navigation import local_path
from custvalue.app.web.oidc import NotSignedInError, Provider, Secrets
from custvalue.app.web.sessions import form_token
from custvalue.app.web.signing_in import NOBODY, enter, login_form, start_session
from custvalue.app.web.site import Site
from custvalue.app.web.visit import address_of
from custvalue.errors import TryAgainError

public = APIRouter()
_log = logging.getLogger("custvalue.page")


@public.get("/oidc")
def go_to_provider(request: Request, next: str = "/") -> Response:
    """Send the browser to the provider, with a cookie that its answer must fit."""
    site: Site = request.app.state.site
    cookie = secrets.token_urlsafe(32)
    try:
        target = _provider(request).address(_secrets(cookie, local_path(next)))
    except TryAgainError as error:
        return _refused(request, "away", 503, str(error))
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer, sign_in_cookie(site.page), cookie, site.page)
    return answer


@public.get("/oidc/callback")
def come_from_provider(request: Request, code: str = "", state: str = "") -> Response:
    """Begin the session of the user whom the provider names, if there is one here."""
    site: Site = request.app.state.site
    provider = _provider(request)
    cookie = request.cookies.get(sign_in_cookie(site.page), "")
    target = local_path(state.partition("~")[2])
    expected = _secrets(cookie, target)
    if not cookie or not code or not hmac.compare_digest(expected.state.encode(), state.encode()):
        return _refused(request, "refused", 403, "the answer belongs to no sign-in of this browser")
    try:
        name = provider.user(code, expected)
    except NotSignedInError as error:
        return _refused(request, "refused", 403, str(error))
    except TryAgainError as error:
        return _refused(request, "away", 503, str(error))
    with site.writing() as connection:
        user: Any = find_user(connection, name)
        if user is not None:
            session_id = start_session(connection, request, user.user_name)
    if user is None:
        return _refused(request, "refused", 403, "the provider names nobody who may sign in here")
    return enter(request, session_id, target)


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.site.provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _secrets(cookie: str, target: str) -> Secrets:
    state = f"{form_token(cookie, f'state {target}')}~{target}"
    return Secrets(state, form_token(cookie, "nonce"), form_token(cookie, "verifier"))


def _refused(request: Request, problem: str, status: int, told: str) -> Response:
    """Show the sign-in form with what happened; the log tells more, and still nobody's name."""
    site: Site = request.app.state.site
    _log.warning("company sign-in: %s", told)
    with site.writing() as connection:
        write_audit(connection, Action.LOGIN_FAILED, who=NOBODY, what="company account", address=address_of(request), at=site.clock())
    return login_form(request, "/", problem=problem, status=status)
