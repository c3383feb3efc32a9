"""Rows of a manager's workbook that could not be taken, as a workbook that says why and can be corrected and read again."""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter
from openpyxl import load_workbook

from custvalue.lists.editions import replace_file
from custvalue.lists.feedback import Feedback
from custvalue.lists.feedback_rows import INPUT_KEYS
from custvalue.lists.layout import CARE, HEADER_ROW, KEYS_ROW, PROPERTIES, care_header
from custvalue.wording import Catalogue

_SHOWN = ("order", "customer", *INPUT_KEYS)
_WIDTHS = (28, 24, 16, 16, 12, 40)
_CARE_SHOWN = ("due_on", "kind", "customer", "owed_since", "note")


def write_rejected(path: Path, feedback: Feedback, catalogue: Catalogue, *, language: str) -> None:
    """Write the rows that have a fault, with what the manager wrote and, in the first column, where and what is wrong.

    Parameters
    ----------
    path : Path
        Where to write; its folder must exist. The file appears whole, or not at all.
    feedback : Feedback
        The workbook, as `read_feedback` gives it and later checks left it.
    catalogue, language : Catalogue, str
        The words of the headers.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    for name, value in zip(PROPERTIES, (feedback.night, feedback.manager, language), strict=True):
        if value is not None:
            book.set_custom_property(name, str(value), "text")
    sheet = book.add_worksheet(catalogue.label("sheets.today", language))
    bold, day, wrapped = (
        book.add_format({"bold": True}),
        book.add_format({"num_format": "yyyy-mm-dd"}),
        book.add_format({"text_wrap": True}),
    )
    sheet.set_row(KEYS_ROW, None, None, {"hidden": True})
    sheet.set_column(0, 0, 70)
    sheet.write_string(HEADER_ROW, 0, catalogue.label("texts.rejected", language), bold)
    for place, (key, width) in enumerate(zip(_SHOWN, _WIDTHS, strict=True), start=1):
        sheet.set_column(place, place, width)
        sheet.write_string(KEYS_ROW, place, key)
        sheet.write_string(HEADER_ROW, place, catalogue.label(f"columns.{key}", language), bold)
    told: dict[int, list[str]] = {}
    for fault in feedback.faults:
        if fault.row is not None:
            told.setdefault(fault.row, []).append(f"{fault.cell}: {fault.text(language)}")
    for line, row in enumerate(sorted(told), start=HEADER_ROW + 1):
        sheet.write_string(line, 0, "\n".join(told[row]), wrapped)
        for place, key in enumerate(_SHOWN, start=1):
            _write(sheet, line, place, feedback.values.get(row, {}).get(key), day)
    sheet.freeze_panes(HEADER_ROW + 1, 2)
    if feedback.care.faults:
        _write_care(book, feedback, catalogue, language, day)
    book.close()
    replace_file(path, buffer.getvalue())


def _write_care(book: xlsxwriter.Workbook, feedback: Feedback, catalogue: Catalogue, language: str, day: Any) -> None:
    sheet = book.add_worksheet(catalogue.label("sheets.care", language))
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    sheet.set_row(1, None, None, {"hidden": True})
    sheet.set_column(0, 0, 70)
    sheet.write_string(2, 0, catalogue.label("texts.rejected", language), bold)
    shown = [column for column in CARE if column.key in _CARE_SHOWN]
    for place, column in enumerate(shown, start=1):
        sheet.set_column(place, place, column.width[1])
        sheet.write_string(1, place, column.key)
        sheet.write_string(2, place, catalogue.label(care_header(column, catalogue), language), bold)
    for line, fault in enumerate(feedback.care.faults, start=3):
        sheet.write_string(line, 0, f"{fault.cell}: {fault.text(language)}", wrapped)
        values = feedback.care.values.get(fault.row or 0, {})
        for place, column in enumerate(shown, start=1):
            _write(sheet, line, place, values.get(column.key), day)


def forget_rejected(folder: Path, ids: Collection[str]) -> int:
    """Remove the rows that hold one of these ids, of orders or customers as lists name them, from all files; gives the number of rows."""
    removed = 0
    for path in sorted(folder.glob("*.xlsx")):
        book, before = load_workbook(path), removed
        for sheet in book.worksheets:
            own = [cells[0].row for cells in sheet.iter_rows() if any(str(cell.value) in ids for cell in cells)]
            for row in reversed(own):
                sheet.delete_rows(row)
            removed += len(own)
        if removed > before:
            buffer = io.BytesIO()
            book.save(buffer)
            replace_file(path, buffer.getvalue())
    return removed


def _write(sheet: Any, line: int, place: int, value: Any, day: Any) -> None:
    if isinstance(value, datetime | date):
        sheet.write_datetime(line, place, value if isinstance(value, datetime) else datetime.combine(value, time()), day)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(line, place, value)
    elif value is not None:
        sheet.write_string(line, place, str(value))
