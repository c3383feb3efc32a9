"""How a value becomes a cell: its type, number format and colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from custvalue.lists.layout import INPUTS, Kind
from custvalue.lists.words import NOT_TO_SAY, Plain, Words
from custvalue.wording import WHOLE_MONEY_FROM, Catalogue

FONTS = {"en": "Calibri", "zh": "Microsoft YaHei"}
INK, QUIET, RULE, PAPER = "#1F2933", "#7B8794", "#D9DEE4", "#FFFFFF"
RISK_COLOURS = {"high": ("#B42318", "#FDE3E0"), "medium": ("#8A5300", "#FFF0CC"), "low": ("#2F6B3A", "#E5F3E7")}
TIER_COLOURS = {"diamond": ("#3B2E83", "#E8E5F8"), "gold": ("#7A5A00", "#FBEFC7"), "silver": ("#46525F", "#E9ECF0")}
CARE_COLOURS = {"open": RISK_COLOURS["high"], "priority": RISK_COLOURS["medium"]}
URGENCY_COLOURS = {"red": RISK_COLOURS["high"], "amber": RISK_COLOURS["medium"]}
CHANGE_COLOURS = {"new": RISK_COLOURS["low"], "moved": RISK_COLOURS["medium"], "left": ("#46525F", "#E9ECF0")}
FALLING, NEVER = RISK_COLOURS["high"][0], "#8A3B33"
INPUT = "#FFFBEA"


class Pen(Words):
    """Writes the cells of one workbook in one language and currency; keeps each cell format once."""

    def __init__(self, book: xlsxwriter.Workbook, *, catalogue: Catalogue, language: str, currency: str) -> None:
        super().__init__(catalogue, language, currency)
        before, after = catalogue.money_pattern(language=language, currency=currency).split("{}")
        self._around = tuple(f'"{part}"' if part else "" for part in (before, after))
        self._book = book
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def style(self, **properties: object) -> Format:
        """Give the cell format of these XlsxWriter properties over the common ones."""
        key = tuple(properties.items())
        if key not in self._formats:
            common = {"font_name": FONTS[self.language], "font_size": 10, "font_color": INK, "valign": "vcenter"}
            self._formats[key] = self._book.add_format({**common, **properties})
        return self._formats[key]

    def row_style(self, **properties: object) -> Format:
        """Give the format of a cell in the list's body: ruled below."""
        return self.style(bottom=1, bottom_color=RULE, **properties)

    def done_style(self) -> Format:
        """Give the format that greys a row when its outcome is written."""
        return self._book.add_format({"font_color": "#A3ACB5", "bg_color": PAPER})

    def money_format(self, value: float) -> str:
        """Give the number format under which the cell shows what the sentences say."""
        before, after = self._around
        digits = f"{before}{'#,##0' if abs(value) >= WHOLE_MONEY_FROM else '0.00'}{after}"
        return f"{digits};-{digits}"

    @property
    def share_format(self) -> str:
        """Whole percent."""
        return "0%" if self.language == "zh" else r"0\ %"


Style = dict[str, object]


def write_cell(sheet: Worksheet, row: int, place: int, kind: Kind, value: Any, plain: Plain, pen: Pen) -> None:
    """Write one cell of a table's body, which holds `plain` for `value`; a missing value leaves it blank."""
    if kind in INPUTS:
        sheet.write_blank(row, place, None, pen.row_style(**_input_style(kind)))
    elif plain is None:
        sheet.write_blank(row, place, None, pen.row_style())
    elif kind == "script":
        _write_script(sheet, row, place, str(plain), pen)
    else:
        style = _STYLES.get(kind, _always(_LINES))(value, plain, pen)
        write_plain(sheet, row, place, plain, pen.row_style(**style))


def write_plain(sheet: Worksheet, row: int, place: int, plain: Plain, style: Format) -> None:
    """Write text as a string cell, numbers and days as numbers, None as a blank."""
    if plain is None:
        sheet.write_blank(row, place, None, style)
    elif isinstance(plain, str):
        # write() would guess: an id of digits would lose its zeros, a name that begins with = would become a formula.
        sheet.write_string(row, place, plain, style)
    elif isinstance(plain, date):
        sheet.write_datetime(row, place, plain, style)
    else:
        sheet.write_number(row, place, plain, style)


def _write_script(sheet: Worksheet, row: int, place: int, text: str, pen: Pen) -> None:
    """Write what to say in ink, and what not to say in red below it."""
    cell = pen.row_style(**_LINES)
    say, mark, not_say = text.partition(NOT_TO_SAY)
    if say and mark:
        sheet.write_rich_string(row, place, pen.style(), say, pen.style(font_color=NEVER), mark + not_say, cell)
    else:
        sheet.write_string(row, place, text, pen.row_style(**_LINES, font_color=NEVER) if mark else cell)


def _input_style(kind: Kind) -> Style:
    shown: Style = {"num_format": "yyyy-mm-dd", "align": "center"} if kind == "day" else {"num_format": "@", "text_wrap": True}
    return {**shown, "bg_color": INPUT, "left": 1, "left_color": RULE}


def _money(value: Any, plain: Plain, pen: Pen) -> Style:  # noqa: ARG001
    return {"num_format": pen.money_format(float(value))}


def _share(value: Any, plain: Plain, pen: Pen) -> Style:  # noqa: ARG001
    return {"num_format": pen.share_format, "align": "center"}


def _trend(value: Any, plain: Plain, pen: Pen) -> Style:  # noqa: ARG001
    share = pen.share_format
    colour = FALLING if isinstance(plain, float) and plain < 0 else INK
    return {"num_format": f'"▲ "{share};"▼ "{share};"–"', "align": "center", "font_color": colour}


def _date(value: Any, plain: Plain, pen: Pen) -> Style:  # noqa: ARG001
    # with an hour the year, which stands in the title, would not leave it room
    return {"num_format": "mm-dd hh:mm" if isinstance(plain, datetime) else "yyyy-mm-dd", "align": "center"}


def _always(style: Style) -> Callable[[Any, Plain, Pen], Style]:
    return lambda value, plain, pen: style  # noqa: ARG005


def _chip(colours: Mapping[str, tuple[str, str]], code: Callable[[Any], str] = str) -> Callable[[Any, Plain, Pen], Style]:
    def style(value: Any, plain: Plain, pen: Pen) -> Style:  # noqa: ARG001
        ink, ground = colours.get(code(value), (INK, PAPER))
        return {
            "align": "center", "text_wrap": True, "num_format": "@", "font_color": ink, "bg_color": ground, "bold": code(value) in colours,
        }  # fmt: skip

    return style


_LINES: Style = {"num_format": "@", "align": "left", "indent": 1, "text_wrap": True}
_STYLES: dict[Kind, Callable[[Any, Plain, Pen], Style]] = {
    "id": _always({"num_format": "@", "align": "left", "indent": 1, "font_color": QUIET}),
    "offer": _always({**_LINES, "bold": True}),
    "whole": _always({"num_format": "0", "align": "center"}),
    "money": _money,
    "share": _share,
    "trend": _trend,
    "date": _date,
    "tier": _chip(TIER_COLOURS),
    "risk": _chip(RISK_COLOURS),
    "care": _chip(CARE_COLOURS),
    "loss": _chip({}),
    "consent": _chip({}),
    "trigger": _chip(URGENCY_COLOURS, code=lambda value: str(value[0])),
    "since": _chip(CHANGE_COLOURS, code=lambda value: str(value[0])),
    "change": _chip(CHANGE_COLOURS),
}
