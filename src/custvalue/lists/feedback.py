"""Reading a manager's workbook back: every row that he filled in, or what is wrong with it and in which cell."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from custvalue.errors import DataError, mask
from custvalue.lists.feedback_care import CareFeedback, read_care
from custvalue.lists.feedback_rows import INPUT_KEYS, Fault, Reported, RowReader, cell_text, is_empty, plain_text
from custvalue.lists.layout import HEADER_ROW, KEYS, KEYS_ROW, PROPERTIES, SUMMARY_ROW
from custvalue.wording import LANGUAGES, Catalogue

_NEEDED = ("order", "outcome")
_SEARCHED_ROWS = 20
_LARGEST = 200 * 2**20  # bytes, unpacked: a list of thousands of rows has a few


@dataclass
class Feedback:
    """What a workbook holds.

    Attributes
    ----------
    path, catalogue : Path, Catalogue
        The file, and the words of faults.
    night, manager : date, str
        Of which list it is; None where the file does not tell.
    rows : list of Reported
        The good ones.
    faults : list of Fault
        What is wrong with the others.
    values : dict
        Row → `Column.key` → what the cell holds, of every row that was filled in.
    care : CareFeedback
        What the sheet of service contacts holds.
    """

    path: Path
    catalogue: Catalogue = field(repr=False)
    night: date | None
    manager: str | None
    rows: list[Reported] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    values: dict[int, dict[str, Any]] = field(default_factory=dict)
    care: CareFeedback = field(init=False)

    def __post_init__(self) -> None:
        self.care = CareFeedback(self.catalogue)

    def refuse(self, row: Reported, key: str, code: str, **values: str) -> None:
        """Take a row out for a fault that shows later, in one of its cells; see `Fault.of`."""
        self.rows.remove(row)
        self.faults.append(Fault.of(self.catalogue, row.cells[key], code, row.row, **values))


def read_feedback(path: Path, catalogue: Catalogue, *, today: date) -> Feedback:
    """Read what a manager wrote into his workbook; see `layout` for what a workbook holds.

    Columns are found wherever they stand, by their hidden keys or, where those are gone, by their headers in either language. Rows in
    which nothing was written are left out. Macros are never run.

    Parameters
    ----------
    path : Path
        An .xlsx or .xlsm file.
    catalogue : Catalogue
        The words of outcomes and reasons.
    today : date
        The operator's day: no contact lies after it.

    Raises
    ------
    DataError
        The file is no workbook, or none of a list.
    """
    book = _open(path)
    properties = {each.name: str(each.value) for each in book.custom_doc_props.props if each.name in PROPERTIES}
    try:
        night = date.fromisoformat(properties[PROPERTIES[0]])
    except (KeyError, ValueError):
        night = None
    found = Feedback(path, catalogue, night, properties.get(PROPERTIES[1]))
    nobody = book.worksheets[0].max_row <= SUMMARY_ROW + 1  # to be asked before reading, which adds empty rows
    found.care = read_care(book, catalogue)
    if nobody and found.care.there:
        return found
    sheet, columns, first = _find_table(book, path, catalogue)
    merged = _merged_rows(sheet, columns, first, found)
    language = properties.get(PROPERTIES[2], "")
    reader = RowReader(sheet.title, catalogue, language if language in LANGUAGES else LANGUAGES[0], night=night, today=today)
    for cells in sheet.iter_rows(min_row=first):
        own = {key: cells[place] for key, place in columns.items() if place < len(cells)}
        number = cells[0].row
        if number not in merged and all(is_empty(own[key]) for key in INPUT_KEYS if key in own):
            continue
        found.values[number] = {key: cell.value for key, cell in own.items()}
        if number in merged:
            continue
        read = reader.read(number, own)
        if isinstance(read, Fault):
            found.faults.append(read)
        else:
            found.rows.append(read)
    _refuse_twice(found, sheet.title)
    return found


def _open(path: Path) -> Workbook:
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        raise DataError(f"{path}: feedback is read from .xlsx workbooks; open the file in Excel and save it as one.")
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        book = load_workbook(path) if size <= _LARGEST else None
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: this is no workbook that can be read ({type(error).__name__}); a password would be one cause. "
            "Open it in Excel, save it without a password as .xlsx, and run the command again."
        ) from error
    if book is None:
        raise DataError(f"{path}: unpacked the workbook has {size / 2**20:,.0f} MB, which no list has. Send the list itself.")
    return book


def _find_table(book: Workbook, path: Path, catalogue: Catalogue) -> tuple[Worksheet, dict[str, int], int]:
    """Give the sheet with the list, `Column.key` → place in its rows, and its first row of customers."""
    labels = {plain_text(catalogue.label(f"columns.{key}", language)): key for key in KEYS for language in LANGUAGES}
    best: tuple[Worksheet, dict[str, int]] | None = None
    for sheet in book.worksheets:
        for is_keys in (True, False):
            for cells in sheet.iter_rows(min_row=1, max_row=_SEARCHED_ROWS):
                texts = [cell_text(cell) for cell in cells]
                found = (text if text in KEYS else None for text in texts) if is_keys else (labels.get(plain_text(text)) for text in texts)
                named = [(key, place) for place, key in enumerate(found)]
                columns = {key: place for key, place in named if key}
                if all(key in columns for key in _NEEDED):
                    if len(columns) < len([key for key, _ in named if key]):
                        raise DataError(f"{path}: {sheet.title}!{cells[0].row}: a column stands there twice. Remove the copy.")
                    return sheet, columns, cells[0].row + (HEADER_ROW - KEYS_ROW if is_keys else 0) + 1
                if best is None or len(columns) > len(best[1]):
                    best = sheet, columns
    missing = [key for key in _NEEDED if best is None or key not in best[1]]
    told = " and ".join("/".join(catalogue.label(f"columns.{key}", language) for language in LANGUAGES) for key in missing)
    raise DataError(f"{path}: no sheet has a column {told}. Fill in the workbook that the night made, and keep its headers.")


def _merged_rows(sheet: Worksheet, columns: Mapping[str, int], first: int, found: Feedback) -> set[int]:
    """Tell the merged cells of the list: all but the first of them have lost what stood there."""
    places = {place + 1 for key, place in columns.items() if key in ("order", *INPUT_KEYS)}
    rows: set[int] = set()
    for area in sheet.merged_cells.ranges:
        if area.max_row >= first and places & set(range(area.min_col, area.max_col + 1)):
            own = range(max(area.min_row, first), area.max_row + 1)
            rows.update(own)
            found.faults.extend(Fault.of(found.catalogue, f"{sheet.title}!{area.coord}", "merged", row) for row in own)
    return rows


def _refuse_twice(found: Feedback, sheet: str) -> None:
    """Of rows that name the same order keep one if they say the same, and none if they don't."""
    by_order: dict[str, list[Reported]] = {}
    for row in found.rows:
        by_order.setdefault(row.order_id, []).append(row)
    for order, rows in by_order.items():
        if len({row.key for row in rows}) > 1:
            numbers = ", ".join(str(row.row) for row in rows)
            for row in rows:
                found.refuse(row, "order", "order_twice", order=mask(order), rows=numbers, sheet=sheet)
        for row in rows[1:]:
            if row in found.rows:
                found.rows.remove(row)
