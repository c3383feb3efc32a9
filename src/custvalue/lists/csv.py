"""One manager's list as a CSV file that Excel opens by a double click."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from custvalue.lists.checking import checked_rows
from custvalue.lists.editions import Edition, replace_file
from custvalue.lists.layout import COLUMNS, Kind
from custvalue.lists.words import Plain, Words
from custvalue.wording import whole_percent

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠'")
_PERCENT: tuple[Kind, ...] = ("share", "trend")
# digits with what stands in amounts, dates and times, or a number with an exponent: spreadsheets would turn it into a number of theirs
_NUMBER_LIKE = re.compile(r"[\d\s.,:/+\-()%]*\d[\d\s.,:/+\-()%]*|\d+(\.\d*)?[eE][+-]?\d+")


def write_csvs(folder: Path, rows: pd.DataFrame, edition: Edition) -> list[Path]:
    """Write ``<manager>.csv`` for every manager who has customers to call.

    UTF-8 with a byte order mark, without which Excel reads Chinese as something else; the columns of the workbook's first sheet, in words.
    """
    words = Words(edition.catalogue, edition.language, edition.currency)
    header = [words.label(f"columns.{column.key}") for column in COLUMNS]
    paths = []
    for manager, own in edition.by_manager(rows):
        if own.rows.empty:
            continue
        records = checked_rows(own.rows, edition.language).to_dict("records")
        lines = [[_cell(words, column.kind, record.get(str(column.source))) for column in COLUMNS] for record in records]
        paths.append(folder / edition.file_name(manager, "csv"))
        replace_file(paths[-1], table([header, *lines], line_end="\r\n").encode("utf-8-sig"))
    return paths


def table(lines: Iterable[Sequence[str]], *, line_end: str) -> str:
    """Write cells with commas between; a cell with a comma, a quote or a line end in it stands in quotes."""
    out = io.StringIO()
    csv.writer(out, lineterminator=line_end).writerows(lines)
    return out.getvalue()


def guarded(text: str) -> str:
    """Put ``'`` before a text that a spreadsheet would take for a formula, a number or a date.

    ``="00123"`` would keep the zeros too, but is a formula, and other readers take it for text. The mark stays visible in the cell;
    `unguarded` takes it away.

    >>> guarded("=1+1"), guarded("13800001234"), guarded("C-7f3a90c1d2")
    ("'=1+1", "'13800001234", 'C-7f3a90c1d2')
    """
    return f"'{text}" if looks_like_formula(text) or _NUMBER_LIKE.fullmatch(text) else text


def looks_like_formula(text: str) -> bool:
    """Tell whether a text begins, behind blanks and marks that nobody sees, as formulas do; ``'`` counts, so that it can be taken away."""
    first = next((sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Cf"), "")
    return bool(text) and (first in _FORMULA or text[0] in _FORMULA)


def unguarded(text: str) -> str:
    """Take the mark of `guarded` away."""
    return text.removeprefix("'")


def number(value: float) -> str:
    """Write a number without an exponent, to two decimals at most."""
    # adding 0.0 makes a zero of a minus zero
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _cell(words: Words, kind: Kind, value: object) -> str:
    plain: Plain = None if value is None else words.plain(kind, value)
    if plain is None:
        return ""
    if isinstance(plain, str):
        return guarded(plain)
    if isinstance(plain, datetime):
        return f"{plain:%Y-%m-%d %H:%M}"
    if isinstance(plain, int | float):
        return f"{number(float(whole_percent(plain)) * 100)}%" if kind in _PERCENT else number(plain)
    return plain.isoformat()
