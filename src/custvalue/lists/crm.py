"""What the exports into other systems have in common."""

from __future__ import annotations

import pandas as pd

from custvalue.config.lists import ListsConfig
from custvalue.config.loading import ready_configs
from custvalue.lists.checking import checked_rows
from custvalue.lists.editions import Edition
from custvalue.lists.mapping import ExportMapping, load_export


def mapping_of(name: str, settings: ListsConfig) -> ExportMapping:
    """Read the operator's mapping file, or the one shipped with the package."""
    return load_export(getattr(settings, name) or ready_configs() / "exports" / f"{name}.yaml")


def export_rows(rows: pd.DataFrame, edition: Edition) -> pd.DataFrame:
    """Give all managers' rows in the order of their lists, with the priority that those show."""
    parts = [checked_rows(own.rows, edition.language) for _, own in edition.by_manager(rows)]
    return pd.concat(parts, ignore_index=True) if parts else checked_rows(rows, edition.language)
