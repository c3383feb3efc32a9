"""A list's rows checked, put in order, and put together for its cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.errors import DataError
from custvalue.lists.layout import COLUMNS

URGENCIES = ("red", "amber")
"""Called first; whoever has none comes after."""

_WORDED = ("reasons", "offer_words", "trigger_words", "talking_points", "do_not_say", "facts")
_OPTIONAL = (
    "name", "number", "lines", "urgency", "trigger_words", "offer_words", "talking_points", "do_not_say", "arpu_drop", "risk_kind",
    "days_to_expiry", "last_contact", "last_outcome", "since", "first_listed_on", "consent", "best_time",
)  # fmt: skip
_CARE = ("open_complaint", "care_priority")


def checked_rows(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    """Give the rows in order of calling, urgent ones first, with every column that a list shows.

    ``priority`` counts anew in this order. Texts kept in both languages (``reasons_en``) stand under their plain names; ``care`` is
    ``open``, ``priority`` or nothing; ``script`` holds what to say, and what not to say to this customer alone: what holds for all is told
    once. ``signal``, ``contact`` and ``on_list`` hold pairs of what is written into one cell.

    Raises
    ------
    DataError
        A column is missing, or an order id occurs twice.
    """
    rows = in_language(rows, language)
    needed = [str(column.source) for column in COLUMNS if column.source is not None and not column.hidden_if_empty]
    missing = [str(name) for name in (*needed, *_CARE) if name not in rows.columns]
    if missing:
        raise DataError(f"A list needs the column(s) {', '.join(missing)}; it was given {', '.join(rows.columns)}.")
    twice = int(rows["order_id"].duplicated().sum())
    if twice:
        raise DataError(f"{twice} order id(s) stand more than once on one list: outcomes could not be told apart.")
    absent = [name for name in _OPTIONAL if name not in rows.columns]
    rows = rows.assign(**dict.fromkeys(absent, None))
    opened, priority = (rows[name].fillna(value=False).astype(bool) for name in _CARE)
    care = pd.Series(None, index=rows.index, dtype=object).mask(priority, "priority").mask(opened, "open")
    ordered = rows.assign(care=care, rank=_rank(rows)).sort_values(["rank", "priority"], kind="stable").reset_index(drop=True)
    common = set(rules_for_all(ordered))
    scripts = [_script(*both, common) for both in zip(ordered["talking_points"], ordered["do_not_say"], strict=True)]
    triggers = _together(ordered, "urgency", "trigger_words")
    contacts, since = _together(ordered, "last_contact", "last_outcome"), _together(ordered, "since", "first_listed_on")
    composed = {"script": scripts, "signal": triggers, "contact": contacts, "on_list": since}
    columns = {name: pd.Series(values, index=ordered.index, dtype=object) for name, values in composed.items()}
    return ordered.assign(priority=range(1, len(ordered) + 1), **columns)


def calling_order(rows: pd.DataFrame) -> pd.Series:
    """Give each row's place on its manager's list, 1 first: red ones, then amber ones, then the others, each by ``priority``."""
    ordered = rows.assign(rank=_rank(rows)).sort_values(["rank", "priority"], kind="stable")
    return (ordered.groupby("manager_id", sort=False).cumcount() + 1).reindex(rows.index)


def in_language(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    """Give rows whose texts stand under their plain names in one of the languages in which they are kept (``reasons_en``)."""
    return rows.assign(**{name: rows[f"{name}_{language}"] for name in _WORDED if f"{name}_{language}" in rows.columns})


def rules_for_all(rows: pd.DataFrame) -> list[str]:
    """Give what must not be said to any customer of the list: what stands in every row, in the order of the first."""
    rules = [as_texts(value) for value in rows["do_not_say"]]
    return [rule for rule in rules[0] if all(rule in others for others in rules)] if rules else []


def as_texts(value: object) -> list[str]:
    """Give the texts of a cell that holds several, or nothing."""
    return [str(text) for text in value] if isinstance(value, list | tuple | np.ndarray) else []


def _rank(rows: pd.DataFrame) -> pd.Series:
    return rows["urgency"].map({name: place for place, name in enumerate(URGENCIES)}).fillna(len(URGENCIES)).astype(float)


def _together(rows: pd.DataFrame, first: str, second: str) -> list[tuple[object, object] | None]:
    """Give two columns as pairs, and nothing where the first one is missing."""
    given = rows[first].notna()
    return [pair if there else None for pair, there in zip(zip(rows[first], rows[second], strict=True), given, strict=True)]


def _script(say: object, not_say: object, common: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    points, rules = tuple(as_texts(say)), tuple(rule for rule in as_texts(not_say) if rule not in common)
    return (points, rules) if points or rules else None
