"""How a value of the list reads in words; the same in every format."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from custvalue.lists.layout import Kind
from custvalue.lists.texts import cell_text
from custvalue.wording import Catalogue, whole_percent

Plain = str | float | date | None
"""What a cell holds: text, a number, a day with or without an hour, or nothing."""

NOT_TO_SAY = "✗ "
_SECTIONS: dict[Kind, str] = {
    "tier": "tiers",
    "risk": "risk_bands",
    "loss": "risk_kinds",
    "care": "care",
    "consent": "consent",
    "change": "list_changes",
    "duty": "care_kinds",
    "care_by": "care_by",
}


class Words:
    """Speaks one language and currency.

    Parameters
    ----------
    catalogue : Catalogue
        The words.
    language, currency : str
        ``en`` or ``zh``; ISO code.
    """

    def __init__(self, catalogue: Catalogue, language: str, currency: str) -> None:
        self.catalogue = catalogue
        self.language = language
        self.currency = currency
        self._cut = catalogue.label("texts.cut", language)
        self._called: dict[str, str] = {}

    def label(self, key: str, **values: str) -> str:
        """Give a label."""
        return self.catalogue.label(key, self.language, **values)

    def called(self, section: str, name: object) -> str:
        """Give the label of a name that operators may have chosen themselves: without one it is shown as it stands."""
        key = f"{section}.{name}"
        if key not in self._called:
            self._called[key] = self.catalogue.label(key, self.language, default=str(name))
        return self._called[key]

    def money(self, value: float) -> str:
        """Write an amount as text."""
        return self.catalogue.money(value, language=self.language, currency=self.currency)

    def text(self, value: object) -> str:
        """Give a text as a cell holds it; see `cell_text`."""
        return cell_text(str(value), self._cut)

    def plain(self, kind: Kind, value: Any) -> Plain:
        """Give what a cell of this kind holds; None for a missing value."""
        if is_missing(value):
            return None
        if kind in _SECTIONS:
            return self.text(self.called(_SECTIONS[kind], value))
        return _PLAIN.get(kind, _text)(value, self)


def is_missing(value: Any) -> bool:
    """Tell whether there is nothing to show."""
    if isinstance(value, str):
        return not value
    return value is None or (not isinstance(value, list | tuple | np.ndarray) and bool(pd.isna(value)))


def bulleted(lines: list[str] | tuple[str, ...]) -> str:
    """Write one a line, each after a dot."""
    return "\n".join(f"• {line}" for line in lines)


def _text(value: Any, words: Words) -> Plain:
    return words.text(value)


def _reasons(value: Any, words: Words) -> Plain:
    return words.text(bulleted(list(value)))


def _script(value: Any, words: Words) -> Plain:
    say, not_say = value
    return words.text("\n".join([*filter(None, [bulleted(say)]), *(f"{NOT_TO_SAY}{rule}" for rule in not_say)]))


def _number(value: Any, words: Words) -> Plain:  # noqa: ARG001
    return float(value)


def _share(value: Any, words: Words) -> Plain:  # noqa: ARG001
    # The cell holds no more than it shows: three digits would promise what no model knows.
    return float(whole_percent(float(value)))


def _trend(value: Any, words: Words) -> Plain:  # noqa: ARG001
    return 0.0 - float(whole_percent(float(value)))


def _day(value: Any, words: Words) -> Plain:  # noqa: ARG001
    if isinstance(value, pd.Timestamp | datetime):
        moment = pd.Timestamp(value).to_pydatetime().replace(tzinfo=None, microsecond=0)
        return moment if (moment.hour, moment.minute) != (0, 0) else moment.date()
    return value if isinstance(value, date) else None


def _decision(value: Any, words: Words) -> Plain:
    # a withdrawn order says either why its customer is no longer listed, or that he has left
    return words.text(words.called("decisions" if value in words.catalogue.names("decisions") else "close_reasons", value))


def _trigger(value: Any, words: Words) -> Plain:
    urgency, told = value
    return words.text(words.label("texts.call_first" if urgency == "red" else "texts.call_soon") if is_missing(told) else told)


def _contact(value: Any, words: Words) -> Plain:
    day, outcome = value
    told = [str(_day(day, words))] if not is_missing(day) else []
    return words.text(" · ".join([*told, *([] if is_missing(outcome) else [words.called("outcomes", outcome)])])) or None


def _since(value: Any, words: Words) -> Plain:
    change, day = value
    if change in ("new", "moved") or is_missing(day):
        return words.called("list_changes", change)
    return words.label("texts.since", day=str(_day(day, words)))


_PLAIN: dict[Kind, Callable[[Any, Words], Plain]] = {
    "reasons": _reasons,
    "script": _script,
    "whole": _number,
    "money": _number,
    "share": _share,
    "trend": _trend,
    "date": _day,
    "trigger": _trigger,
    "decision": _decision,
    "contact": _contact,
    "since": _since,
}
