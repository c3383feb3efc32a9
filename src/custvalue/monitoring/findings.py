"""What monitoring finds: facts with their limits, said in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from custvalue.wording import Catalogue

Severity = Literal["alert", "refuse"]

SECTION = "monitoring"
_SINGLY = 3
"""So many findings of one kind are told each by itself; of more, these are named."""

_WORDS = {
    "score_shift": "the scores differ from those of {against}: stability index {figure}, limit {limit}; {now} are expected to leave, "
    "then {before}",
    "drift": "{column} differs from {against}: stability index {figure}, limit {limit}",
    "missing": "{column} is missing for {now} of the customers; of {against} for {before} (limit: a change of {limit})",
    "unseen": "{column}: {figure} of the customers have a level that the model never saw{examples} (limit {limit})",
    "scores_stuck": "{figure} of the customers have the same score (limit {limit}); in {against} it was {before}",
    "drift_many": "{count} columns differ from {against}, most of all {columns}",
    "missing_many": "{count} columns are missing for more or fewer customers than of {against}, most of all {columns}",
    "unseen_many": "{count} columns have levels that the model never saw, most of all {columns}",
    "against_training": "training",
    "against_night": "the night before",
    "examples": ", for example {levels}",
}
"""Words in English; ``monitoring.<name>`` in labels.yaml says them in another language, and may say them otherwise in English."""


@dataclass(frozen=True)
class Finding:
    """One fact beyond its limit.

    Attributes
    ----------
    code : str
        ``score_shift``, ``scores_stuck``, ``drift``, ``missing`` or ``unseen``.
    severity : str
        ``alert`` is told and the night goes on; ``refuse`` is a gross fault, and the night must not be published.
    column : str
        The feature column; empty for the score.
    against : str
        ``training`` or ``night`` (the one before).
    figure, limit : float
        What was found, and the limit that it is beyond.
    values : mapping
        Further figures as the message shows them.
    """

    code: str
    severity: Severity
    column: str
    against: str
    figure: float
    limit: float
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The finding in English."""
        return self.told(None, "en")

    def told(self, catalogue: Catalogue | None, language: str) -> str:
        """Say the finding in a language; what the catalogue does not hold is said in English."""
        shown = _shown(self)
        against = word(catalogue, language, f"against_{self.against}")
        return word(
            catalogue, language, self.code, **{"column": self.column, "against": against, **shown, **self._spoken(catalogue, language)}
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, with the message in English."""
        return {
            "code": self.code,
            "severity": self.severity,
            "column": self.column,
            "against": self.against,
            "figure": self.figure,
            "limit": self.limit,
            "message": self.message,
        }

    def _spoken(self, catalogue: Catalogue | None, language: str) -> dict[str, str]:
        """Give the further figures; examples are a part of a sentence, and empty where there are none."""
        spoken = dict(self.values)
        if self.code == "unseen":
            levels = spoken.pop("levels", "")
            spoken["examples"] = word(catalogue, language, "examples", levels=levels) if levels else ""
        return spoken


def tell(findings: Iterable[Finding], catalogue: Catalogue | None = None, language: str = "en") -> list[str]:
    """Say findings in their order, with one sentence for many columns of a kind: a season or a broken feed moves dozens at once."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, finding.code, finding.against), []).append(finding)
    said: list[str] = []
    for (_, code, against), own in kinds.items():
        if len(own) <= _SINGLY:
            said += [finding.told(catalogue, language) for finding in own]
            continue
        values = {"count": str(len(own)), "against": word(catalogue, language, f"against_{against}")}
        columns = ", ".join(f"{finding.column} ({_shown(finding)['figure']})" for finding in own[:_SINGLY])
        said.append(word(catalogue, language, f"{code}_many", columns=columns, **values))
    return said


def word(catalogue: Catalogue | None, language: str, name: str, **values: str) -> str:
    """Give an entry of the catalogue's section ``monitoring``, or the English one."""
    if catalogue is not None and name in catalogue.names(SECTION):
        return catalogue.label(f"{SECTION}.{name}", language, **values)
    return _WORDS[name].format(**values)


def _shown(finding: Finding) -> dict[str, str]:
    written = "{:.0%}" if finding.code in ("missing", "unseen", "scores_stuck") else "{:.2f}"
    return {"figure": written.format(finding.figure), "limit": written.format(finding.limit)}
