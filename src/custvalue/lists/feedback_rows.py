"""One row of a manager's workbook: what its cells say, or which of them is wrong."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from openpyxl.cell import Cell

from custvalue.errors import hide_numbers
from custvalue.retention.orders.states import CLOSE_REASONS, OUTCOMES
from custvalue.wording import LANGUAGES, Catalogue

INPUT_KEYS = ("outcome", "close_reason", "contacted_on", "note")
"""`Column.key` of what managers fill in."""
_DAY = re.compile(r"^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?$")
_REASONS = tuple(reason for known in CLOSE_REASONS.values() for reason in known)
_SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("outcome", "outcomes", tuple(OUTCOMES)),
    ("close_reason", "close_reasons", _REASONS),
)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, or with the whole workbook.

    Attributes
    ----------
    cell : str
        ``Today!R7``, a range, or the sheet's name.
    told : str
        What is wrong and what to do, in English.
    row : int, optional
        The sheet's row; None where it is about the whole workbook.
    zh : str
        The same in Chinese, where managers read it.
    """

    cell: str
    told: str
    row: int | None = None
    zh: str = ""

    @classmethod
    def of(cls, catalogue: Catalogue, cell: str, code: str, row: int | None = None, **values: str) -> Fault:
        """Say a fault in the words of ``feedback_faults.<code>``."""
        en, zh = (catalogue.label(f"feedback_faults.{code}", language, **values) for language in ("en", "zh"))
        return cls(cell, en, row, zh)

    def text(self, language: str) -> str:
        """Give what is wrong in a language, in English where it has no other words."""
        return (self.zh if language == "zh" else "") or self.told


@dataclass(frozen=True)
class Reported:
    """A row that a manager filled in.

    Attributes
    ----------
    row : int
        The sheet's row.
    order_id : str
        As the list names it.
    outcome : str, optional
        One of `OUTCOMES`; None where there is a note alone.
    reason, on, note : str, date, str
        Coded reason, day of the contact and free text, where told.
    cells : mapping
        `Column.key` → cell, for faults that show later.
    """

    row: int
    order_id: str
    outcome: str | None
    reason: str | None
    on: date | None
    note: str
    cells: Mapping[str, str]

    @property
    def key(self) -> str:
        """Tells this content from any other: the same row read twice counts once."""
        content = [self.order_id, self.outcome or "", self.reason or "", self.on.isoformat() if self.on else "", self.note]
        return "feedback " + hashlib.sha256("\x1f".join(content).encode()).hexdigest()


class RowReader:
    """Reads the cells of one row after another."""

    def __init__(self, sheet: str, catalogue: Catalogue, language: str, *, night: date | None, today: date) -> None:
        self._sheet, self._night, self._today, self._catalogue = sheet, night, today, catalogue
        self._words, self._choices = {}, {}
        for key, section, names in _SECTIONS:
            self._words[key] = _words(catalogue, section, names)
            self._choices[key] = " · ".join(catalogue.label(f"{section}.{name}", language) for name in names)

    def read(self, row: int, cells: Mapping[str, Cell]) -> Reported | Fault:
        """Give the row, or its first fault."""
        places = {key: f"{self._sheet}!{cell.coordinate}" for key, cell in cells.items()}
        try:
            for key in ("order", *INPUT_KEYS):
                _refuse_computed(key, cells.get(key))
            order = cell_text(cells["order"])
            if not order:
                raise _WrongCellError("order", "no_order_number")
            outcome, reason = (self._coded(key, cells.get(key)) for key in ("outcome", "close_reason"))
            on, note = self._day(cells.get("contacted_on")), cell_text(cells.get("note"))
            if outcome is None and (reason or not note):
                raise _WrongCellError("outcome", "outcome_missing")
            return Reported(row, order, outcome, reason, on, note, places)
        except _WrongCellError as wrong:
            return Fault.of(self._catalogue, places[wrong.key], wrong.code, row, **wrong.values)

    def _coded(self, key: str, cell: Cell | None) -> str | None:
        text = cell_text(cell)
        if not text:
            return None
        code = self._words[key].get(plain_text(text))
        if code is None:
            raise _WrongCellError(key, f"no_{key}", text=repr(hide_numbers(text[:40])), choices=self._choices[key])
        return code

    def _day(self, cell: Cell | None) -> date | None:
        if cell is None or is_empty(cell):
            return None
        value = cell.value
        if isinstance(value, datetime):
            value = value.date()
        match = _DAY.match(value.strip()) if isinstance(value, str) else None
        try:
            day = value if isinstance(value, date) else date(*map(int, match.groups())) if match else None
        except ValueError:
            day = None
        if day is None:
            raise _WrongCellError("contacted_on", "no_day", text=repr(hide_numbers(str(value)[:40])), today=str(self._today))
        if day > self._today:
            raise _WrongCellError("contacted_on", "day_to_come", day=str(day))
        if self._night is not None and day < self._night:
            raise _WrongCellError("contacted_on", "day_before_list", day=str(day), night=str(self._night))
        return day


class _WrongCellError(Exception):
    """One cell of a row is wrong."""

    def __init__(self, key: str, code: str, **values: str) -> None:
        super().__init__(code)
        self.key, self.code, self.values = key, code, values


def _refuse_computed(key: str, cell: Cell | None) -> None:
    if cell is not None and cell.data_type == "f":
        raise _WrongCellError(key, "formula")
    if cell is not None and cell.data_type == "e":
        raise _WrongCellError(key, "error_value", value=str(cell.value))


def _words(catalogue: Catalogue, section: str, names: Iterable[str]) -> dict[str, str]:
    """Map what may be written, the words of either language or the code, to the code."""
    return dict(_pairs(catalogue, section, names))


def _pairs(catalogue: Catalogue, section: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield plain_text(name), name
        for language in LANGUAGES:
            yield plain_text(catalogue.label(f"{section}.{name}", language)), name


def plain_text(text: str) -> str:
    """Fold what a keyboard varies: case, width, blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def cell_text(cell: Cell | None) -> str:
    """Give what a cell holds as text, without blanks around it; a whole number without decimals."""
    if cell is None or cell.value is None:
        return ""
    value = cell.value
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def is_empty(cell: Cell) -> bool:
    """Whether nothing but blanks stands in a cell."""
    return not cell_text(cell)
