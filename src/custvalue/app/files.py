"""Files that a command writes outside the published nights: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.errors import ConfigError


def check_writable(path: Path) -> None:
    """Refuse a name that no file can be written under, before the work begins; raises ConfigError."""
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"{path}: name a Parquet file in a folder that exists.")


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame beside its name and rename it into place.

    Raises
    ------
    ConfigError
        The folder does not exist, or the name is a folder.
    """
    _replace(path, lambda part: frame.to_parquet(part, index=False))


def write_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as `write_parquet` does; dates keep their type where none is known."""
    _replace(path, lambda part: pq.write_table(table, part, compression="zstd"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as `write_parquet` does; the folder is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, lambda part: part.write_bytes(content))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    check_writable(path)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
