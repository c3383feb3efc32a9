"""What the two wording files hold."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from custvalue.config.base import Settings
from custvalue.config.conditions import Condition
from custvalue.config.faults import Fault, refuse
from custvalue.errors import ConfigError
from custvalue.wording.columns import KnownColumns
from custvalue.wording.conditions import holds
from custvalue.wording.facts import Facts, Flags
from custvalue.wording.formats import FITTING, TEXT
from custvalue.wording.templates import Template, field_names

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Direction = Literal["risk", "context"]


def checked(language: str) -> Language:
    """Give the language back, or raise `ConfigError` where the catalogue does not speak it."""
    for known_language in LANGUAGES:
        if language == known_language:
            return known_language
    raise ConfigError(f"wording: language {language!r} is not known; use {' or '.join(LANGUAGES)}.")


class Text(Settings):
    """The same words in both languages, naming the same values."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    @model_validator(mode="after")
    def _same_values(self) -> Text:
        if field_names(self.en) != field_names(self.zh):
            raise ValueError(f"en and zh hold different values: {field_names(self.en)} and {field_names(self.zh)}")
        return self

    def text(self, language: str) -> str:
        """Give the words in one language."""
        return self.en if checked(language) == "en" else self.zh


class Label(Text):
    """A short text, with the singular where a unit has one and a one-line explanation where people may ask."""

    one: str | None = None
    note: Text | None = None


class Variant(Settings):
    """One way to say a reason.

    Attributes
    ----------
    when : tuple of Condition
        All must hold.
    direction : str
        ``risk`` is a warning, said only where the reason raises the risk; ``context`` is a plain fact, said only beside the last resort.
    en, zh : Template
        The sentence; both name the same facts.
    """

    when: tuple[Condition, ...] = ()
    direction: Direction = "risk"
    en: Template
    zh: Template

    @model_validator(mode="after")
    def _same_facts_that_there_are(self, info: ValidationInfo) -> Variant:
        columns: KnownColumns | None = (info.context or {}).get("columns")
        faults = [] if columns is None else _column_faults(self, columns)
        en, zh = ({f"{place.fact}:{place.format}" for place in template.places} for template in (self.en, self.zh))
        if en != zh:
            faults.append(((), f"en and zh show different facts: {', '.join(sorted(en ^ zh))}"))
        refuse(faults)
        return self

    @cached_property
    def facts(self) -> frozenset[str]:
        """Names of all columns that must exist for it to be said."""
        return frozenset({place.fact for place in self.en.places}.union(*(condition.facts for condition in self.when)))

    @cached_property
    def shown(self) -> frozenset[str]:
        """Names of the columns that the sentence shows."""
        return frozenset(place.fact for place in self.en.places)

    def template(self, language: str) -> Template:
        """Give the sentence in one language."""
        return self.en if checked(language) == "en" else self.zh

    def fits(self, facts: Facts) -> Flags:
        """Tell for whom every condition holds and every fact shown is there in the right type."""
        fits = np.full(facts.rows, all(name in facts for name in self.facts))
        for condition in self.when:
            if not fits.any():
                break
            fits &= holds(condition, facts)
        for place in self.en.places:
            if not fits.any():
                break
            fits &= facts.known(place.fact) & (facts.is_text(place.fact) == (place.format == TEXT))
        return fits


class ReasonWords(Settings):
    """A reason: what it is called, how it is said, and what a manager should do about it.

    Attributes
    ----------
    name : Text
        What the reason is called in tables and plots.
    actionable : bool
        Somebody can do something about it; otherwise it is context.
    sensitive : bool
        It may drive the priority but is never shown.
    offer : str, optional
        Family of offers that it suggests, a key of the file's ``offers``.
    do_not_say : Text, optional
        What a manager must not say when this reason is on the list; of a sensitive reason, what nobody may say to any customer.
    variants : dict
        Name → `Variant`, in order of preference; a sensitive reason needs none. In YAML a variant may carry ``windows: [3, 6]``: it then
        stands for one variant a window, with ``<w>`` and ``<w-1>`` replaced by the window and the number of its months before the last.
    """

    name: Text
    actionable: bool
    sensitive: bool = False
    offer: str | None = None
    do_not_say: Text | None = None
    variants: dict[str, Variant] = Field(default_factory=dict)

    @field_validator("variants", mode="before")
    @classmethod
    def _one_per_window(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        expanded: dict[str, Any] = {}
        for name, variant in value.items():
            if not isinstance(variant, dict) or "windows" not in variant:
                expanded[str(name)] = variant
                continue
            windows = variant["windows"]
            if not isinstance(windows, list) or not all(isinstance(w, int) and w > 1 for w in windows):
                raise ValueError(f"{name}: windows must be a list of whole months above 1")
            rest = {key: item for key, item in variant.items() if key != "windows"}
            expanded.update({f"{name}_{w}m": _at_window(rest, w) for w in windows})
        return expanded

    @model_validator(mode="after")
    def _can_be_said_or_must_not(self) -> ReasonWords:
        if self.sensitive and self.do_not_say is None:
            raise ValueError("sensitive, but without do_not_say: write in en and zh what must not be said")
        if not self.sensitive and not self.variants:
            raise ValueError("no variants: write at least one sentence in en and zh, or mark it sensitive")
        return self


def _column_faults(variant: Variant, columns: KnownColumns) -> list[Fault]:
    """Facts that no feature gives, and formats that do not fit the feature's unit."""
    faults: list[Fault] = [
        (("when", at), f"condition {condition.text!r}: no feature is called {name!r}{columns.near(name)}")
        for at, condition in enumerate(variant.when)
        for name in condition.facts
        if columns.unit(name) is None
    ]
    for language in LANGUAGES:
        for place in variant.template(language).places:
            unit, written = columns.unit(place.fact), f"placeholder {{{place.fact}:{place.format}}}"
            if unit is None:
                faults.append(((language,), f"{written}: no feature is called {place.fact!r}{columns.near(place.fact)}"))
            elif unit not in FITTING[place.format]:
                fitting = [name for name, units in FITTING.items() if unit in units]
                use = f"write it as {' or '.join(fitting)}" if fitting else "it can stand in a condition only"
                faults.append(((language,), f"{written}: the unit of {place.fact} is {unit}; {use}"))
    return faults


def _at_window(item: Any, window: int) -> Any:
    if isinstance(item, str):
        return item.replace("<w-1>", str(window - 1)).replace("<w>", str(window))
    if isinstance(item, list):
        return [_at_window(part, window) for part in item]
    return {key: _at_window(part, window) for key, part in item.items()} if isinstance(item, dict) else item
