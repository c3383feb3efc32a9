"""One manager's list as an Excel workbook."""

from __future__ import annotations

import io
import math
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from custvalue.lists.cells import NEVER, PAPER, QUIET, Pen
from custvalue.lists.checking import checked_rows, rules_for_all
from custvalue.lists.editions import Edition, replace_file
from custvalue.lists.layout import (
    COLUMNS,
    GROUPS_ROW,
    HEADER_ROW,
    INPUTS,
    KEYS,
    KEYS_ROW,
    PROPERTIES,
    RULES_ROW,
    SUMMARY_ROW,
    TITLE_ROW,
    Column,
    choices,
)
from custvalue.lists.sheets import header_style, set_page, text_lines, write_beside, write_columns, write_rows
from custvalue.wording import Catalogue

_FIRST = HEADER_ROW + 1
_PRINTED = [column.key for column in COLUMNS if column.printed]
_LONGEST_CALL = timedelta(days=366)


def write_workbooks(folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
    """Write ``<manager>.xlsx`` for every manager who has customers to call or service to give."""
    paths = []
    for manager, own in edition.by_manager(rows):
        paths.append(folder / edition.file_name(manager, "xlsx"))
        write_workbook(
            paths[-1],
            own.rows,
            manager=manager,
            as_of=edition.as_of,
            language=edition.language,
            currency=edition.currency,
            catalogue=edition.catalogue,
            changes=own.changes,
            care=own.care,
        )
    return paths


def write_workbook(
    path: Path,
    rows: pd.DataFrame,
    *,
    manager: str,
    as_of: date,
    language: str,
    currency: str,
    catalogue: Catalogue,
    changes: pd.DataFrame | None = None,
    care: pd.DataFrame | None = None,
) -> None:
    """Write one manager's list: today's customers, what changed, service that is due, and a sheet that explains the columns.

    The same rows give the same bytes. The file appears whole under its name, or not at all.

    Parameters
    ----------
    path : Path
        Where to write; its folder must exist.
    rows : DataFrame
        One row a customer, see `list_rows`: at least order_id, customer, tier, risk_band, care_priority, open_complaint (bool), arpu,
        value_at_stake, net_value (currency), tenure_months, probability, priority (1 first), reasons (texts in the list's language, or
        ``reasons_<language>``), due_by (date, or the moment in the operator's zone). May be empty.
    manager : str
        Shown in title and footer.
    as_of : date
        The list's day.
    language, currency : str
        ``en`` or ``zh``; ISO code.
    catalogue : Catalogue
        The words.
    changes, care : DataFrame, optional
        What changed since the list before (columns of `layout.CHANGES`), and service contacts that are due (of `layout.CARE`); without
        them their sheets are left out.

    Raises
    ------
    DataError
        A column is missing, or an order id occurs twice.
    ConfigError
        The catalogue lacks a label.
    """
    ordered = checked_rows(rows, language)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    pen = Pen(book, catalogue=catalogue, language=language, currency=currency)
    title = pen.text(pen.label("texts.title", as_of=as_of.isoformat(), manager=pen.called("values", manager)))
    # XlsxWriter dates a file by the clock unless told otherwise.
    book.set_properties({"title": title, "author": "custvalue", "created": datetime.combine(as_of, time())})
    for name, value in zip(PROPERTIES, (as_of.isoformat(), manager, language), strict=True):
        book.set_custom_property(name, value[:255], "text")  # Excel takes no more
    today = book.add_worksheet(pen.label("sheets.today"))
    shown = _write_today(today, ordered, pen, title, as_of)
    for name, table in (("changes", changes), ("care", care)):
        if table is not None:
            write_beside(book.add_worksheet(pen.label(f"sheets.{name}")), name, table, pen)
    write_columns(book.add_worksheet(pen.label("sheets.columns")), shown, pen)
    for sheet in book.worksheets():
        set_page(sheet, pen, title)
    book.close()
    replace_file(path, buffer.getvalue())


def _write_today(sheet: Worksheet, rows: pd.DataFrame, pen: Pen, title: str, as_of: date) -> list[Column]:
    """Write the list, and give the columns that it shows."""
    sheet.hide_gridlines(2)
    sheet.set_row(TITLE_ROW, 27)
    sheet.set_row(SUMMARY_ROW, 18)
    sheet.write_string(TITLE_ROW, 0, title, pen.style(bold=True, font_size=16))
    if rows.empty:
        sheet.write_string(SUMMARY_ROW, 0, pen.label("texts.empty"), pen.style(font_size=12))
        return list(COLUMNS)
    sheet.write_string(SUMMARY_ROW, 0, _summary(rows, pen), pen.style(font_color=QUIET))
    _write_headers(sheet, pen)
    widths = write_rows(sheet, _FIRST, COLUMNS, rows, pen, least=2)
    _write_rules(sheet, rows, sum(widths[key] for key in _PRINTED), pen)
    last = HEADER_ROW + len(rows)
    _add_inputs(sheet, last, pen, as_of)
    sheet.autofilter(HEADER_ROW, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(_FIRST, KEYS.index("number"))
    sheet.repeat_rows(GROUPS_ROW, HEADER_ROW)
    sheet.print_area(0, 0, last, len(_PRINTED) - 1)
    return [column for column in COLUMNS if widths[column.key]]


def _summary(rows: pd.DataFrame, pen: Pen) -> str:
    count = pen.label("texts.one") if len(rows) == 1 else pen.label("texts.many", count=str(len(rows)))
    red = int((rows["urgency"] == "red").sum())
    urgent = [pen.label("texts.urgent", count=str(red))] if red else []
    stake, net = (pen.money(math.fsum(rows[name])) for name in ("value_at_stake", "net_value"))
    return " · ".join([count, *urgent, pen.label("texts.totals", stake=stake, net=net)])


def _write_rules(sheet: Worksheet, rows: pd.DataFrame, width: float, pen: Pen) -> None:
    """Write above the list what holds for every call: told beside one customer it would give a signal away."""
    hours = rows["best_time"].dropna().unique()
    rules = ("" if pen.language == "zh" else " ").join(rules_for_all(rows))
    told = [pen.label("texts.hours", hours=str(hours[0]))] if len(hours) == 1 else []
    told += [pen.label("texts.rules", rules=rules)] if rules else []
    if not told:
        sheet.set_row(RULES_ROW, 3)
        return
    text = pen.text("\n".join(told))
    sheet.set_row(RULES_ROW, 13.5 * text_lines(text, width) + 3)
    sheet.merge_range(RULES_ROW, 0, RULES_ROW, len(_PRINTED) - 1, "", pen.style())
    sheet.write_string(RULES_ROW, 0, text, pen.style(font_color=NEVER, text_wrap=True, valign="top", num_format="@"))


def _write_headers(sheet: Worksheet, pen: Pen) -> None:
    sheet.set_row(GROUPS_ROW, 17)
    sheet.set_row(KEYS_ROW, None, None, {"hidden": True})
    sheet.set_row(HEADER_ROW, 31)
    group_style = pen.style(bold=True, font_size=9, font_color=PAPER, bg_color="#52606D", align="left", indent=1, left=1, left_color=PAPER)
    groups = [column.group for column in COLUMNS]
    for group in dict.fromkeys(groups):
        first, size, words = groups.index(group), groups.count(group), pen.label(f"groups.{group}")
        if size > 1:
            sheet.merge_range(GROUPS_ROW, first, GROUPS_ROW, first + size - 1, words, group_style)
        else:
            sheet.write_string(GROUPS_ROW, first, words, group_style)
    for place, column in enumerate(COLUMNS):
        sheet.write_string(KEYS_ROW, place, column.key, pen.style())
        sheet.write_string(HEADER_ROW, place, pen.label(f"columns.{column.key}"), header_style(column, pen))


def _add_inputs(sheet: Worksheet, last: int, pen: Pen, as_of: date) -> None:
    for place, column in enumerate(COLUMNS):
        if column.kind not in INPUTS or column.kind == "note":
            continue
        rule: dict[str, Any] = {"error_title": pen.label(f"columns.{column.key}")}
        if column.kind == "day":
            rule |= {"validate": "date", "criteria": "between", "minimum": as_of, "maximum": as_of + _LONGEST_CALL}
            rule |= {"error_message": pen.label("texts.choose_day")}
        else:
            told = "choose" if column.kind == "outcome" else "choose_reason"
            rule |= {"validate": "list", "source": choices(pen.catalogue, pen.language, column.kind)}
            rule |= {"error_message": pen.label(f"texts.{told}")}
        sheet.data_validation(_FIRST, place, last, place, rule)
    place = KEYS.index("outcome")
    done = f'=${xl_col_to_name(place)}{_FIRST + 1}<>""'
    sheet.conditional_format(_FIRST, 0, last, place - 1, {"type": "formula", "criteria": done, "format": pen.done_style()})
    # Numbers that stand as text are meant: the green corner would only invite to convert them.
    sheet.ignore_errors({"number_stored_as_text": f"A{_FIRST + 1}:{xl_col_to_name(len(COLUMNS) - 1)}{last + 1}"})
