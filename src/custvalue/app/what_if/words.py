"""The words of a comparison of tier policies, in one language."""

from __future__ import annotations

from custvalue.config import Config, ready_configs
from custvalue.pipeline.comparison import Note, WhatIf
from custvalue.wording import Catalogue, load_catalogue

SECTION = "what_if"


class Words:
    """Gives words by name; a workspace whose wording is older than the comparison takes the ones shipped with the package.

    Parameters
    ----------
    config : Config
        Its wording.
    language : str
        ``en`` or ``zh``.
    """

    def __init__(self, config: Config, language: str) -> None:
        self.language = language
        self.catalogue: Catalogue = load_catalogue(config.wording)
        self._own = self.catalogue if self.catalogue.names(SECTION) else load_catalogue(ready_configs() / "wording")
        self.currency = config.currency

    def __call__(self, name: str, /, **values: str) -> str:
        """Give an entry of the section ``what_if``."""
        return self._own.label(f"{SECTION}.{name}", self.language, **values)

    def tier(self, name: str) -> str:
        """Give a tier's name; an operator's own stands as it is."""
        return self.catalogue.label(f"tiers.{name}", self.language, default=name)

    def channel(self, name: object) -> str:
        """Give a channel's name; empty where nobody says one (None or NaN)."""
        return "" if not isinstance(name, str) else self.catalogue.label(f"channels.{name}", self.language, default=name)

    def reason(self, code: str) -> str:
        """Say a reason code; that of an adjustment holds the policy's own name for it."""
        name = code.removeprefix("adjusted_")
        if name != code:
            return self._own.label("tier_reasons.adjusted", self.language, default=code, name=name)
        return self._own.label(f"tier_reasons.{code}", self.language, default=code)

    def note(self, note: Note) -> str:
        """Say a note."""
        return self(f"note_{note.code}", **note.values)

    def money(self, value: float) -> str:
        """Write an amount."""
        return self.catalogue.money(value, language=self.language, currency=self.currency)

    def view(self, result: WhatIf, name: str) -> str:
        """Name one of the three looks at the base: ``policy``, ``switch`` or ``long_run``."""
        policy = result.policy if name == "policy" else result.against
        values = {"policy": policy.label} | ({"day": str(result.as_of)} if name == "policy" else {})
        return self(f"view_{name}", **values)
