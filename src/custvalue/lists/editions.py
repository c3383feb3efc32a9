"""What the lists of one night have in common, whatever their format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from custvalue.config.lists import ListsConfig
from custvalue.lists.identity import safe_name
from custvalue.wording import Catalogue


@dataclass(frozen=True)
class ManagersPart:
    """What concerns one manager: customers to call, what changed, and service that is due."""

    rows: pd.DataFrame
    changes: pd.DataFrame | None
    care: pd.DataFrame | None


@dataclass(frozen=True, kw_only=True)
class Edition:
    """The lists of a night.

    Attributes
    ----------
    as_of : date
        Their day.
    language, currency, time_zone : str
        The operator's: ``en`` or ``zh``, ISO code, IANA name.
    catalogue : Catalogue
        The words.
    settings : ListsConfig
        Formats and mapping files.
    changes, care : DataFrame, optional
        As `layout.CHANGES` and `layout.CARE` have it, and ``manager_id``.
    """

    as_of: date
    language: str
    currency: str
    time_zone: str
    catalogue: Catalogue
    settings: ListsConfig = field(default_factory=ListsConfig)
    changes: pd.DataFrame | None = None
    care: pd.DataFrame | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        return ZoneInfo(self.time_zone)

    def by_manager(self, rows: pd.DataFrame) -> Iterator[tuple[str, ManagersPart]]:
        """Give each manager's part, by id: of all who have customers to call or service to give."""
        called, changes, care = (_by_manager(table) for table in (rows, self.changes, self.care))
        for manager in sorted({*called, *care}):
            changed = None if self.changes is None else changes.get(manager, self.changes.head(0))
            owed = None if self.care is None else care.get(manager, self.care.head(0))
            yield manager, ManagersPart(called.get(manager, rows.head(0)), changed, owed)

    @staticmethod
    def file_name(manager: str, suffix: str) -> str:
        """Give the name of a manager's file."""
        return f"{safe_name(manager)}.{suffix}"


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole under its name, or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _by_manager(table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    return {} if table is None else {str(name): own for name, own in table.groupby(table["manager_id"].astype(str), sort=False)}
