"""The page's cookies: a session's random id, the language, the list to go back to, and what ties a sign-in form to its browser."""

from __future__ import annotations

import re

from fastapi import Request
from starlette.responses import Response

from custvalue.app.web.navigation import local_path
from custvalue.config.page import PageConfig
from custvalue.wording.models import LANGUAGES

_LANGUAGE = "custvalue_language"
_LIST, _LISTS = "custvalue_list", "/today"
_YEAR = 365 * 86400
_PREFERRED = re.compile(r"\b(en|zh)\b")


def session_cookie(page: PageConfig) -> str:
    """Give the session cookie's name; over https no subdomain can set one of that name."""
    return "__Host-custvalue" if page.secure else "custvalue"


def sign_in_cookie(page: PageConfig) -> str:
    """Give the name of the cookie that a sign-in form belongs to."""
    return f"{session_cookie(page)}-sign-in"


def set_cookie(response: Response, name: str, value: str, page: PageConfig, *, seconds: int | None = None) -> None:
    """Set a cookie that no script can read and no foreign form sends along; without `seconds` it ends with the browser."""
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=page.secure)


def drop_cookie(response: Response, name: str, page: PageConfig) -> None:
    """Remove a cookie."""
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=page.secure)


def set_language(response: Response, language: str, page: PageConfig) -> None:
    """Remember the language for a year."""
    set_cookie(response, _LANGUAGE, language, page, seconds=_YEAR)


def set_list(response: Response, path: str, page: PageConfig) -> None:
    """Remember where in the list somebody was: filters, sort and page."""
    set_cookie(response, _LIST, path, page)


def list_of(request: Request) -> str:
    """Give where in the list this browser was last; the whole list where it was nowhere."""
    path = local_path(request.cookies.get(_LIST), _LISTS)
    return path if path.partition("?")[0] == _LISTS else _LISTS


def language_of(request: Request) -> str:
    """Give the language: the one chosen, else the first that the browser asks for, else the config's."""
    chosen = request.cookies.get(_LANGUAGE)
    if chosen in LANGUAGES:
        return str(chosen)
    wished = _PREFERRED.search(request.headers.get("accept-language", "").lower())
    return wished[0] if wished else str(request.app.state.site.config.language)
