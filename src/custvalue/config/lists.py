"""Into which formats the lists are written."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import field_validator

from custvalue.config.base import Settings

ListFormat = Literal["xlsx", "csv", "salesforce", "dynamics"]


class ListsConfig(Settings):
    """Formats of the lists.

    Attributes
    ----------
    formats : tuple of str
        ``xlsx`` and ``csv`` give one file a manager, ``salesforce`` and ``dynamics`` one a night, to be loaded into that system.
    salesforce, dynamics : Path, optional
        Mapping files: which column of that system takes what; without one, the file shipped with the package.
    """

    formats: tuple[ListFormat, ...] = ("xlsx",)
    salesforce: Path | None = None
    dynamics: Path | None = None

    @field_validator("formats")
    @classmethod
    def _each_once(cls, value: tuple[ListFormat, ...]) -> tuple[ListFormat, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"{next(name for name in value if value.count(name) > 1)!r} stands here twice; name each format once")
        return value
