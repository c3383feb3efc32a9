"""Identity of inputs and runs: SHA-256 of files, and one short hash of everything that decides a night's result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

RUN_ID_LENGTH = 16


def run_id(parts: Mapping[str, Any]) -> str:
    """Hash what decides a result (as_of, input digests, model version, policies, config, code).

    Parameters
    ----------
    parts : mapping
        JSON values and dates, nested as deep as needed; the order of keys does not matter.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    TypeError, ValueError
        A value has no single JSON form: an object, NaN, infinity, or a mapping key that is not text.

    Examples
    --------
    >>> run_id({"as_of": date(2026, 1, 1), "model": 3}) == run_id({"model": 3, "as_of": "2026-01-01"})
    True
    """
    _refuse_other_keys(parts)
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:RUN_ID_LENGTH]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_files(paths: Iterable[Path]) -> str:
    """Hash a set of files by name and content, whatever their order and folder; 64 hexadecimal digits."""
    lines = sorted(f"{file_digest(path)} {path.name}" for path in paths)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a run id takes JSON values and dates, not {type(value).__name__}: turn it into text first")


def _refuse_other_keys(value: object) -> None:
    # json.dumps would turn the key 1 into "1" and so give two different mappings one hash.
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a run id takes text keys, not {key!r}")
            _refuse_other_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_other_keys(inner)
