"""Writes that survive a power cut: fsync of files and folders, atomic and exclusive creation."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from custvalue.errors import FULL_DISK, TryAgainError

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def full_disk_can_wait(where: Path) -> Iterator[None]:
    """Turn a full disk into `TryAgainError`; other errors pass through."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise TryAgainError(f"{where}: {FULL_DISK}") from error


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file so that readers see the old one or the new one, never a part."""
    replace_text(path, _json(content))


def replace_text(path: Path, text: str) -> None:
    """Write a text file so that readers see the old one or the new one, never a part."""
    _write_beside(path, text).replace(path)
    sync(path.parent)


def create_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole, and only if none is there.

    Raises
    ------
    FileExistsError
        Somebody else created it first; theirs is untouched.
    """
    temporary = _write_beside(path, _json(content))
    try:
        # A link, unlike a rename, fails when the name is taken; unlike O_EXCL, the content is there at once.
        os.link(temporary, path)
    finally:
        temporary.unlink()
    sync(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _write_beside(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
