"""Into which formats a night's lists are written."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pandas as pd

from custvalue.config.lists import ListFormat, ListsConfig
from custvalue.lists.crm import mapping_of
from custvalue.lists.csv import write_csvs
from custvalue.lists.dynamics import write_dynamics
from custvalue.lists.editions import Edition
from custvalue.lists.salesforce import write_salesforce
from custvalue.lists.xlsx import write_workbooks


class Renderer(Protocol):
    """Writes the lists of a night into a folder."""

    def __call__(self, folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
        """Write each file whole or not at all, and give their paths."""


FORMATS: dict[ListFormat, Renderer] = {
    "xlsx": write_workbooks,
    "csv": write_csvs,
    "salesforce": write_salesforce,
    "dynamics": write_dynamics,
}
"""Name in the config → renderer; a new format is one file and one line here."""

WHOLE: tuple[ListFormat, ...] = ("salesforce", "dynamics")
"""Formats whose files hold all managers' customers: whoever takes one customer out writes them anew."""


def write_formats(folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
    """Write the lists in every format of the config.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    rows : DataFrame
        What `list_rows` gave, of all managers.
    edition : Edition
        What they have in common.

    Returns
    -------
    list of Path
        All files.

    Raises
    ------
    DataError
        A column is missing, or an order id occurs twice.
    ConfigError
        The catalogue lacks a label, or a mapping file has a fault.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [path for name in edition.settings.formats for path in FORMATS[name](folder, rows, edition)]


def check_formats(settings: ListsConfig) -> None:
    """Check the mapping files of the config's formats before a run.

    Raises
    ------
    ConfigError
        One cannot be read or has a fault.
    """
    for name in settings.formats:
        if name in WHOLE:
            mapping_of(name, settings)
