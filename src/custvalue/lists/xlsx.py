"""One manager's list as an Excel workbook."""

from __future__ import annotations

import io
import math
import os
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from custvalue.lists.cells import PAPER, QUIET, Pen, write_cell
from custvalue.lists.layout import COLUMNS, Column, checked_rows, display_width, fitting_width
from custvalue.wording import Catalogue

HEADER_ROW = 3
"""Zero-based row of the column headers; the first customer stands below."""

_TITLE, _SUMMARY, _GROUPS, _FIRST = 0, 1, HEADER_ROW - 1, HEADER_ROW + 1
_LINE, _KEYS = 14.0, [column.key for column in COLUMNS]
_A4 = 9
_FOOTER_TEXT = 60  # Excel takes 255 characters for the three parts together


def write_workbook(
    path: Path,
    rows: pd.DataFrame,
    *,
    manager: str,
    as_of: date,
    language: str,
    currency: str,
    catalogue: Catalogue,
) -> None:
    """Write one manager's list: today's customers, and a second sheet that explains the columns.

    The same rows give the same bytes. The file appears whole under its name, or not at all.

    Parameters
    ----------
    path : Path
        Where to write; its folder must exist.
    rows : DataFrame
        One row a customer: order_id, customer, name, number (text; the last two may be empty), tier, risk_kind (may be empty), risk_band,
        care_priority, open_complaint (bool), arpu, value_at_stake, net_value (currency), arpu_drop (share or NaN),
        tenure_months, days_to_expiry (or NaN), probability, priority (1 first), reasons (texts in the list's language),
        due_by (date). May be empty.
    manager : str
        Shown in title and footer.
    as_of : date
        The list's day.
    language, currency : str
        ``en`` or ``zh``; ISO code.
    catalogue : Catalogue
        The words.

    Raises
    ------
    DataError
        A column is missing, or an order id occurs twice.
    ConfigError
        The catalogue lacks a label.
    """
    ordered = checked_rows(rows)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    pen = Pen(book, catalogue=catalogue, language=language, currency=currency)
    shown = catalogue.label(f"values.{manager}", language, default=manager)
    title = pen.label("texts.title", as_of=as_of.isoformat(), manager=shown)
    # XlsxWriter dates a file by the clock unless told otherwise.
    book.set_properties({"title": title, "author": "custvalue", "created": datetime.combine(as_of, time())})
    today, columns = (book.add_worksheet(pen.label(f"sheets.{name}")) for name in ("today", "columns"))
    _write_today(today, ordered, pen, title)
    _write_columns(columns, pen)
    for sheet in (today, columns):
        _set_page(sheet, pen, title)
    book.close()
    _replace(path, buffer.getvalue())


def _write_today(sheet: Worksheet, rows: pd.DataFrame, pen: Pen, title: str) -> None:
    sheet.hide_gridlines(2)
    sheet.set_row(_TITLE, 27)
    sheet.set_row(_SUMMARY, 18)
    sheet.write_string(_TITLE, 0, title, pen.style(bold=True, font_size=16))
    if rows.empty:
        sheet.set_row(_GROUPS, 24)
        sheet.write_string(_GROUPS, 0, pen.label("texts.empty"), pen.style(font_size=12))
        return
    sheet.write_string(_SUMMARY, 0, _summary(rows, pen), pen.style(font_color=QUIET))
    _write_headers(sheet, pen)
    records: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    widths = [_set_width(sheet, place, rows, pen) for place in range(len(COLUMNS))]
    for offset, record in enumerate(records):
        sheet.set_row(_FIRST + offset, _height(record["reasons"], widths[_KEYS.index("reasons")]))
        for place, column in enumerate(COLUMNS):
            value = None if column.source is None else record[column.source]
            write_cell(sheet, _FIRST + offset, place, column, value, pen)
    last = HEADER_ROW + len(records)
    _add_outcomes(sheet, last, pen)
    sheet.autofilter(HEADER_ROW, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(_FIRST, _KEYS.index("number"))
    sheet.repeat_rows(_GROUPS, HEADER_ROW)
    sheet.print_area(0, 0, last, len(COLUMNS) - 2)


def _summary(rows: pd.DataFrame, pen: Pen) -> str:
    count = pen.label("texts.one") if len(rows) == 1 else pen.label("texts.many", count=str(len(rows)))
    stake, net = (pen.money(math.fsum(rows[name])) for name in ("value_at_stake", "net_value"))
    return f"{count} · {pen.label('texts.totals', stake=stake, net=net)}"


def _write_headers(sheet: Worksheet, pen: Pen) -> None:
    sheet.set_row(_GROUPS, 17)
    sheet.set_row(HEADER_ROW, 31)
    group_style = pen.style(bold=True, font_size=9, font_color=PAPER, bg_color="#52606D", align="left", indent=1, left=1, left_color=PAPER)
    header = {"bold": True, "bg_color": "#E4E7EB", "text_wrap": True, "bottom": 2, "bottom_color": "#52606D"}
    groups = [column.group for column in COLUMNS]
    for group in dict.fromkeys(groups):
        first, size, words = groups.index(group), groups.count(group), pen.label(f"groups.{group}")
        if size > 1:
            sheet.merge_range(_GROUPS, first, _GROUPS, first + size - 1, words, group_style)
        else:
            sheet.write_string(_GROUPS, first, words, group_style)
    for place, column in enumerate(COLUMNS):
        side = {"align": "left", "indent": 1} if column.kind in ("text", "id", "reasons") else {"align": "center"}
        sheet.write_string(HEADER_ROW, place, pen.label(f"columns.{column.key}"), pen.style(**side, **header))


def _set_width(sheet: Worksheet, place: int, rows: pd.DataFrame, pen: Pen) -> float:
    column = COLUMNS[place]
    texts = _texts(column, rows, pen)
    width = fitting_width(column, texts)
    hidden = column.hidden_if_empty and not any(texts)
    sheet.set_column(place, place, width, None, {"hidden": hidden})
    return width


def _texts(column: Column, rows: pd.DataFrame, pen: Pen) -> list[str]:
    if column.source is None:
        return _choices(pen) if column.key == "outcome" else []
    values = rows[column.source]
    if column.kind == "reasons":
        return [reason for reasons in values for reason in reasons]
    if column.kind == "money":
        return [pen.money(float(value)) for value in values.dropna()]
    return [str(value) for value in values.dropna() if str(value)]


def _choices(pen: Pen) -> list[str]:
    return [pen.label(f"outcomes.{name}") for name in pen.catalogue.names("outcomes")]


def _height(reasons: list[str], width: float) -> float:
    lines = sum(math.ceil((display_width(reason) + 2) / (width - 1)) for reason in reasons)
    return max(2, lines) * _LINE + 5


def _add_outcomes(sheet: Worksheet, last: int, pen: Pen) -> None:
    place = _KEYS.index("outcome")
    options = {
        "validate": "list",
        "source": _choices(pen),
        "error_title": pen.label("columns.outcome"),
        "error_message": pen.label("texts.choose"),
    }
    sheet.data_validation(_FIRST, place, last, place, options)
    done = f'=${xl_col_to_name(place)}{_FIRST + 1}<>""'
    sheet.conditional_format(_FIRST, 0, last, place - 1, {"type": "formula", "criteria": done, "format": pen.done_style()})
    # Numbers that stand as text are meant: the green corner would only invite to convert them.
    sheet.ignore_errors({"number_stored_as_text": f"A{_FIRST + 1}:{xl_col_to_name(len(COLUMNS) - 1)}{last + 1}"})


def _write_columns(sheet: Worksheet, pen: Pen) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 112)
    heading, name = pen.style(bold=True, font_size=14), pen.row_style(bold=True, num_format="@")
    meaning = pen.row_style(text_wrap=True, num_format="@")
    sheet.write_string(0, 0, pen.label("texts.explained"), heading)
    row = 2
    for column in COLUMNS:
        sheet.write_string(row, 0, pen.label(f"columns.{column.key}"), name)
        sheet.write_string(row, 1, pen.catalogue.note(f"columns.{column.key}", pen.language), meaning)
        row += 1


def _set_page(sheet: Worksheet, pen: Pen, title: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.45, bottom=0.6)
    page = pen.label("texts.page", page="&P", pages="&N")
    left, right = (text[:_FOOTER_TEXT].replace("&", "&&") for text in (title, pen.label("texts.confidential")))
    # The blank keeps a text that begins with a digit from being read as part of the font size.
    sheet.set_footer(f"&L&8 {left}&C&8 {page}&R&8 {right}")


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
