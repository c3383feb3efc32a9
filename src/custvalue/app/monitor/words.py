"""The words of the monitoring report, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from custvalue.config import Config, ready_configs
from custvalue.explain.vocabulary import declared
from custvalue.features import FeatureColumn
from custvalue.monitoring import Finding, tell
from custvalue.monitoring.findings import SECTION
from custvalue.wording import Catalogue, load_catalogue


class Words:
    """Gives words by name; a workspace whose wording is older than the report takes the ones shipped with the package.

    Parameters
    ----------
    config : Config
        Its wording and its features.
    language : str
        ``en`` or ``zh``.
    """

    def __init__(self, config: Config, language: str) -> None:
        self.language = language
        self.catalogue: Catalogue = load_catalogue(config.wording)
        self._own = self.catalogue if self.catalogue.names(SECTION) else load_catalogue(ready_configs() / "wording")
        self._columns = _declared(config.features.windows)

    def __call__(self, name: str, /, **values: str) -> str:
        """Give an entry of the section ``monitoring``."""
        return self._own.label(f"{SECTION}.{name}", self.language, **values)

    def findings(self, findings: Iterable[Finding]) -> list[str]:
        """Say findings, many of a kind in one sentence."""
        return tell(findings, self._own, self.language)

    def meaning(self, column: str) -> str:
        """Say what a feature column holds, as far as it is declared."""
        found = self._columns.get(column)
        return "" if found is None else found.zh if self.language == "zh" else found.en

    def tier(self, name: object) -> str:
        """Give a tier's name; an operator's own stands as it is, and a customer whom a night does not know has none."""
        return self.catalogue.label(f"tiers.{name}", self.language, default=name) if isinstance(name, str) else self("absent")

    def reason(self, code: str) -> str:
        """Give a reason's name; one that the wording does not know any more stands by its code."""
        known = self.catalogue.reasons.get(code)
        return code if known is None else known.name.text(self.language)


@cache
def _declared(windows: tuple[int, ...]) -> Mapping[str, FeatureColumn]:
    """Declare the columns once: that takes a second or two."""
    return declared(windows)
