"""A night's lists as one CSV file for the data import of Dynamics 365."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from custvalue.lists.crm import export_rows, mapping_of
from custvalue.lists.csv import table
from custvalue.lists.editions import Edition, replace_file
from custvalue.lists.mapping import mapped
from custvalue.lists.words import Words

LARGEST = 8_000_000
"""Bytes that one imported file may have (8 MB); more rows go into further files."""


def write_dynamics(folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
    """Write ``dynamics.csv`` with all managers' customers, and ``dynamics-2.csv`` and so on where one file would be too large to import.

    UTF-8; the headers match the display names of the columns. Moments are the operator's own, as its importing user writes them.
    """
    words = Words(edition.catalogue, edition.language, edition.currency)

    def moment(value: datetime) -> str:
        return f"{value:%Y-%m-%d %H:%M}"

    header, *lines = mapped(export_rows(rows, edition), mapping_of("dynamics", edition.settings), words, moment)
    head = table([header], line_end="\r\n").encode("utf-8-sig")
    files = [bytearray(head)]
    for line in lines:
        written = table([line], line_end="\r\n").encode("utf-8")
        if len(files[-1]) + len(written) > LARGEST:
            files.append(bytearray(head))
        files[-1] += written
    paths = [folder / f"dynamics{'' if number == 1 else f'-{number}'}.csv" for number in range(1, len(files) + 1)]
    for path, content in zip(paths, files, strict=True):
        replace_file(path, bytes(content))
    return paths
