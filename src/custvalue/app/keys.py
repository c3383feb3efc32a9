"""The key behind customer tokens: from the environment, or made once and kept beside the output."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from custvalue.errors import ConfigError

VARIABLE = "CUSTVALUE_TOKEN_KEY"
_MIN_BYTES = 16


def token_key(output: Path, environ: Mapping[str, str]) -> bytes:
    """Give the HMAC key that turns customer ids into tokens.

    Parameters
    ----------
    output : Path
        The config's output folder; holds ``token.key`` (readable by its owner only) unless the variable is set.
    environ : mapping
        The process's environment.

    Raises
    ------
    ConfigError
        The key is too short to protect anything.
    """
    given = environ.get(VARIABLE)
    if given is not None:
        key = given.encode()
        where = VARIABLE
    else:
        path = output / "token.key"
        where = str(path)
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    if len(key) < _MIN_BYTES:
        raise ConfigError(f"{where}: a token key needs at least {_MIN_BYTES} bytes, this one has {len(key)}. Use 64 hexadecimal digits.")
    return key


def _make_key(path: Path) -> None:
    """Write a new key whole, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
