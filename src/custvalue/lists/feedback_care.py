"""Reading the sheet of service contacts back: whatever a manager notes beside one says that it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from openpyxl.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from custvalue.lists.feedback_rows import Fault, cell_text, is_empty, plain_text
from custvalue.lists.layout import CARE, care_header
from custvalue.wording import LANGUAGES, Catalogue

_NEEDED = ("customer", "kind", "owed_since", "note")
_SEARCHED_ROWS = 10


@dataclass(frozen=True)
class ReportedCare:
    """A service contact that was made.

    Attributes
    ----------
    row, cell : int, str
        Where the note stands.
    customer, kind, since : str, str, date
        As the list shows him; a care rule; the first night on which it was owed.
    note : str
    """

    row: int
    cell: str
    customer: str
    kind: str
    since: date
    note: str


@dataclass
class CareFeedback:
    """What the sheet of service contacts holds.

    Attributes
    ----------
    catalogue : Catalogue
        The words of faults.
    there : bool
        Whether the workbook has one.
    rows, faults : list
        The good ones; what is wrong with the others.
    values : dict
        Row → `Column.key` → what the cell holds, of every row with a note.
    """

    catalogue: Catalogue = field(repr=False)
    there: bool = False
    rows: list[ReportedCare] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    values: dict[int, dict[str, Any]] = field(default_factory=dict)

    def refuse(self, row: ReportedCare, code: str) -> None:
        """Take a row out for a fault that shows later; see `Fault.of`."""
        self.rows.remove(row)
        self.faults.append(Fault.of(self.catalogue, row.cell, code, row.row))


def read_care(book: Workbook, catalogue: Catalogue) -> CareFeedback:
    """Read the notes beside service contacts; columns are found by their hidden keys, or by their headers in either language."""
    found = CareFeedback(catalogue)
    kinds = {plain_text(text): name for name in catalogue.names("care_kinds") for text in (name, *_words(catalogue, f"care_kinds.{name}"))}
    for sheet in book.worksheets:
        place = _find_columns(sheet, catalogue)
        if place is None:
            continue
        columns, first = place
        found.there = True
        for cells in sheet.iter_rows(min_row=first):
            own = {key: cells[at] for key, at in columns.items() if at < len(cells)}
            if "note" in own and not is_empty(own["note"]):
                found.values[cells[0].row] = {key: cell.value for key, cell in own.items()}
                read = _read(sheet.title, cells[0].row, own, kinds)
                if isinstance(read, ReportedCare):
                    found.rows.append(read)
                else:
                    found.faults.append(Fault.of(catalogue, f"{sheet.title}!{own['note'].coordinate}", read, cells[0].row))
        return found
    return found


def _find_columns(sheet: Worksheet, catalogue: Catalogue) -> tuple[dict[str, int], int] | None:
    """Give `Column.key` → place, and the first row of contacts; None where it is another sheet."""
    headers = {plain_text(text): column.key for column in CARE for text in _words(catalogue, care_header(column, catalogue))}
    keys = {column.key: column.key for column in CARE}
    for known, below in ((keys, 2), (headers, 1)):
        for cells in sheet.iter_rows(min_row=1, max_row=_SEARCHED_ROWS):
            texts = [cell_text(cell) if known is keys else plain_text(cell_text(cell)) for cell in cells]
            columns = {known[text]: place for place, text in enumerate(texts) if text in known}
            if all(key in columns for key in _NEEDED):
                return columns, cells[0].row + below
    return None


def _words(catalogue: Catalogue, key: str) -> tuple[str, ...]:
    return tuple(catalogue.label(key, language) for language in LANGUAGES)


def _read(sheet: str, row: int, cells: dict[str, Cell], kinds: dict[str, str]) -> ReportedCare | str:
    """Give a row, or the code of its fault."""
    if cells["note"].data_type in ("f", "e"):
        return "care_formula"
    kind, since = kinds.get(plain_text(cell_text(cells["kind"]))), _day(cells["owed_since"])
    customer = cell_text(cells["customer"])
    if not customer or kind is None or since is None:
        return "care_unreadable"
    return ReportedCare(row, f"{sheet}!{cells['note'].coordinate}", customer, kind, since, cell_text(cells["note"]))


def _day(cell: Cell) -> date | None:
    value = cell.value.date() if isinstance(cell.value, datetime) else cell.value
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(cell_text(cell))
    except ValueError:
        return None
