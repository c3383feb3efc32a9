"""Tables of a report as an Excel workbook: one sheet a subject, numbers as numbers."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from custvalue.app.report_tables import Cell, ReportTable
from custvalue.lists.cells import QUIET, Pen
from custvalue.lists.layout import display_width
from custvalue.wording import Catalogue

_WIDEST, _WIDEST_HEADER, _NARROWEST = 60, 24, 9
_LINE = 14.0


def workbook(
    tables: Sequence[ReportTable],
    *,
    sheets: Mapping[str, str],
    title: str,
    lines: Sequence[str],
    as_of: date,
    language: str,
    currency: str,
    catalogue: Catalogue,
) -> bytes:
    """Write tables into a workbook; the same tables give the same bytes.

    Parameters
    ----------
    tables : sequence of ReportTable
        Those of one sheet stand below each other, in this order.
    sheets : mapping of str to str
        ``ReportTable.sheet`` → name of the sheet, in the workbook's order.
    title : str
        At the head of every sheet.
    lines : sequence of str
        Sentences below the title of the first sheet.
    as_of : date
        Dates the file.
    language, currency, catalogue
        As for `lists.xlsx.write_workbook`.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # XlsxWriter dates a file by the clock unless told otherwise.
    book.set_properties({"title": title, "author": "custvalue", "created": datetime.combine(as_of, time())})
    pen = Pen(book, catalogue=catalogue, language=language, currency=currency)
    for place, (name, words) in enumerate(sheets.items()):
        sheet = book.add_worksheet(words)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, title, pen.style(bold=True, font_size=14))
        row = 1
        for line in lines if place == 0 else ():
            sheet.write_string(row, 0, line, pen.style(font_color=QUIET))
            row += 1
        own = [table for table in tables if table.sheet == name and table.rows]
        widths = _set_widths(sheet, own)
        for table in own:
            sheet.set_row(row + 2, _LINE * _header_lines(table, widths) + 3)
            row = _write(sheet, row + 1, table, pen)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    book.close()
    return buffer.getvalue()


def _write(sheet: Worksheet, row: int, table: ReportTable, pen: Pen) -> int:
    sheet.write_string(row, 0, table.title, pen.style(bold=True, font_size=11))
    for place, (header, is_number) in enumerate(zip(table.headers, table.is_number, strict=True)):
        side = "right" if is_number else "left"
        sheet.write_string(row + 1, place, header, pen.style(bold=True, bg_color="#E4E7EB", text_wrap=True, align=side))
    for offset, cells in enumerate(table.rows, start=row + 2):
        for place, cell in enumerate(cells):
            _write_cell(sheet, offset, place, cell, pen)
    return row + 2 + len(table.rows)


def _write_cell(sheet: Worksheet, row: int, place: int, cell: Cell, pen: Pen) -> None:
    if cell.number is None:
        # write() would guess: a tier that begins with = would become a formula
        sheet.write_string(row, place, cell.shown, pen.row_style(num_format="@", align="left" if cell.kind == "text" else "right"))
    else:
        sheet.write_number(row, place, cell.number, pen.row_style(num_format=cell.number_format))


def _set_widths(sheet: Worksheet, tables: Sequence[ReportTable]) -> list[float]:
    widths: list[float] = []
    for place in range(max((len(table.headers) for table in tables), default=0)):
        texts = [row[place].shown for table in tables for row in table.rows if place < len(row)]
        headers = [display_width(table.headers[place]) for table in tables if place < len(table.headers)]
        longest = max([display_width(text) for text in texts] + [min(width, _WIDEST_HEADER) for width in headers], default=0)
        widths.append(min(max(longest + 2, _NARROWEST), _WIDEST))
        sheet.set_column(place, place, widths[-1])
    return widths


def _header_lines(table: ReportTable, widths: Sequence[float]) -> int:
    return max(math.ceil((display_width(header) + 2) / width) for header, width in zip(table.headers, widths, strict=False))
