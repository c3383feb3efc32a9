"""What stands on a list and in which order, as the eye goes: who, why now, what to do, what it is worth, what happened; then the rest.

How a workbook is read back: the sheet Today is the book's first one, whatever it is called. Its hidden row `KEYS_ROW` holds the
`Column.key` of every column, so columns are found when they are moved, renamed or left out; the headers stand in `HEADER_ROW`, the
customers below. A row's order stands in column ``order``; managers write into ``outcome`` and ``close_reason`` (a label of ``outcomes``
and ``close_reasons``, in either language), ``contacted_on`` (a day) and ``note``. A ``note`` on the sheet Care says that the service
contact was made. The book's custom properties, `PROPERTIES`, say of which
night and manager it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from custvalue.errors import ConfigError
from custvalue.retention.orders.states import CHOSEN_REASONS
from custvalue.wording import LANGUAGES, Catalogue

Kind = Literal[
    "text", "id", "reasons", "whole", "money", "share", "trend", "date", "tier", "risk", "loss", "care", "trigger", "offer", "script",
    "contact", "consent", "since", "change", "decision", "duty", "care_by", "outcome", "close_reason", "day", "note",
]  # fmt: skip
INPUTS: tuple[Kind, ...] = ("outcome", "close_reason", "day", "note")
"""Kinds of cells that managers fill in."""

TITLE_ROW, SUMMARY_ROW, RULES_ROW, GROUPS_ROW, KEYS_ROW, HEADER_ROW = range(6)
"""Zero-based rows of the sheet Today; the first customer stands below the last of them."""

PROPERTIES = ("custvalue.night", "custvalue.manager", "custvalue.language")
"""Custom properties of a workbook: the list's day (ISO 8601), the manager's id, ``en`` or ``zh``."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the list.

    Attributes
    ----------
    key : str
        Names the label ``columns.<key>``, and stands in the hidden row.
    group : str
        Names the label ``groups.<group>`` above it.
    kind : str
        How a cell is written.
    source : str, optional
        Column of the input; None where the manager writes.
    width : tuple of float
        Least and greatest width, characters.
    hidden_if_empty : bool
        Hidden, but in its place, when no row has a value; the input may lack it.
    printed : bool
        Stands on paper; the others stand to the right of the printed page.
    """

    key: str
    group: str
    kind: Kind
    source: str | None
    width: tuple[float, float]
    hidden_if_empty: bool = False
    printed: bool = True


COLUMNS: tuple[Column, ...] = (
    Column(key="priority", group="who", kind="whole", source="priority", width=(4, 6)),
    Column(key="tier", group="who", kind="tier", source="tier", width=(8, 10)),
    Column(key="name", group="who", kind="text", source="name", width=(8, 14), hidden_if_empty=True),
    Column(key="customer", group="who", kind="id", source="customer", width=(12, 24)),
    Column(key="number", group="who", kind="id", source="number", width=(12.5, 18), hidden_if_empty=True),
    Column(key="lines", group="who", kind="whole", source="lines", width=(6, 7), hidden_if_empty=True),
    Column(key="trigger", group="why", kind="trigger", source="signal", width=(9, 12), hidden_if_empty=True),
    Column(key="reasons", group="why", kind="reasons", source="reasons", width=(34, 38)),
    Column(key="care", group="why", kind="care", source="care", width=(8.5, 9.5), hidden_if_empty=True),
    Column(key="offer", group="do", kind="offer", source="offer_words", width=(10, 13), hidden_if_empty=True),
    Column(key="script", group="do", kind="script", source="script", width=(32, 36), hidden_if_empty=True),
    Column(key="arpu", group="worth", kind="money", source="arpu", width=(8.5, 13)),
    Column(key="risk", group="worth", kind="risk", source="risk_band", width=(7, 9)),
    Column(key="net_value", group="worth", kind="money", source="net_value", width=(8.5, 13)),
    Column(key="due_by", group="act", kind="date", source="due_by", width=(10.5, 11)),
    Column(key="outcome", group="act", kind="outcome", source=None, width=(11, 13)),
    Column(key="close_reason", group="act", kind="close_reason", source=None, width=(11, 13)),
    Column(key="contacted_on", group="act", kind="day", source=None, width=(10.5, 10.5)),
    Column(key="note", group="act", kind="note", source=None, width=(18, 18)),
    Column(key="trend", group="more", kind="trend", source="arpu_drop", width=(7.5, 9), hidden_if_empty=True, printed=False),
    Column(key="probability", group="more", kind="share", source="probability", width=(7.5, 8), printed=False),
    Column(key="at_stake", group="more", kind="money", source="value_at_stake", width=(8.5, 13), printed=False),
    Column(key="risk_kind", group="more", kind="loss", source="risk_kind", width=(9, 14), hidden_if_empty=True, printed=False),
    Column(key="tenure", group="more", kind="whole", source="tenure_months", width=(7.5, 8), printed=False),
    Column(key="expiry", group="more", kind="whole", source="days_to_expiry", width=(8.5, 9), hidden_if_empty=True, printed=False),
    Column(key="last_contact", group="more", kind="contact", source="contact", width=(11, 24), hidden_if_empty=True, printed=False),
    Column(key="since", group="more", kind="since", source="on_list", width=(10, 16), hidden_if_empty=True, printed=False),
    Column(key="consent", group="more", kind="consent", source="consent", width=(8.5, 10), hidden_if_empty=True, printed=False),
    Column(key="order", group="order", kind="id", source="order_id", width=(22, 30), printed=False),
)
"""The list's columns from left to right: first what is printed."""

KEYS = tuple(column.key for column in COLUMNS)
CHANGES: tuple[Column, ...] = (
    Column(key="change", group="", kind="change", source="change", width=(10, 12)),
    Column(key="tier", group="", kind="tier", source="tier", width=(9, 12)),
    Column(key="name", group="", kind="text", source="name", width=(9, 16), hidden_if_empty=True),
    Column(key="customer", group="", kind="id", source="customer", width=(15, 24)),
    Column(key="why", group="", kind="decision", source="reason", width=(24, 60), hidden_if_empty=True),
    Column(key="order", group="", kind="id", source="order_id", width=(24, 30), hidden_if_empty=True),
)
"""The sheet What changed; ``change`` is one of the labels ``list_changes``, ``reason`` a code of ``decisions`` or ``close_reasons``."""
CARE: tuple[Column, ...] = (
    Column(key="due_on", group="", kind="date", source="due_on", width=(11, 12)),
    Column(key="kind", group="", kind="duty", source="kind", width=(22, 34)),
    Column(key="tier", group="", kind="tier", source="tier", width=(9, 12), hidden_if_empty=True),
    Column(key="name", group="", kind="text", source="name", width=(9, 16), hidden_if_empty=True),
    Column(key="customer", group="", kind="id", source="customer", width=(15, 24)),
    Column(key="number", group="", kind="id", source="number", width=(13, 18), hidden_if_empty=True),
    Column(key="by", group="", kind="care_by", source="by", width=(11, 14)),
    Column(key="facts", group="", kind="text", source="facts", width=(40, 70), hidden_if_empty=True),
    Column(key="owed_since", group="", kind="date", source="since", width=(11, 12)),
    Column(key="note", group="", kind="note", source=None, width=(24, 24)),
)
"""The sheet of service contacts that are due; ``kind`` is one of the labels ``care_kinds``, and the sheet's second row holds the keys."""
_DROP_DOWN = 255
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_LABELS = {
    "sheets": ("today", "changes", "care", "columns"),
    "care": ("open", "priority"),
    "risk_kinds": ("leave", "non_payment", "silence", "value_loss"),
    "consent": ("yes", "no", "unknown"),
    "list_changes": ("new", "stays", "moved", "left"),
    "list_headers": ("change", "why", "kind", "due_on", "by", "facts", "owed_since"),
    "care_by": ("person", "message"),
    "texts": (
        "title", "one", "many", "totals", "urgent", "empty", "rules", "hours", "call_first", "call_soon", "since", "neutral", "cut",
        "changes", "no_changes", "care", "no_care", "explained", "choose", "choose_reason", "choose_day", "confidential", "page",
    ),
}  # fmt: skip


def care_header(column: Column, catalogue: Catalogue) -> str:
    """Name the label of a column's header on the sheets beside the list."""
    return f"{'columns' if column.key in catalogue.names('columns') else 'list_headers'}.{column.key}"


def check_labels(catalogue: Catalogue) -> None:
    """Check before a run that a list can be labelled in every language.

    Raises
    ------
    ConfigError
        A label or note that a list needs is not in the catalogue.
    """
    values = dict.fromkeys(("as_of", "manager", "count", "stake", "net", "page", "pages", "rules", "hours", "day"), "")
    for language in LANGUAGES:
        for column in COLUMNS:
            catalogue.label(f"columns.{column.key}", language)
            catalogue.label(f"groups.{column.group}", language)
            catalogue.note(f"columns.{column.key}", language)
        for section, names in _LABELS.items():
            for name in names:
                catalogue.label(f"{section}.{name}", language, **values)
        for kind in ("outcome", "close_reason"):
            choices(catalogue, language, kind)


def choices(catalogue: Catalogue, language: str, kind: Kind) -> list[str]:
    """Give what a drop-down offers: the outcomes of a contact, or the reasons that a manager may choose.

    Raises
    ------
    ConfigError
        Excel could not offer these words: one holds a comma, or all together are longer than 255 characters.
    """
    names = CHOSEN_REASONS if kind == "close_reason" else catalogue.names("outcomes")
    section = "close_reasons" if kind == "close_reason" else "outcomes"
    words = [catalogue.label(f"{section}.{name}", language) for name in names]
    if any("," in word for word in words) or len(",".join(words)) > _DROP_DOWN or len(set(words)) < len(words):
        told = f"must differ, hold no comma and stay under {_DROP_DOWN} characters in all (drop-down)"
        raise ConfigError(f"wording: labels.yaml: {section} ({language}) {told}: shorten them.")
    return words


def display_width(text: str) -> int:
    """Count columns of a monospaced screen: Chinese characters and full-width marks take two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def fitting_width(column: Column, texts: Sequence[str]) -> float:
    """Give the width that holds the longest text, within the column's bounds."""
    longest = max((display_width(text) for text in texts), default=0)
    return min(max(column.width[0], longest + 2.0), column.width[1])
