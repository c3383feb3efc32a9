"""How a value becomes a cell: its type, number format and colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from custvalue.lists.layout import Column, Kind
from custvalue.wording import WHOLE_MONEY_FROM, Catalogue, whole_percent

FONTS = {"en": "Calibri", "zh": "Microsoft YaHei"}
INK, QUIET, RULE, PAPER = "#1F2933", "#7B8794", "#D9DEE4", "#FFFFFF"
RISK_COLOURS = {"high": ("#B42318", "#FDE3E0"), "medium": ("#8A5300", "#FFF0CC"), "low": ("#2F6B3A", "#E5F3E7")}
TIER_COLOURS = {"diamond": ("#3B2E83", "#E8E5F8"), "gold": ("#7A5A00", "#FBEFC7"), "silver": ("#46525F", "#E9ECF0")}
CARE_COLOURS = {"open": RISK_COLOURS["high"], "priority": RISK_COLOURS["medium"]}
INPUT = "#FFFBEA"


class Pen:
    """Writes the cells of one workbook in one language and currency; keeps each cell format once."""

    def __init__(self, book: xlsxwriter.Workbook, *, catalogue: Catalogue, language: str, currency: str) -> None:
        self.catalogue = catalogue
        self.language = language
        self._currency = currency
        before, after = catalogue.money_pattern(language=language, currency=currency).split("{}")
        self._around = tuple(f'"{part}"' if part else "" for part in (before, after))
        self._book = book
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def style(self, **properties: object) -> Format:
        """Give the cell format of these XlsxWriter properties over the common ones."""
        common = {"font_name": FONTS[self.language], "font_size": 10, "font_color": INK, "valign": "vcenter"}
        merged = {**common, **properties}
        key = tuple(sorted(merged.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(merged)
        return self._formats[key]

    def row_style(self, **properties: object) -> Format:
        """Give the format of a cell in the list's body: ruled below."""
        return self.style(bottom=1, bottom_color=RULE, **properties)

    def done_style(self) -> Format:
        """Give the format that greys a row when its outcome is written."""
        return self._book.add_format({"font_color": "#A3ACB5", "bg_color": PAPER})

    def label(self, key: str, **values: str) -> str:
        """Give a label in the list's language."""
        return self.catalogue.label(key, self.language, **values)

    def money(self, value: float) -> str:
        """Write an amount as text."""
        return self.catalogue.money(value, language=self.language, currency=self._currency)

    def money_format(self, value: float) -> str:
        """Give the number format under which the cell shows what the sentences say."""
        before, after = self._around
        digits = f"{before}{'#,##0' if abs(value) >= WHOLE_MONEY_FROM else '0.00'}{after}"
        return f"{digits};-{digits}"

    @property
    def share_format(self) -> str:
        """Whole percent."""
        return "0%" if self.language == "zh" else r"0\ %"


@dataclass(frozen=True)
class Cell:
    """What is written: text as a string cell, numbers and days as numbers, None as a blank."""

    value: str | float | date | None
    style: Format


def write_cell(sheet: Worksheet, row: int, place: int, column: Column, value: Any, pen: Pen) -> None:
    """Write one cell of the list's body; a missing value leaves it blank."""
    missing = value is None or (pd.api.types.is_scalar(value) and pd.isna(value))
    cell = _to_fill_in(pen) if column.source is None else Cell(None, pen.row_style()) if missing else _CELLS[column.kind](value, pen)
    if cell.value is None:
        sheet.write_blank(row, place, None, cell.style)
    elif isinstance(cell.value, str):
        # write() would guess: an id of digits would lose its zeros, a name that begins with = would become a formula.
        sheet.write_string(row, place, cell.value, cell.style)
    elif isinstance(cell.value, date):
        sheet.write_datetime(row, place, cell.value, cell.style)
    else:
        sheet.write_number(row, place, cell.value, cell.style)


def _text(value: Any, pen: Pen) -> Cell:
    return Cell(str(value), pen.row_style(num_format="@", align="left", indent=1))


def _id(value: Any, pen: Pen) -> Cell:
    return Cell(str(value), pen.row_style(num_format="@", align="left", indent=1, font_color=QUIET))


def _reasons(value: Any, pen: Pen) -> Cell:
    lines = "\n".join(f"• {reason}" for reason in value)
    return Cell(lines, pen.row_style(num_format="@", align="left", indent=1, text_wrap=True))


def _whole(value: Any, pen: Pen) -> Cell:
    return Cell(float(value), pen.row_style(num_format="0", align="center"))


def _money(value: Any, pen: Pen) -> Cell:
    return Cell(float(value), pen.row_style(num_format=pen.money_format(float(value))))


def _share(value: Any, pen: Pen) -> Cell:
    # The cell holds no more than it shows: three digits would promise what no model knows.
    return Cell(float(whole_percent(float(value))), pen.row_style(num_format=pen.share_format, align="center"))


def _trend(value: Any, pen: Pen) -> Cell:
    change = 0.0 - float(whole_percent(float(value)))
    share = pen.share_format
    colour = RISK_COLOURS["high"][0] if change < 0 else INK
    return Cell(change, pen.row_style(num_format=f'"▲ "{share};"▼ "{share};"–"', align="center", font_color=colour))


def _date(value: Any, pen: Pen) -> Cell:
    return Cell(value, pen.row_style(num_format="yyyy-mm-dd", align="center"))


def _chip(section: str, colours: Mapping[str, tuple[str, str]]) -> Callable[[Any, Pen], Cell]:
    def cell(value: Any, pen: Pen) -> Cell:
        words = pen.catalogue.label(f"{section}.{value}", pen.language, default=str(value))
        ink, ground = colours.get(str(value), (INK, PAPER))
        style = {"font_color": ink, "bg_color": ground, "bold": str(value) in colours}
        return Cell(words, pen.row_style(align="center", text_wrap=True, num_format="@", **style))

    return cell


def _to_fill_in(pen: Pen) -> Cell:
    return Cell(None, pen.row_style(num_format="@", text_wrap=True, bg_color=INPUT, left=1, left_color=RULE))


_CELLS: dict[Kind, Callable[[Any, Pen], Cell]] = {
    "text": _text,
    "id": _id,
    "reasons": _reasons,
    "whole": _whole,
    "money": _money,
    "share": _share,
    "trend": _trend,
    "date": _date,
    "tier": _chip("tiers", TIER_COLOURS),
    "risk": _chip("risk_bands", RISK_COLOURS),
    "loss": _chip("risk_kinds", {}),
    "care": _chip("care", CARE_COLOURS),
}
