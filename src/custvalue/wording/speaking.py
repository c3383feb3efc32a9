"""Sentences of many customers at once."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.errors import ConfigError
from custvalue.wording.catalogue import Catalogue
from custvalue.wording.facts import Fact, Facts
from custvalue.wording.formats import DATES, MONEY, NUMBER_FORMATS, TEXT
from custvalue.wording.models import Direction, Variant
from custvalue.wording.templates import Place


class Speaker:
    """Says variants with customers' facts; each number is written once, however many customers share it.

    Parameters
    ----------
    catalogue : Catalogue
        The words.
    currency : str
        ISO code.
    as_of : date, optional
        The night that the facts are of, for sentences that show a date.
    """

    def __init__(self, catalogue: Catalogue, *, currency: str, as_of: date | None = None) -> None:
        self._catalogue, self._currency, self._as_of = catalogue, currency, as_of
        self._written: dict[tuple[str, str], dict[float, str]] = {}

    def say(self, variant: Variant, facts: Facts, language: str) -> pa.StringArray:
        """Say a variant of customers whom it fits.

        Raises
        ------
        ConfigError
            The catalogue does not speak the language, or a date is to be shown and ``as_of`` is missing.
        """
        parts = [
            self._shown(part, facts, language) if isinstance(part, Place) else pa.repeat(part, facts.rows)
            for part in variant.template(language).parts
        ]
        return pc.binary_join_element_wise(*parts, "")

    def _shown(self, place: Place, facts: Facts, language: str) -> pa.StringArray:
        if place.format == TEXT:
            coded = facts.texts(place.fact).dictionary_encode()
            words = [self._catalogue.label(f"values.{text}", language, default=text) for text in coded.dictionary.to_pylist()]
            return pa.array(words, pa.string()).take(coded.indices)
        values = facts.numbers(place.fact)
        few = np.rint(values) if place.format in DATES else NUMBER_FORMATS[place.format].few(values)
        distinct, which = np.unique(few, return_inverse=True)
        known = self._written.setdefault((place.format, language), {})
        for value in distinct.tolist():
            if value not in known:
                known[value] = self._number(value, place.format, language)
        return pa.array([known[value] for value in distinct.tolist()], pa.string()).take(pa.array(which))

    def _number(self, value: float, form: str, language: str) -> str:
        if form == MONEY:
            return self._catalogue.money(value, language=language, currency=self._currency)
        if form not in DATES:
            return self._catalogue.quantity(value, form, language=language)
        if self._as_of is None:
            raise ConfigError("wording: a sentence shows a date, so as_of is needed: the night that the facts are of.")
        return self._catalogue.day(self._as_of + timedelta(days=DATES[form] * int(value)))


def phrase(
    catalogue: Catalogue,
    code: str,
    facts: dict[str, Fact],
    *,
    language: str,
    currency: str,
    as_of: date | None = None,
    direction: Direction | None = None,
) -> str | None:
    """Say a reason of one customer in words.

    Parameters
    ----------
    catalogue : Catalogue
        The words.
    code : str
        Reason code.
    facts : dict
        Column → value: numbers, text, or None and NaN where unknown. Other keys are ignored.
    language, currency : str
        ``en`` or ``zh``; ISO code.
    as_of : date, optional
        The night, for sentences that show a date.
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
        The catalogue has no such reason or language, or a date is to be shown and ``as_of`` is missing.
    """
    one = Facts.of_one(facts)
    for variant in catalogue.reason(code).variants.values():
        if (direction is None or variant.direction == direction) and variant.fits(one)[0]:
            said: str = Speaker(catalogue, currency=currency, as_of=as_of).say(variant, one, language)[0].as_py()
            return said
    return None
