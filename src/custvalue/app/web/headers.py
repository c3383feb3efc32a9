"""What every answer tells the browser: run nothing foreign, keep nothing, show it inside no other site."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "Content-Security-Policy": ("default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECURE = {"Strict-Transport-Security": "max-age=31536000"}
_STATIC = "/static/"


def add_headers(headers: MutableHeaders, *, secure: bool, stored: bool = False) -> None:
    """Add the headers to an answer; pages are never stored, static files for a year under their digest."""
    headers.update(_ALWAYS | (_SECURE if secure else {}))
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if stored else "no-store"


class Headers:
    """Middleware that adds the headers to every answer."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app, self._secure = app, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                stored = scope["path"].startswith(_STATIC) and message["status"] == 200
                add_headers(MutableHeaders(scope=message), secure=self._secure, stored=stored)
            await send(message)

        await self._app(scope, receive, answer)
