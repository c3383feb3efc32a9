"""The catalogue of everything custvalue says to people, in English and Chinese."""

from __future__ import annotations

from pydantic import model_validator

from custvalue.config.base import Settings
from custvalue.errors import ConfigError, some
from custvalue.wording.conditions import Facts, known
from custvalue.wording.formats import MONEY, NUMBER_FORMATS, UNITS
from custvalue.wording.models import Direction, Label, ReasonWords, Variant
from custvalue.wording.templates import Place, field_names, fill


class Catalogue(Settings):
    """Reasons and labels, read by `load_catalogue`.

    Attributes
    ----------
    reasons : dict
        Reason code → `ReasonWords`.
    labels : dict
        Section → name → `Label`.
    """

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
        digits, _ = NUMBER_FORMATS[MONEY](value)
        amount = self.money_pattern(language=language, currency=currency).replace("{}", digits.removeprefix("-"))
        return f"-{amount}" if digits.startswith("-") else amount

    def quantity(self, value: float, form: str, *, language: str) -> str:
        """Write a number with its unit; `form` is one of `NUMBER_FORMATS` but ``money``."""
        digits, unit = NUMBER_FORMATS[form](value)
        label = self.labels["units"][unit]
        pattern = label.one if label.one and digits == "1" and language == "en" else label.text(language)
        return pattern.replace("{}", digits)

    def phrase(self, code: str, facts: Facts, *, language: str, currency: str, direction: Direction | None = None) -> str | None:
        """Say a reason in words.

        Parameters
        ----------
        code : str
            Reason code.
        facts : mapping
            Column → value: numbers, text, or None and NaN where unknown. Other keys are ignored.
        language, currency : str
            ``en`` or ``zh``; ISO code.
        direction : str, optional
            Only variants of this direction; all by default.

        Returns
        -------
        str or None
            The first variant whose conditions hold and whose facts are all present; None where there is none.
            The same facts always give the same words.

        Raises
        ------
        ConfigError
            The catalogue has no such reason or language.
        """
        words = self.reasons.get(code)
        if words is None:
            raise ConfigError(f"wording: reasons.yaml has no entry {code!r}; it has {', '.join(sorted(self.reasons))}.")
        for variant in words.variants.values():
            if (direction is None or variant.direction == direction) and variant.fits(facts):
                return self._said(variant, facts, language, currency)
        return None

    def _said(self, variant: Variant, facts: Facts, language: str, currency: str) -> str:
        parts = variant.template(language).parts
        return "".join(self._shown(part, facts, language, currency) if isinstance(part, Place) else part for part in parts)

    def _shown(self, place: Place, facts: Facts, language: str, currency: str) -> str:
        value = known(facts, place.fact)
        if not isinstance(value, float):
            text = " ".join(str(value).split())
            return self.label(f"values.{text}", language, default=text)
        if place.format == MONEY:
            return self.money(value, language=language, currency=currency)
        return self.quantity(value, place.format, language=language)

    def _find(self, key: str) -> Label | None:
        section, _, name = key.partition(".")
        return self.labels.get(section, {}).get(name)
