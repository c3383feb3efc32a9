"""The lists that account managers work from; one renderer a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Protocol

import pandas as pd

from custvalue.lists.identity import customer_token, customer_tokens, mask_name, mask_number, order_id
from custvalue.lists.layout import check_labels
from custvalue.lists.rows import directory_entries, list_facts, list_rows
from custvalue.lists.xlsx import write_workbook
from custvalue.wording import Catalogue


class Renderer(Protocol):
    """Writes one manager's list."""

    def __call__(
        self,
        path: Path,
        rows: pd.DataFrame,
        *,
        manager: str,
        as_of: date,
        language: str,
        currency: str,
        catalogue: Catalogue,
    ) -> None:
        """Write the list to a file, whole or not at all."""


FORMATS: dict[str, Renderer] = {"xlsx": write_workbook}
"""File ending → renderer; a new format is one file and one line here."""

__all__ = [
    "FORMATS",
    "Renderer",
    "check_labels",
    "customer_token",
    "customer_tokens",
    "directory_entries",
    "list_facts",
    "list_rows",
    "mask_name",
    "mask_number",
    "order_id",
    "write_workbook",
]
