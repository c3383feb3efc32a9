"""Tables of a report: made once, then shown alike on the terminal, on a page and in a workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table

from custvalue.app.tables import table as terminal_table
from custvalue.wording import WHOLE_MONEY_FROM
from custvalue.wording.formats import plain, rounded

Kind = Literal["text", "count", "share", "money", "ratio", "points", "quantity"]

UNKNOWN = "–"
"""Stands where there is no value."""


@dataclass(frozen=True)
class Cell:
    """One value and what it is; a number that is None or NaN is unknown."""

    value: str | float | None
    kind: Kind = "text"

    @property
    def number(self) -> float | None:
        """The number, for a cell that holds one."""
        if self.kind == "text" or self.value is None or isinstance(self.value, str) or math.isnan(self.value):
            return None
        return float(self.value)

    @property
    def shown(self) -> str:
        """The value as people read it; a spreadsheet shows the same under `number_format`."""
        value = self.number
        if value is None:
            return str(self.value) if isinstance(self.value, str) and self.value else UNKNOWN
        return f"{rounded(100 * value, 1)}%" if self.kind == "share" else _written(value, self.kind)

    @property
    def number_format(self) -> str:
        """The spreadsheet's format of the number."""
        decimals = len(self.shown.rstrip("%").partition(".")[2])
        digits = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        return f"{digits}%" if self.kind == "share" else digits


def _written(value: float, kind: Kind) -> str:
    if kind == "quantity":
        return plain(value)
    decimals = {"ratio": 3, "points": 1, "money": 0 if value == 0 or abs(value) >= WHOLE_MONEY_FROM else 2}
    return rounded(value, decimals.get(kind, 0))


@dataclass(frozen=True)
class ReportTable:
    """A table of a report.

    Attributes
    ----------
    sheet : str
        The workbook's sheet that it stands on.
    title : str
        Above it.
    headers : tuple of str
        One a column.
    rows : tuple of tuple of Cell
        May be empty.
    left : int
        So many first columns hold texts and stand to the left.
    on_terminal : bool
        Whether the terminal shows it.
    """

    sheet: str
    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left: int = 1
    on_terminal: bool = True

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Whether a column holds numbers."""
        return tuple(
            any(row[place].kind != "text" for row in self.rows) if self.rows else place >= self.left for place in range(len(self.headers))
        )

    def for_terminal(self) -> Table:
        """Give the table for the terminal, with its title."""
        made = terminal_table(self.headers, [[cell.shown for cell in row] for row in self.rows], left=self.left)
        made.title, made.title_justify, made.title_style = self.title, "left", "bold"
        return made


def texts(*values: str) -> tuple[Cell, ...]:
    """Make cells of texts."""
    return tuple(Cell(value) for value in values)


def numbers(kind: Kind, values: Sequence[float | None]) -> tuple[Cell, ...]:
    """Make cells of numbers of one kind."""
    return tuple(Cell(value, kind) for value in values)
