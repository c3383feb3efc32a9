"""Sentences with places for facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from custvalue.config.base import Settings
from custvalue.wording.formats import FITTING

_PLACE = re.compile(r"\{([^{}]*)\}")
_INSIDE = re.compile(r"([a-z][a-z0-9_]*):([a-z_]+)")


class Place(Settings):
    """A placeholder: which fact, written how."""

    fact: str
    format: str


class Template(Settings):
    """A sentence in one language, read from text such as ``Customer for {tenure_months:months}``."""

    parts: tuple[str | Place, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value.strip():
            raise ValueError("the sentence is empty")
        pieces = _PLACE.split(value)
        if any("{" in text or "}" in text for text in pieces[::2]):
            raise ValueError(f"{value!r} has a brace without its partner")
        parts: list[str | dict[str, str]] = [*pieces]
        parts[1::2] = [_place(inside) for inside in pieces[1::2]]
        return {"parts": parts}

    @property
    def places(self) -> tuple[Place, ...]:
        """The placeholders, from left to right."""
        return tuple(part for part in self.parts if isinstance(part, Place))


def _place(inside: str) -> dict[str, str]:
    match = _INSIDE.fullmatch(inside)
    if match is None:
        raise ValueError(f"placeholder {{{inside}}} must read {{fact:format}}")
    if match[2] not in FITTING:
        raise ValueError(f"placeholder {{{inside}}}: unknown format; use {', '.join(FITTING)}")
    return {"fact": match[1], "format": match[2]}


def field_names(text: str) -> tuple[str, ...]:
    """Names between braces in a label, sorted; an empty name stands for the one number of a unit or currency."""
    return tuple(sorted(_PLACE.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into a label's braces; only names are understood, nothing is evaluated."""
    return _PLACE.sub(lambda match: values[match[1]], text)
