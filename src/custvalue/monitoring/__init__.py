"""Is the model still right for the customers it scores? Drift, missingness and scores by night; what was foretold beside what came true.

A night counts its customers part by part, and asks before it is published::

    reference = model_reference(model)                        # pipeline.monitoring; None for a model from before there were any
    part = count_part(frame, probability, reference)          # Profile: whole numbers, so profiles of parts add up (``a + b``)
    findings = canary(now, before, reference, config.monitoring)   # Profile, Profile | None, Reference | None, MonitoringConfig
    any(finding.severity == "refuse" for finding in findings)      # a gross fault: the night must not be published

``Profile.to_dict`` and ``Profile.from_dict`` keep a night's profile as ``profile.json``; `Reference` has the same pair, and is registered
with its model as ``reference.json``.
"""

from custvalue.monitoring.alerts import Alert, raise_alerts
from custvalue.monitoring.canary import Comparison, canary, compare, expected_rate
from custvalue.monitoring.findings import Finding, tell
from custvalue.monitoring.profile import Profile
from custvalue.monitoring.psi import Stability, discoveries, stability
from custvalue.monitoring.quality import MEASURES, Outcomes, estimated, realised
from custvalue.monitoring.reference import Reference, count_part
from custvalue.monitoring.turnover import list_turnover, tier_migration

__all__ = [
    "MEASURES",
    "Alert",
    "Comparison",
    "Finding",
    "Outcomes",
    "Profile",
    "Reference",
    "Stability",
    "canary",
    "compare",
    "count_part",
    "discoveries",
    "estimated",
    "expected_rate",
    "list_turnover",
    "raise_alerts",
    "realised",
    "stability",
    "tell",
    "tier_migration",
]
