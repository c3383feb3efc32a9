"""The sheets beside today's list, and what all sheets of a workbook have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from custvalue.lists.cells import QUIET, Pen, write_cell
from custvalue.lists.checking import in_language
from custvalue.lists.layout import CARE, CHANGES, INPUTS, Column, care_header, choices, display_width, fitting_width
from custvalue.lists.words import Plain

_LINE = 13.5
_LETTER = 0.9  # mean width of a letter of ten points, in digits of the column's width
_WRAPPED = ("reasons", "script", "offer", "trigger", "text", "decision", "duty", "contact")
_A4 = 9
_FOOTER_TEXT = 60  # Excel takes 255 characters for the three parts together
_TALLEST = 409.0  # points; Excel's limit for a row
_CHANGES = ("new", "moved", "left", "stays")
_BESIDE = {"changes": CHANGES, "care": CARE}


def header_style(column: Column, pen: Pen) -> Format:
    """Give the format of a column's header."""
    side = (
        {"align": "left", "indent": 1}
        if column.kind in ("text", "id", "reasons", "script", "offer", "decision", "duty", "note")
        else {"align": "center"}
    )
    return pen.style(**side, bold=True, bg_color="#E4E7EB", text_wrap=True, bottom=2, bottom_color="#52606D")


def write_rows(sheet: Worksheet, first: int, columns: Sequence[Column], rows: pd.DataFrame, pen: Pen, *, least: int) -> dict[str, float]:
    """Write a table's body, make rows and columns as large as their texts need, and hide columns that have none and may be hidden.

    Parameters
    ----------
    sheet, first : Worksheet, int
        Where, from which row.
    columns, rows : sequence of Column, DataFrame
        What.
    pen : Pen
        How.
    least : int
        Lines for which every row has room.

    Returns
    -------
    dict
        Column key → width, 0 where it is hidden.
    """
    widths, heights = {}, [least] * len(rows)
    for place, column in enumerate(columns):
        values = list(rows[column.source]) if column.source in rows.columns else [None] * len(rows)
        plains = [None if column.kind in INPUTS else pen.plain(column.kind, value) for value in values]
        texts = _texts(column, values, plains, pen)
        width = fitting_width(column, texts)
        hidden = column.hidden_if_empty and not texts
        sheet.set_column(place, place, width, None, {"hidden": hidden})
        widths[column.key] = 0.0 if hidden else width
        for offset, (value, plain) in enumerate(zip(values, plains, strict=True)):
            write_cell(sheet, first + offset, place, column.kind, value, plain, pen)
            if column.kind in _WRAPPED and plain is not None:
                heights[offset] = max(heights[offset], text_lines(str(plain), width - 1))
    for offset, lines in enumerate(heights):
        sheet.set_row(first + offset, min(lines * _LINE + 6, _TALLEST))
    return widths


def text_lines(text: str, width: float) -> int:
    """Count the lines of a text wrapped in a column so many digits wide; letters are narrower, Chinese characters as wide as two."""
    return sum(max(1, math.ceil(_taken(line) / width)) for line in text.split("\n"))


def write_beside(sheet: Worksheet, name: str, table: pd.DataFrame, pen: Pen) -> None:
    """Write what changed since the list before (``changes``; who stays is counted only), or the service that is due (``care``)."""
    columns, table = _BESIDE[name], in_language(table, pen.language)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 27)
    sheet.write_string(0, 0, pen.label(f"texts.{name}"), pen.style(bold=True, font_size=14))
    if name == "changes":
        table, counts = _changed(table, pen)
        sheet.write_string(1, 0, counts, pen.style(font_color=QUIET))
    if table.empty:
        sheet.write_string(2, 0, pen.label(f"texts.no_{name}"), pen.style(font_size=12))
        return
    for place, column in enumerate(columns):
        sheet.write_string(2, place, pen.label(care_header(column, pen.catalogue)), header_style(column, pen))
        if name == "care":
            sheet.write_string(1, place, column.key, pen.style())
    if name == "care":
        sheet.set_row(1, None, None, {"hidden": True})
    write_rows(sheet, 3, columns, table, pen, least=1)
    sheet.autofilter(2, 0, 2 + len(table), len(columns) - 1)
    sheet.freeze_panes(3, 0)
    sheet.repeat_rows(2)


def _changed(table: pd.DataFrame, pen: Pen) -> tuple[pd.DataFrame, str]:
    """Give who is new, moved or left, in this order, and how many there are of each."""
    order = {name: place for place, name in enumerate(_CHANGES)}
    occurring = table["change"].value_counts()
    counts = [f"{pen.called('list_changes', name)} {occurring[name]}" for name in order if name in occurring]
    shown = table[table["change"] != _CHANGES[-1]]
    return shown.sort_values("change", key=lambda names: names.map(order), kind="stable"), " · ".join(counts)


def write_columns(sheet: Worksheet, shown: Sequence[Column], pen: Pen) -> None:
    """Explain the columns that the list shows, one a line."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 112)
    heading, name = pen.style(bold=True, font_size=14), pen.row_style(bold=True, num_format="@")
    meaning = pen.row_style(text_wrap=True, num_format="@")
    sheet.write_string(0, 0, pen.label("texts.explained"), heading)
    row = 2
    for column in shown:
        note = pen.catalogue.note(f"columns.{column.key}", pen.language)
        sheet.set_row(row, text_lines(note, 112) * _LINE + 4)
        sheet.write_string(row, 0, pen.label(f"columns.{column.key}"), name)
        sheet.write_string(row, 1, note, meaning)
        row += 1


def set_page(sheet: Worksheet, pen: Pen, title: str) -> None:
    """Set a sheet up for A4, lying, one page wide, with title and page number below."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.25, right=0.25, top=0.45, bottom=0.6)
    page = pen.label("texts.page", page="&P", pages="&N")
    left, right = (text[:_FOOTER_TEXT].replace("&", "&&") for text in (title, pen.label("texts.confidential")))
    # The blank keeps a text that begins with a digit from being read as part of the font size.
    sheet.set_footer(f"&L&8 {left}&C&8 {page}&R&8 {right}")


def _taken(line: str) -> float:
    wide = display_width(line) - len(line)
    return 2.0 * wide + _LETTER * (len(line) - wide)


def _texts(column: Column, values: Sequence[Any], plains: Sequence[Plain], pen: Pen) -> list[str]:
    """Give what a column shows, a line a text; empty where it shows nothing."""
    if column.kind in INPUTS:
        return choices(pen.catalogue, pen.language, column.kind) if column.kind in ("outcome", "close_reason") else []
    told = [(value, plain) for value, plain in zip(values, plains, strict=True) if plain is not None]
    if column.kind == "money":
        return [pen.money(float(value)) for value, _ in told]
    return [line for _, plain in told for line in str(plain).split("\n")]
