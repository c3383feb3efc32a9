"""One request: who asks, in which language, and the gate that every page stands behind."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from custvalue.app.web.audit import Action, write_audit
from custvalue.app.web.cookies import language_of, list_of, session_cookie, set_list
from custvalue.app.web.navigation import links_for, local_path
from custvalue.app.web.principal import Permission, Principal, make_principal
from custvalue.app.web.repository import Repository
from custvalue.app.web.sessions import find_session, form_token, is_stale, touch_session
from custvalue.app.web.site import Site

FORM_FIELD, FORM_HEADER = "form_token", "X-Form-Token"
_FORM_FIELD = Markup('<input type="hidden" name="{}" value="{}">')


class SignInNeededError(Exception):
    """Nobody is signed in, or the session is over."""


class Visit:
    """A request of a signed-in user, as pages see it.

    Attributes
    ----------
    site : Site
        Config, words, clock.
    principal : Principal
        Who asks.
    language : str
        ``en`` or ``zh``.
    token : str
        What every form must carry; templates write it with ``{{ form_field() }}``.
    address : str
        Where from.
    """

    def __init__(self, request: Request, principal: Principal, session_id: str) -> None:
        self.site: Site = request.app.state.site
        self.principal = principal
        self.language = language_of(request)
        self.token = form_token(session_id)
        self.address = address_of(request)
        self._request = request

    @contextmanager
    def reading(self) -> Iterator[Repository]:
        """Give what the principal may see, in one state of the database."""
        with self.site.reading() as connection:
            yield Repository(self.principal, connection, self.site.roster)

    @contextmanager
    def writing(self) -> Iterator[Repository]:
        """Give what the principal may see and change; what the block does is done whole or not at all."""
        with self.site.writing() as connection:
            yield Repository(self.principal, connection, self.site.roster)

    def log(self, repository: Repository, action: Action, what: str) -> None:
        """Write to the audit log, in the transaction of the change that it tells of."""
        self._log(repository.connection, action, what)

    def log_view(self, what: str) -> None:
        """Write to the audit log that a customer was looked at, by itself: call it before the page is shown."""
        self.site.adding(lambda connection: self._log(connection, Action.VIEW, what))

    def log_denied(self) -> None:
        """Write to the audit log that a page was refused."""
        self.site.adding(lambda connection: self._log(connection, Action.DENIED, self._request.url.path))

    def show(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a template with the layout's values and these."""
        return render(self._request, template, status=status, visit=self, **values)

    def show_list(self, template: str, **values: Any) -> HTMLResponse:
        """Render the list as `show` does, and remember where in it the visitor is."""
        answer, place = self.show(template, **values), here(self._request)
        if place != self.list_path:
            set_list(answer, place, self.site.page)
        return answer

    @property
    def list_path(self) -> str:
        """Where in the list the visitor was last."""
        return list_of(self._request)

    def go(self, path: str) -> RedirectResponse:
        """Send the browser on to a page of this site, after a change."""
        return RedirectResponse(local_path(path), status_code=303)

    def _log(self, connection: Any, action: Action, what: str) -> None:
        write_audit(connection, action, who=self.principal.user, what=what, address=self.address, at=self.site.clock())


def render(request: Request, template: str, *, status: int = 200, visit: Visit | None = None, **values: Any) -> HTMLResponse:
    """Render a template; without a visit, for a page that anybody may see."""
    site: Site = request.app.state.site
    language = language_of(request)
    shown: dict[str, Any] = {
        "language": language,
        "here": here(request),
        "links": links_for(visit.principal) if visit else (),
        "path": request.url.path,
        "principal": visit.principal if visit else None,
        "night": None,
        "token": visit.token if visit else "",
    } | values
    shown["form_field"] = lambda: _FORM_FIELD.format(FORM_FIELD, shown["token"])
    return HTMLResponse(site.templates[language].get_template(template).render(shown), status_code=status)


def here(request: Request) -> str:
    """Give the path of a page with its query, to come back to; of a change the page above it, where its form is."""
    if request.method != "GET":
        return local_path(request.url.path.rpartition("/")[0])
    return local_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def address_of(request: Request) -> str:
    """Give the address that a request came from."""
    return request.client.host if request.client else "unknown"


def current_visit(request: Request) -> Visit:
    """Give the request's visit; the gate of every page.

    Raises
    ------
    SignInNeededError
        There is no session, or it is over.
    """
    site: Site = request.app.state.site
    session_id = request.cookies.get(session_cookie(site.page), "")
    at = site.clock()
    user = site.asking(lambda connection: find_session(connection, session_id, at, site.page)) if session_id else None
    if user is None:
        raise SignInNeededError
    if is_stale(user.seen_at, at):
        with site.writing() as connection:
            touch_session(connection, session_id, at)
    return Visit(request, make_principal(user.user_name, user.role, user.manager_id, user.team, site.page), session_id)


AnyVisit = Annotated[Visit, Depends(current_visit)]


async def refuse_foreign_forms(request: Request, visit: AnyVisit) -> None:
    """Refuse a change that no form of this session asked for (403)."""
    if request.method in ("GET", "HEAD"):
        return
    given = request.headers.get(FORM_HEADER) or (await request.form()).get(FORM_FIELD)
    if is_foreign(request) or not isinstance(given, str) or not hmac.compare_digest(given.encode(), visit.token.encode()):
        raise HTTPException(403, "form")


async def refuse_nul(request: Request) -> None:
    """Refuse the one character that PostgreSQL keeps in no text (422, in a path 404): no person types it."""
    if any("\0" in str(value) for value in request.path_params.values()):
        raise HTTPException(404)
    written = (await request.form()).multi_items() if request.method == "POST" else []
    if any("\0" in str(value) for _, value in (*request.query_params.multi_items(), *written)):
        raise HTTPException(422)


def is_foreign(request: Request) -> bool:
    """Tell whether the browser itself says that another site sent the request."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def allowed(permission: Permission) -> Any:
    """Give the dependency of a page that needs a permission: ``visit: Annotated[Visit, allowed(Permission.RECORD)]``.

    Who lacks it gets 403, and the audit log an entry.
    """
    return Depends(_check(permission))


def _check(permission: Permission) -> Callable[[Visit], Awaitable[Visit]]:
    async def check(visit: AnyVisit) -> Visit:  # not in a thread: as a rule there is nothing to wait for
        if not visit.principal.may(permission):
            await run_in_threadpool(visit.log_denied)
            raise HTTPException(403, "permission")
        return visit

    return check
