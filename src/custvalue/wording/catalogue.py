"""The catalogue of everything custvalue says to people, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import model_validator

from custvalue.config.base import Settings
from custvalue.errors import ConfigError, some
from custvalue.wording.formats import MONEY, NUMBER_FORMATS, UNITS
from custvalue.wording.models import Label, ReasonWords, Text
from custvalue.wording.templates import field_names, fill


class Catalogue(Settings):
    """Reasons and labels, read by `load_catalogue`.

    Attributes
    ----------
    version : int
        Of the reasons, counted by whoever changes their words.
    digest : str
        SHA-256, in hex, of both files' bytes.
    offers : dict
        Family of offers → what it is called.
    reasons : dict
        Reason code → `ReasonWords`; of equally strong reasons the first one here comes first.
    labels : dict
        Section → name → `Label`.
    """

    version: int
    digest: str
    offers: dict[str, Text]
    reasons: dict[str, ReasonWords]
    labels: dict[str, dict[str, Label]]

    @model_validator(mode="after")
    def _words_for_every_number(self) -> Catalogue:
        units = self.labels.get("units", {})
        missing = [unit for unit in UNITS if unit not in units]
        if missing:
            raise ValueError(f"labels.units: no entry for {', '.join(missing)}")
        for section in ("units", "currencies"):
            for name, label in self.labels.get(section, {}).items():
                if field_names(label.en) != ("",):
                    raise ValueError(f"labels.{section}.{name}: write {{}} once, where the number goes")
        return self

    @property
    def edition(self) -> str:
        """Version and digest as written to runs and rows: whoever edits a word without counting is still told apart."""
        return f"v{self.version}-{self.digest[:8]}"

    def label(self, key: str, language: str, *, default: str | None = None, **values: str) -> str:
        """Give a label.

        Parameters
        ----------
        key : str
            ``section.name``, for example ``tiers.gold``.
        language : str
            ``en`` or ``zh``.
        default : str, optional
            Given back where there is no such label, for names that operators choose themselves.
        **values
            What to put between the label's braces.

        Raises
        ------
        ConfigError
            There is no such label or language, or a value is missing.
        """
        label = self._find(key)
        if label is None:
            if default is not None:
                return default
            raise ConfigError(f"wording: labels.yaml has no entry {key!r}. Add it with en and zh.")
        text = label.text(language)
        absent = [name for name in field_names(text) if name not in values]
        if absent:
            raise ConfigError(f"wording: label {key!r} needs values for {some(absent)}.")
        return fill(text, values)

    def note(self, key: str, language: str) -> str:
        """Give a label's one-line explanation; the arguments and errors are those of `label`."""
        label = self._find(key)
        if label is None or label.note is None:
            raise ConfigError(f"wording: labels.yaml has no note for {key!r}. Add note with en and zh.")
        return label.note.text(language)

    def names(self, section: str) -> tuple[str, ...]:
        """Names of a section's labels in the file's order; empty where there is no such section."""
        return tuple(self.labels.get(section, {}))

    def money_pattern(self, *, language: str, currency: str) -> str:
        """Text around an amount, ``{}`` standing for its digits; an unknown currency follows by its ISO code."""
        label = self._find(f"currencies.{currency}")
        return f"{{}} {currency}" if label is None else label.text(language)

    def money(self, value: float, *, language: str, currency: str) -> str:
        """Write an amount: no decimals from ten up, two below; a minus stands before the currency's sign."""
        digits, _ = NUMBER_FORMATS[MONEY].digits(value)
        amount = self.money_pattern(language=language, currency=currency).replace("{}", digits.removeprefix("-"))
        return f"-{amount}" if digits.startswith("-") else amount

    def quantity(self, value: float, form: str, *, language: str) -> str:
        """Write a number with its unit; `form` is one of `NUMBER_FORMATS` but ``money``."""
        digits, unit = NUMBER_FORMATS[form].digits(value)
        label = self.labels["units"][unit]
        pattern = label.one if label.one and digits == "1" and language == "en" else label.text(language)
        return pattern.replace("{}", digits)

    def reason(self, code: str) -> ReasonWords:
        """Give a reason's entry.

        Raises
        ------
        ConfigError
            The catalogue has no such reason.
        """
        words = self.reasons.get(code)
        if words is None:
            raise ConfigError(f"wording: reasons.yaml has no entry {code!r}; it has {', '.join(sorted(self.reasons))}.")
        return words

    def offer_names(self, codes: Iterable[str], language: str) -> tuple[str, ...]:
        """Name the families of offers that these reasons suggest, in their order, each once."""
        families = dict.fromkeys(self.reason(code).offer for code in codes)
        return tuple(self.offers[family].text(language) for family in families if family is not None)

    def not_to_say(self, codes: Iterable[str], language: str) -> tuple[str, ...]:
        """Tell what a manager must not say to a customer who is listed for these reasons; `standing_rules` come on top."""
        return tuple(rule.text(language) for code in codes if (rule := self.reason(code).do_not_say) is not None)

    def standing_rules(self, language: str) -> tuple[str, ...]:
        """Tell what must not be said to anybody.

        These are the rules of the sensitive reasons. Told with one customer's row they would give the signal away, so they go to all alike.
        """
        return self.not_to_say((code for code, words in self.reasons.items() if words.sensitive), language)

    @staticmethod
    def day(value: date) -> str:
        """Write a day, in every language as ISO 8601 does."""
        return value.isoformat()

    @staticmethod
    def month(value: date) -> str:
        """Write a month, in every language as ISO 8601 does."""
        return f"{value:%Y-%m}"

    def _find(self, key: str) -> Label | None:
        section, _, name = key.partition(".")
        return self.labels.get(section, {}).get(name)
