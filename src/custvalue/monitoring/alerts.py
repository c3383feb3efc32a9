"""Alert rules: which figures of a night are worth a loud line."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custvalue.config import AlertRule


@dataclass(frozen=True)
class Alert:
    """A rule that a figure broke.

    Attributes
    ----------
    rule : AlertRule
    metric : str
        The figure's name.
    value : float
    """

    rule: AlertRule
    metric: str
    value: float

    def told(self, language: str) -> str:
        """Say it in a language."""
        text = self.rule.zh if language == "zh" else self.rule.en
        return text.format(metric=self.metric, value=f"{self.value:.3g}", limit=f"{self.rule.limit:.3g}")


def raise_alerts(metrics: Mapping[str, float], rules: Sequence[AlertRule]) -> list[Alert]:
    """Find the figures that break a rule, in the order of the rules; a figure that is not there breaks none."""
    return [
        Alert(rule, name, value)
        for rule in rules
        for name, value in sorted(metrics.items())
        if fnmatch.fnmatchcase(name, rule.metric) and rule.broken_by(value)
    ]
