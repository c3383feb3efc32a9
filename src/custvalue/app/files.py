"""Files that a command writes outside the published nights: whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pandas as pd

from custvalue.errors import ConfigError


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame beside its name and rename it into place.

    Raises
    ------
    ConfigError
        The folder does not exist, or the name is a folder.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"{path}: name a Parquet file in a folder that exists.")
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        frame.to_parquet(part, index=False)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
