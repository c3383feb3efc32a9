"""A night's lists as one CSV file for Salesforce's Bulk API or Data Loader."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from custvalue.lists.crm import export_rows, mapping_of
from custvalue.lists.csv import table
from custvalue.lists.editions import Edition, replace_file
from custvalue.lists.mapping import local, mapped
from custvalue.lists.words import Words


def write_salesforce(folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
    """Write ``salesforce.csv`` with all managers' customers, to be upserted by its external id.

    UTF-8 without a byte order mark, lines ended by a line feed, days as yyyy-MM-dd and moments with their offset: what Bulk API 2.0 takes
    by default. An empty cell leaves a field as it is.
    """
    words = Words(edition.catalogue, edition.language, edition.currency)

    def moment(value: datetime) -> str:
        return local(edition.zone, value).isoformat(timespec="milliseconds")

    cells = mapped(export_rows(rows, edition), mapping_of("salesforce", edition.settings), words, moment)
    path = folder / "salesforce.csv"
    replace_file(path, table(cells, line_end="\n").encode("utf-8"))
    return [path]
