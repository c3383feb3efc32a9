"""Snapshots that count as stayers those whose departure nobody knows yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.churn.reporting import MOST_UNREPORTED, Reports
from custvalue.sources import add_months

_REFUSED = 2 * MOST_UNREPORTED


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look for outcome windows that are not over, and for leavers who, going by the past, are still to be reported."""
    delay = timedelta(days=evidence.opened.delay_days.get("departures", 0))
    if late := [day for day in evidence.snapshots if add_months(day, evidence.reach) + delay > evidence.as_of]:
        yield Finding(
            "departures.left_on",
            f"{len(late)} of {len(evidence.snapshots)} snapshot(s), the first of them {late[0]}, have outcome windows that are not over "
            "and "
            f"reported at {evidence.as_of}.",
            "Who has not left yet is no stayer: leave these snapshots out.",
        )
        return
    newest = evidence.snapshots[-1]
    unreported = Reports.of(evidence.opened, evidence.as_of, evidence.churn).unreported(newest)
    if unreported > MOST_UNREPORTED:
        yield Finding(
            "departures.available_at",
            f"going by earlier departures, {unreported:.0%} of the leavers in the window of {newest} are not known by {evidence.as_of} and "
            "count as stayers.",
            "Set `sources.delay_days.departures` to the days after which nearly all departures are reported: newer snapshots then wait.",
            refuses=unreported > _REFUSED,
        )
