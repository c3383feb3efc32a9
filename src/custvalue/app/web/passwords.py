"""Passwords: hashed with argon2id, checked in the same time whether or not there is such a user."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from custvalue.errors import ConfigError

LEAST, MOST = 12, 200
"""Characters of a password; more than `MOST` would only cost time."""

# A hash takes 64 MiB and two cores' time: a rush at eight in the morning queues here, and the page goes on.
_AT_ONCE = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises
    ------
    ConfigError
        It is too short or too long.
    """
    if not LEAST <= len(password) <= MOST:
        raise ConfigError(f"a password needs {LEAST} to {MOST} characters, this one has {len(password)}.")
    with _AT_ONCE:
        return _HASHER.hash(password)


def password_fits(password: str, hashed: str | None) -> bool:
    """Tell whether a password is right; without a hash it takes as long, and is wrong."""
    try:
        with _AT_ONCE:
            return _HASHER.verify(hashed or _nobody(), password[: MOST + 1]) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def make_password() -> str:
    """Make a password that nobody guesses, of letters that are not mistaken for others."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
