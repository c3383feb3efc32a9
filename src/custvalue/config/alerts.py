"""Alert rules: figures of a night, and the limits beyond which somebody should look."""

from __future__ import annotations

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from custvalue.config.base import Settings

_PLACES = {"metric", "value", "limit"}


def _with_known_places(text: str) -> str:
    try:
        odd = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - _PLACES
    except ValueError as error:
        raise ValueError(f"braces are not closed: {error}") from error
    if odd:
        raise ValueError(f"knows no {{{sorted(odd)[0]}}}; there are {{metric}}, {{value}} and {{limit}}")
    return text


Words = Annotated[str, AfterValidator(_with_known_places)]


class AlertRule(Settings):
    """One rule.

    Attributes
    ----------
    name : str
        For machines.
    metric : str
        A figure of ``monitoring.json``; ``*`` stands for anything, for example ``realised.tier.*.ratio_low``.
    above, below : float, optional
        One of the two: what the figure must not be.
    en, zh : str
        What to say; ``{metric}``, ``{value}`` and ``{limit}`` are filled in.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    metric: str = Field(min_length=1)
    above: float | None = None
    below: float | None = None
    en: Words
    zh: Words

    @model_validator(mode="after")
    def _one_limit(self) -> AlertRule:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"rule {self.name}: give either above or below")
        return self

    @property
    def limit(self) -> float:
        """The limit, whichever it is."""
        return self.above if self.above is not None else float(self.below or 0.0)

    def broken_by(self, value: float) -> bool:
        """Tell whether a figure lies beyond the limit; NaN never does."""
        return value > self.above if self.above is not None else value < self.limit


class AlertRules(Settings):
    """The rules of a file.

    Attributes
    ----------
    version : int
        Counted by whoever changes them.
    rules : tuple of AlertRule
    """

    version: int = Field(ge=1)
    rules: tuple[AlertRule, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> AlertRules:
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError(f"two rules are called {next(name for name in names if names.count(name) > 1)!r}")
        return self
