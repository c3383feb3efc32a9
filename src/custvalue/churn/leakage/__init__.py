"""The leakage report: whether anything that the model learns from knows the outcome.

``evidence`` is what the checks look at, ``findings`` what they say; ``checks`` holds all of them by name, runs them and refuses.
``association`` measures one column against the outcome; every other file is one check.
"""

from custvalue.churn.leakage.checks import CHECKS, Check, find_leaks, guard
from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding, LeakageReport, Reported

__all__ = ["CHECKS", "Check", "Evidence", "Finding", "LeakageReport", "Reported", "find_leaks", "guard"]
