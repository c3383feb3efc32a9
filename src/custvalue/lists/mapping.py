"""Which column of another system takes what of a list: read from a mapping file."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import Field, ValidationError, model_validator

from custvalue.config.base import Settings
from custvalue.config.documents import read_document
from custvalue.config.faults import Fault, refuse
from custvalue.config.messages import told_with_lines
from custvalue.errors import ConfigError
from custvalue.lists.checking import as_texts
from custvalue.lists.csv import looks_like_formula, number
from custvalue.lists.words import Plain, Words, is_missing
from custvalue.wording import whole_percent

Source = Literal["key", "text", "lines", "codes", "whole", "money", "share", "day", "moment", "flag"]
SOURCES: dict[str, Source] = {
    "order_id": "key",
    "customer": "key",
    "manager_id": "key",
    "priority": "whole",
    "name": "text",
    "number": "text",
    "tier": "text",
    "channel": "text",
    "region": "text",
    "campaign": "text",
    "lines": "whole",
    "trigger_words": "text",
    "urgency": "text",
    "reasons": "lines",
    "reason_codes": "codes",
    "risk_kind": "text",
    "risk_band": "text",
    "probability": "share",
    "arpu": "money",
    "arpu_drop": "share",
    "value_at_stake": "money",
    "net_value": "money",
    "tenure_months": "whole",
    "days_to_expiry": "whole",
    "open_complaint": "flag",
    "care_priority": "flag",
    "offer": "text",
    "offer_words": "text",
    "talking_points": "lines",
    "do_not_say": "lines",
    "best_time": "text",
    "consent": "text",
    "last_contact": "day",
    "last_outcome": "text",
    "since": "text",
    "first_listed_on": "day",
    "cooldown_until": "day",
    "due_by": "moment",
}
"""What a mapping may name, and what it is. The trigger's code is not among them: it would reveal what is sensitive."""

_SECTIONS = {
    "tier": "tiers",
    "channel": "channels",
    "risk_kind": "risk_kinds",
    "risk_band": "risk_bands",
    "consent": "consent",
    "last_outcome": "outcomes",
    "since": "list_changes",
}
_UNIQUE = "order_id"


class Target(Settings):
    """What one column takes.

    Attributes
    ----------
    source : str, optional
        One of `SOURCES`.
    constant : str, int, float or bool, optional
        The same in every row, in place of a source.
    format : str, optional
        ``words`` for a code as the lists show it (gold, 金); ``date`` for a day without its hour; ``fraction`` for 0.34 in place of 34.
    """

    source: str | None = None
    constant: str | int | float | bool | None = None
    format: Literal["words", "date", "fraction"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"source": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_that_there_is(self) -> Target:
        if (self.source is None) == (self.constant is None):
            raise ValueError("give either a source or a constant")
        if self.source is not None and self.source not in SOURCES:
            near = difflib.get_close_matches(self.source, SOURCES, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"lists hold no {self.source!r}; {meant}There are {', '.join(SOURCES)}")
        kinds = {"words": tuple(_SECTIONS), "date": ("due_by",), "fraction": _of_kind("share")}
        if self.format is not None and self.source not in kinds[self.format]:
            raise ValueError(f"format {self.format!r} is for {', '.join(kinds[self.format])}, not for {self.source or 'a constant'}")
        return self


class ExportMapping(Settings):
    """A mapping file.

    Attributes
    ----------
    version : int
        Counted by whoever changes it.
    record : str
        What the rows become in the other system, for people.
    external_id : str
        The column by which the other system knows a row again; its source is ``order_id``.
    columns : dict
        Column → `Target`, or the name of its source alone; in the file's order.
    """

    version: int = Field(ge=1)
    record: str
    external_id: str
    columns: dict[str, Target] = Field(min_length=1)

    @model_validator(mode="after")
    def _knows_a_row_again(self) -> ExportMapping:
        faults: list[Fault] = []
        target = self.columns.get(self.external_id)
        if target is None or target.source != _UNIQUE:
            faults.append((("external_id",), f"must be the column whose source is {_UNIQUE}, which no two rows share"))
        odd = [name for name in self.columns if not name.strip() or any(sign in name for sign in ',"\r\n')]
        faults += [(("columns", name), "a column's name holds no comma, quote or line end") for name in odd]
        refuse(faults)
        return self


def load_export(path: Path) -> ExportMapping:
    """Read a mapping file.

    Raises
    ------
    ConfigError
        It cannot be read, names what lists do not hold, or has no external id; told with file and line.
    """
    document = read_document(path)
    try:
        return ExportMapping.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(told_with_lines(error, ExportMapping, document)) from error


def mapped(rows: pd.DataFrame, mapping: ExportMapping, words: Words, moment: Callable[[datetime], str]) -> list[list[str]]:
    """Give header and rows as the other system takes them.

    Identifiers stay as they are, since they are joined on. Other text that looks like a formula begins with ``'``, because somebody will
    open the file, or what he exports from that system again, in a spreadsheet.

    Parameters
    ----------
    rows : DataFrame
        Checked rows.
    mapping : ExportMapping
        Columns.
    words : Words
        Operator's language.
    moment : callable
        Writes a time of day.
    """
    records = rows.to_dict("records")
    values = [[_written(target, record, words, moment) for target in mapping.columns.values()] for record in records]
    return [list(mapping.columns), *values]


def local(zone: ZoneInfo, moment: datetime) -> datetime:
    """Give a moment of the operator's with its offset from UTC."""
    return moment.replace(tzinfo=zone)


def _written(target: Target, record: dict[Any, Any], words: Words, moment: Callable[[datetime], str]) -> str:
    if target.source is None:
        return str(target.constant).lower() if isinstance(target.constant, bool) else str(target.constant)
    value: Any = record.get(target.source)
    if is_missing(value):
        return ""
    if target.format == "words":
        return words.called(_SECTIONS[target.source], value)
    match SOURCES[target.source]:
        case "key":
            return words.text(value)
        case "text":
            return _unharmful(words.text(value))
        case "lines":
            return _unharmful(words.text("\n".join(as_texts(value))))
        case "codes":
            return ";".join(as_texts(value))
        case "whole":
            return f"{float(value):.0f}"
        case "money":
            return number(float(value))
        case "share":
            share = float(whole_percent(float(value)))
            return number(share if target.format == "fraction" else share * 100)
        case "flag":
            return str(bool(value)).lower()
        case "day" | "moment":
            return _day(words.plain("date", value), target, moment)


def _day(plain: Plain, target: Target, moment: Callable[[datetime], str]) -> str:
    if isinstance(plain, datetime) and target.format != "date":
        return moment(plain)
    return f"{plain:%Y-%m-%d}" if isinstance(plain, date) else ""


def _unharmful(text: str) -> str:
    return f"'{text}" if looks_like_formula(text) else text


def _of_kind(kind: Source) -> tuple[str, ...]:
    return tuple(name for name, own in SOURCES.items() if own == kind)
