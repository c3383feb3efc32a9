"""The pages that the header leads to, and where each role begins."""

from __future__ import annotations

from dataclasses import dataclass

from custvalue.app.web.principal import Permission, Principal


@dataclass(frozen=True)
class Link:
    """One entry of the header: `name` is a label of the section ``page``."""

    name: str
    path: str
    permission: Permission


LINKS = (
    Link("today", "/today", Permission.ORDERS),
    Link("care", "/care", Permission.ORDERS),
    Link("team", "/team", Permission.TEAM),
    Link("campaigns", "/campaigns", Permission.APPROVE),
    Link("audit", "/audit", Permission.AUDIT),
    Link("portfolio", "/portfolio", Permission.PORTFOLIO),
)
"""In the header's order; the first that a role may open is where it begins."""


def links_for(principal: Principal) -> tuple[Link, ...]:
    """Give the entries that a principal may open."""
    return tuple(link for link in LINKS if principal.may(link.permission))


def local_path(text: str | None, default: str = "/") -> str:
    """Give a path of this site to go on to; anything that could lead elsewhere becomes the default.

    >>> local_path("/today?tier=gold"), local_path("//elsewhere.example"), local_path("https://elsewhere.example")
    ('/today?tier=gold', '/', '/')
    """
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return default
    if any(character in "\\" or not character.isprintable() for character in text) or len(text) > 1000:
        return default
    return text
