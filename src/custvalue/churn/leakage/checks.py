"""Every check by name, and the report made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from custvalue.churn.leakage import (
    announcements,
    availability,
    censoring,
    future,
    identities,
    near_perfect,
    overlap,
    overwritten,
    quality,
    shifts,
    silence,
    treatment,
)
from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding, LeakageReport, Reported
from custvalue.engines import resting_collector


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    about : str
        What it looks for, in a few words.
    find : callable
        Gives its findings.
    needs : str
        ``frame``, ``tables`` (also the operator's tables) or ``model`` (also a trained model).
    """

    about: str
    find: Callable[[Evidence], Iterator[Finding]]
    needs: Literal["frame", "tables", "model"] = "tables"


CHECKS: Mapping[str, Check] = {
    "near_perfect": Check("columns that alone tell who leaves", near_perfect.find, "frame"),
    "availability": Check("columns that only some snapshots have", availability.find, "frame"),
    "shifts": Check("columns that move in one snapshot for everybody: season, a launch", shifts.find, "frame"),
    "censoring": Check("snapshots whose leavers are not all reported yet", censoring.find),
    "overlap": Check("rows known before they happened, and leavers outside their window", overlap.find),
    "future": Check("features that change when the future is removed", future.find),
    "overwritten": Check("facts written over when a customer leaves", overwritten.find),
    "announcements": Check("tickets and events that announce the departure", announcements.find),
    "identities": Check("ids that stood for somebody else before", identities.find),
    "silence": Check("leavers who were silent before the snapshot", silence.find),
    "treatment": Check("contacts inside the outcome window", treatment.find),
    "quality": Check("a model better than months ahead allow", quality.find, "model"),
}
"""Every check, in the order of the report; a new one is one file and one line here."""


@resting_collector()  # several checks build the features anew
def find_leaks(evidence: Evidence, *, before: LeakageReport | None = None) -> LeakageReport:
    """Run the checks that the evidence allows.

    Parameters
    ----------
    evidence : Evidence
        Without a model the checks that need none run; with one, those that judge it.
    before : LeakageReport, optional
        The report made before training; the new one holds both.
    """
    reported: list[Reported] = []
    ran: dict[str, str] = {}
    skipped: dict[str, str] = {}
    allow = evidence.churn.leakage.allow
    for name, check in CHECKS.items():
        if (check.needs == "model") != (evidence.model is not None):
            continue
        if why := _cannot_run(check, evidence):
            skipped[name] = why
            continue
        ran[name] = check.about
        reported += [Reported(name, found, allow.get(found.subject, allow.get(name))) for found in check.find(evidence)]
    if before is not None:
        reported, ran, skipped = [*before.reported, *reported], {**before.checks, **ran}, {**before.skipped, **skipped}
    used = {entry.finding.subject for entry in reported} | {entry.check for entry in reported}
    unused = {name: reason for name, reason in allow.items() if name not in used}
    return LeakageReport(ran, skipped, len(evidence.columns), tuple(reported), unused)


def _cannot_run(check: Check, evidence: Evidence) -> str:
    if not len(evidence.frame):
        return "there are no labelled rows"
    return "it needs the operator's tables" if check.needs == "tables" and evidence.tables is None else ""


def guard(evidence: Evidence, *, log: Callable[[str], None], before: LeakageReport | None = None) -> LeakageReport:
    """Run the checks, tell what they found, and stop at a leak that the config does not allow.

    Raises
    ------
    ModelError
        A finding is refused.
    """
    report = find_leaks(evidence, before=before)
    fresh = report if before is None else replace(report, reported=report.reported[len(before.reported) :])
    if before is None or fresh.reported:
        for line in fresh.lines:
            log(line)
    report.refuse()
    return report
