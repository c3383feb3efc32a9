"""A model that is better than months ahead allow."""

from __future__ import annotations

from collections.abc import Iterator

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding

SUSPICIOUS_AUC = 0.90
"""From here on a model that looks a month or more ahead usually has a leak."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Judge the AUC on the rows set aside; only an interval wholly above the limit is refused."""
    if evidence.model is None:
        return
    auc = evidence.model.evaluation.metrics["auc"]
    if auc.value >= SUSPICIOUS_AUC:
        yield Finding(
            "auc",
            f"AUC {auc:.3f} on the rows set aside; {SUSPICIOUS_AUC:.2f} and more is not reached months ahead without a leak.",
            "Look for the leak first: columns that know the outcome, silent customers among the active, copies of rows on both sides of "
            "a split.",
            refuses=auc.low >= SUSPICIOUS_AUC,
        )
