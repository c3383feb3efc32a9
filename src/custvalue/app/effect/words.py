"""The words of the effect report, in one language."""

from __future__ import annotations

from custvalue.config import Config, ready_configs
from custvalue.wording import Catalogue, load_catalogue

SECTION = "effect"


class Words:
    """Gives words by name; a workspace whose wording is older than the report takes the ones shipped with the package.

    Parameters
    ----------
    config : Config
        Its wording and currency.
    language : str
        ``en`` or ``zh``.
    """

    def __init__(self, config: Config, language: str) -> None:
        self.language, self._currency = language, config.currency
        self.catalogue: Catalogue = load_catalogue(config.wording)
        self._own = self.catalogue if self.catalogue.names(SECTION) else load_catalogue(ready_configs() / "wording")

    def __call__(self, name: str, /, **values: str) -> str:
        """Give an entry of the section ``effect``."""
        return self._own.label(f"{SECTION}.{name}", self.language, **values)

    def group(self, dimension: str, code: str) -> str:
        """Name a group: a tier or a reason in words; an offer or a team stands as it is."""
        if dimension == "tier":
            return self.catalogue.label(f"tiers.{code}", self.language, default=code)
        known = self.catalogue.reasons.get(code) if dimension == "reason_code" else None
        return code if known is None else known.name.text(self.language)

    def money(self, value: float) -> str:
        """Write an amount."""
        return self.catalogue.money(value, language=self.language, currency=self._currency)
