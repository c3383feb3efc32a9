"""What can go wrong, by who can mend it; each error carries the exit code that the command line promises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any


class CustValueError(Exception):
    """Root of every error that custvalue raises on purpose.

    The message says what is wrong, where (table, column, rows, an example) and what to do about it; `facts` says some of it to machines.
    """

    exit_code = 1
    facts: Mapping[str, Any] = {}


class ConfigError(CustValueError, ValueError):
    """A command, a YAML file or an argument is wrong (exit 2)."""

    exit_code = 2


class DataError(CustValueError, ValueError):
    """Data break the contract, come late, or are missing (exit 3)."""

    exit_code = 3


class ModelError(CustValueError):
    """A model is missing, untrainable, refused, or failed its gate (exit 4)."""

    exit_code = 4


class PublishError(CustValueError):
    """Another run holds the lock, or has published something else for the night (exit 5)."""

    exit_code = 5


class TryAgainError(CustValueError):
    """Something outside is busy or full: the same command may pass later (exit 75)."""

    exit_code = 75


FULL_DISK = "the disk or quota is full. Free some room and run the command again."
"""What every writer says when there is no room."""


def mask(value: object) -> str:
    """Show an identifier's ends only, so that an error message can hold an example.

    >>> mask("7590-VHVEG")
    '75***EG'
    """
    text = str(value)
    kept = max(0, min(2, (len(text) - 2) // 2))
    return f"{text[:kept]}***{text[len(text) - kept :]}"


_LONG_NUMBER = re.compile(r"\d{9,}")


def hide_numbers(value: object) -> str:
    """Write a value that should be none of the identifying ones; what looks like a number of a person is masked all the same.

    >>> hide_numbers("n/a"), hide_numbers("8613800001234")
    ('n/a', '86***34')
    """
    return _LONG_NUMBER.sub(lambda found: mask(found[0]), str(value))


def some(values: Iterable[object], limit: int = 3) -> str:
    """Join the first few values for a message.

    >>> some(["a", "b", "c", "d"])
    'a, b, c, …'
    """
    shown = [str(value) for value in values]
    return ", ".join(shown[:limit] + (["…"] if len(shown) > limit else []))
