"""The keys of tokens and of the draw: from the environment, or made once and kept beside the output."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from custvalue.errors import ConfigError

if TYPE_CHECKING:
    from custvalue.pipeline import Keys

VARIABLE, HOLDOUT_VARIABLE = "CUSTVALUE_TOKEN_KEY", "CUSTVALUE_HOLDOUT_KEY"
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
    return _key(output / "token.key", environ, VARIABLE)


def night_keys(output: Path, environ: Mapping[str, str]) -> Keys:
    """Give all keys of a night; that of the draw lies in ``holdout.key``, and is never changed. See `token_key`."""
    from custvalue.pipeline import Keys

    return Keys(token_key(output, environ), _holdout_key(output, environ))


def dry_keys(output: Path, environ: Mapping[str, str]) -> Keys:
    """Give the keys of a look at a night: any token will do, but the draw is that of the nights to come."""
    from custvalue.pipeline import Keys

    return Keys(secrets.token_bytes(32), _holdout_key(output, environ))


def _holdout_key(output: Path, environ: Mapping[str, str]) -> bytes:
    return _key(output / "holdout.key", environ, HOLDOUT_VARIABLE)


def _key(path: Path, environ: Mapping[str, str], variable: str) -> bytes:
    given = environ.get(variable)
    if given is not None:
        key, where = given.encode(), variable
    else:
        if not path.exists():
            _make_key(path)
        key, where = path.read_bytes(), str(path)
    if len(key) < _MIN_BYTES:
        what = path.stem
        raise ConfigError(f"{where}: a {what} key needs at least {_MIN_BYTES} bytes, this one has {len(key)}. Use 64 hexadecimal digits.")
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
