"""What the two wording files hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from custvalue.config.base import Settings
from custvalue.errors import ConfigError
from custvalue.wording.conditions import Condition, Facts, known
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


class Variant(Settings):
    """One way to say a reason.

    Attributes
    ----------
    when : tuple of Condition
        All must hold.
    direction : str
        ``risk`` is said only where the reason raises the risk; ``context`` is a plain fact that may also be said as
        a last resort.
    en, zh : Template
        The sentence; both name the same facts.
    """

    when: tuple[Condition, ...] = ()
    direction: Direction = "risk"
    en: Template
    zh: Template

    @model_validator(mode="after")
    def _same_facts(self) -> Variant:
        names = [{(place.fact, place.format) for place in template.places} for template in (self.en, self.zh)]
        if names[0] != names[1]:
            raise ValueError(f"en and zh show different facts: {', '.join(sorted(f for f, _ in names[0] ^ names[1]))}")
        return self

    def template(self, language: str) -> Template:
        """Give the sentence in one language."""
        return self.en if checked(language) == "en" else self.zh

    def fits(self, facts: Facts) -> bool:
        """Tell whether every condition holds and every fact shown is there in the right type."""
        return all(condition.holds(facts) for condition in self.when) and all(
            isinstance(known(facts, place.fact), str if place.format == "text" else float) for place in self.en.places
        )


class ReasonWords(Settings):
    """All ways to say one reason, in order of preference.

    Attributes
    ----------
    sensitive : bool
        It may drive the priority but is never shown.
    variants : dict
        Name → `Variant`. In YAML a variant may carry ``windows: [3, 6]``: it then stands for one variant a window,
        with ``<w>`` and ``<w-1>`` replaced by the window and the number of its months before the last.
    """

    sensitive: bool = False
    variants: dict[str, Variant] = Field(min_length=1)

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


def _at_window(item: Any, window: int) -> Any:
    if isinstance(item, str):
        return item.replace("<w-1>", str(window - 1)).replace("<w>", str(window))
    if isinstance(item, list):
        return [_at_window(part, window) for part in item]
    return {key: _at_window(part, window) for key, part in item.items()} if isinstance(item, dict) else item
