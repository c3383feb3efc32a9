"""What stands on a list and in which order, as the eye goes: who, why now, what it is worth, standing, what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from custvalue.errors import DataError
from custvalue.wording import LANGUAGES, Catalogue

Kind = Literal["text", "id", "reasons", "whole", "money", "share", "trend", "date", "tier", "risk", "loss", "care"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the list.

    Attributes
    ----------
    key : str
        Names the label ``columns.<key>``.
    group : str
        Names the label ``groups.<group>`` above it.
    kind : str
        How a cell is written.
    source : str, optional
        Column of the input; None where the manager writes.
    width : tuple of float
        Least and greatest width, characters.
    hidden_if_empty : bool
        Hidden, but in its place, when no row has a value.
    """

    key: str
    group: str
    kind: Kind
    source: str | None
    width: tuple[float, float]
    hidden_if_empty: bool = False


COLUMNS: tuple[Column, ...] = (
    Column(key="priority", group="who", kind="whole", source="priority", width=(4, 6)),
    Column(key="tier", group="who", kind="tier", source="tier", width=(9, 14)),
    Column(key="name", group="who", kind="text", source="name", width=(8, 14), hidden_if_empty=True),
    Column(key="customer", group="who", kind="id", source="customer", width=(12, 24)),
    Column(key="number", group="who", kind="id", source="number", width=(12.5, 18), hidden_if_empty=True),
    Column(key="reasons", group="why", kind="reasons", source="reasons", width=(42, 46)),
    Column(key="risk_kind", group="why", kind="loss", source="risk_kind", width=(9, 14), hidden_if_empty=True),
    Column(key="arpu", group="worth", kind="money", source="arpu", width=(8.5, 13)),
    Column(key="trend", group="worth", kind="trend", source="arpu_drop", width=(7.5, 9), hidden_if_empty=True),
    Column(key="risk", group="worth", kind="risk", source="risk_band", width=(7.5, 9)),
    Column(key="probability", group="worth", kind="share", source="probability", width=(7.5, 8)),
    Column(key="at_stake", group="worth", kind="money", source="value_at_stake", width=(8.5, 13)),
    Column(key="net_value", group="worth", kind="money", source="net_value", width=(8.5, 13)),
    Column(key="tenure", group="standing", kind="whole", source="tenure_months", width=(7.5, 8)),
    Column(key="expiry", group="standing", kind="whole", source="days_to_expiry", width=(8.5, 9), hidden_if_empty=True),
    Column(key="care", group="standing", kind="care", source="care", width=(9, 10), hidden_if_empty=True),
    Column(key="due_by", group="act", kind="date", source="due_by", width=(10.5, 12)),
    Column(key="outcome", group="act", kind="text", source=None, width=(13, 18)),
    Column(key="note", group="act", kind="text", source=None, width=(18, 18)),
    Column(key="order", group="order", kind="id", source="order_id", width=(22, 30)),
)
"""The list's columns from left to right; the last one lies outside the printed page."""

_CARE = ("open_complaint", "care_priority")
_LABELS = {
    "sheets": ("today", "columns"),
    "care": ("open", "priority"),
    "risk_kinds": ("leave", "non_payment", "silence", "value_loss"),
    "texts": ("title", "one", "many", "totals", "empty", "explained", "choose", "confidential", "page"),
}


def check_labels(catalogue: Catalogue) -> None:
    """Check before a run that a list can be labelled in every language.

    Raises
    ------
    ConfigError
        A label or note that a list needs is not in the catalogue.
    """
    values = dict.fromkeys(("as_of", "manager", "count", "stake", "net", "page", "pages"), "")
    for language in LANGUAGES:
        for column in COLUMNS:
            catalogue.label(f"columns.{column.key}", language)
            catalogue.label(f"groups.{column.group}", language)
            catalogue.note(f"columns.{column.key}", language)
        for section, names in _LABELS.items():
            for name in names:
                catalogue.label(f"{section}.{name}", language, **values)


def checked_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the rows in order of priority, with ``care``: ``open``, ``priority`` or nothing.

    Raises
    ------
    DataError
        A column is missing, or an order id occurs twice.
    """
    needed = [column.source for column in COLUMNS if column.source not in (None, "care")]
    missing = [str(name) for name in (*needed, *_CARE) if name not in rows.columns]
    if missing:
        raise DataError(f"A list needs the column(s) {', '.join(missing)}; it was given {', '.join(rows.columns)}.")
    twice = int(rows["order_id"].duplicated().sum())
    if twice:
        raise DataError(f"{twice} order id(s) stand more than once on one list: outcomes could not be told apart.")
    opened, priority = (rows[name].fillna(value=False).astype(bool) for name in _CARE)
    care = pd.Series(None, index=rows.index, dtype=object).mask(priority, "priority").mask(opened, "open")
    return rows.assign(care=care).sort_values("priority", kind="stable").reset_index(drop=True)


def display_width(text: str) -> int:
    """Count columns of a monospaced screen: Chinese characters and full-width marks take two."""
    return sum(2 if ord(character) >= 0x2E80 else 1 for character in text)


def fitting_width(column: Column, texts: Sequence[str]) -> float:
    """Give the width that holds the longest text, within the column's bounds."""
    longest = max((display_width(text) for text in texts), default=0)
    return min(max(column.width[0], longest + 2.0), column.width[1])
