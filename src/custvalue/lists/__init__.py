"""The lists that account managers work from, and their exports; one renderer a file."""

from __future__ import annotations

from custvalue.lists.editions import Edition
from custvalue.lists.formats import FORMATS, WHOLE, check_formats, write_formats
from custvalue.lists.identity import customer_token, customer_tokens, mask_name, mask_number, order_id, safe_name
from custvalue.lists.layout import check_labels
from custvalue.lists.rows import care_rows, directory_entries, list_facts, list_rows
from custvalue.lists.xlsx import write_workbook

__all__ = [
    "FORMATS",
    "WHOLE",
    "Edition",
    "care_rows",
    "check_formats",
    "check_labels",
    "customer_token",
    "customer_tokens",
    "directory_entries",
    "list_facts",
    "list_rows",
    "mask_name",
    "mask_number",
    "order_id",
    "safe_name",
    "write_formats",
    "write_workbook",
]
