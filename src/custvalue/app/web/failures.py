"""Pages for what went wrong: in plain words, without anything of the inside."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from custvalue.app.web.headers import add_headers
from custvalue.app.web.repository import NotFoundError
from custvalue.app.web.visit import SignInNeededError, here, is_foreign, render
from custvalue.errors import DataError, TryAgainError

_log = logging.getLogger("custvalue.page")
_WORDED = (403, 404, 405, 413, 422, 429, 500, 503)
_FORM = "form"
"""Detail of a 403 whose form was old or not ours."""
_LONGEST_NOTE = 2000


def add_failure_pages(app: FastAPI) -> None:
    """Register what is shown for each kind of failure."""
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NotFoundError, _answer(404))
    app.add_exception_handler(RequestValidationError, _answer(422))
    app.add_exception_handler(DataError, _told)
    app.add_exception_handler(TryAgainError, _answer(503))
    app.add_exception_handler(Exception, _broken)


def failure_page(request: Request, status: int, *, kind: str | None = None, told: str | None = None) -> Response:
    """Give the page for a status; `kind` names other words than the status does, `told` adds a sentence."""
    words = kind or str(status if status in _WORDED else 500 if status >= 500 else 404)
    return render(request, "failure.html.j2", status=status, kind=words, told=told)


async def _sign_in(request: Request, _: Exception) -> Response:
    """Send whoever must sign in to do so, and back to the page afterwards; a change is not repeated by itself, and its note given back."""
    target = f"/login?next={quote(here(request), safe='/')}"
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": target})
    if note := await _note_of(request):
        return render(request, "signed_out.html.j2", status=401, note=note, target=target)
    return RedirectResponse(target, status_code=303)


async def _note_of(request: Request) -> str:
    """Give the note of a form of this site; what another site sends is not shown in our name."""
    if request.method != "POST" or is_foreign(request):
        return ""
    note = (await request.form()).get("note")
    return note.strip()[:_LONGEST_NOTE] if isinstance(note, str) else ""


async def _http(request: Request, error: Any) -> Response:
    answer = failure_page(request, error.status_code, kind=_FORM if error.detail == _FORM else None)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


async def _told(request: Request, error: Exception) -> Response:
    return failure_page(request, 422, told=str(error))


async def _broken(request: Request, error: Exception) -> Response:
    # the type and the place alone: a message may hold a customer's data
    trace, place = error.__traceback__, ""
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    _log.error("a page failed: %s at %s", type(error).__name__, place)
    answer = failure_page(request, 500)
    add_headers(answer.headers, secure=request.app.state.site.page.secure)  # this answer is given outside all middleware
    return answer


def _answer(status: int) -> Any:
    async def answer(request: Request, _: Exception) -> Response:
        return failure_page(request, status)

    return answer
