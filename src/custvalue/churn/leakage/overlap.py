"""Features that look into the outcome window, and leavers who left before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import ibis
import pandas as pd

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.config import OutcomeSettings
from custvalue.errors import mask
from custvalue.sources import CONTRACT

_HAPPENINGS = ("billing", "usage", "daily", "payments", "complaints", "surveys", "events", "contacts")
"""Tables of what has happened; contracts, plans and notices may be known in advance."""

_REFUSED = 0.001
_ZONES = timedelta(days=1)
_SOON = timedelta(days=7)
_MANY_SOON = 0.50


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look for rows known before they happened, and for leavers whose departure lies outside their window."""
    for name in _HAPPENINGS:
        if evidence.has(name):
            yield from _too_early(evidence, name)
    if not (isinstance(evidence.churn, OutcomeSettings) and evidence.churn.by_bills):
        yield from _outside(evidence)


def _too_early(evidence: Evidence, name: str) -> Iterator[Finding]:
    event = str(CONTRACT[name].event)
    table = evidence.whole(name)
    time = table[event].cast("timestamp(6)")
    over = time + ibis.interval(months=1) if event == "month" else time + ibis.interval(days=1) if event == "day" else time
    # stored in UTC while months and days end in the operator's zone: within a day is no fault
    early = table.filter(table.available_at < over - ibis.interval(days=_ZONES.days))
    found = early.agg(n=early.count(), example=early.customer_id.min()).to_pandas().iloc[0]
    if count := int(found.n):
        share = count / max(1, evidence.opened.rows[name])
        yield Finding(
            f"{name}.available_at",
            f"{count:,} row(s) ({share:.1%}) are known before their `{event}` is over, for example of customer {mask(found.example)}: a "
            "snapshot "
            "reads use and bills of days that its outcome window holds.",
            f"Give the time when the warehouse had the whole row, or leave `available_at` out and set `sources.delay_days.{name}`.",
            refuses=share >= _REFUSED,
        )


def _outside(evidence: Evidence) -> Iterator[Finding]:
    departures = evidence.departures
    # a silent period counts as if it had started a day later, see `outcomes.label`
    moved = departures.assign(left_on=departures.left_on + pd.to_timedelta((departures.kind == "silence").astype(int), unit="D"))
    moved = moved[moved.kind.isin(evidence.churn.kinds)]
    wrong: list[str] = []
    leavers = soon = 0
    for day in evidence.snapshots:
        start, end = (pd.Timestamp(edge) for edge in evidence.window(day))
        labelled = evidence.labelled(day)
        left = labelled[labelled.y == 1].merge(moved, on="customer_id", how="left")
        inside = left[(left.left_on > start) & (left.left_on <= end)]
        wrong += sorted(set(left.customer_id) - set(inside.customer_id))
        leavers += left.customer_id.nunique()
        soon += inside[(inside.left_on <= start + _SOON) & (inside.kind != "silence")].customer_id.nunique()
    if wrong:
        yield Finding(
            "departures.left_on",
            f"{len(wrong):,} leaver(s) left outside the outcome window of their snapshot, for example customer {mask(wrong[0])}.",
            "Label with `training_frame`: 1 iff as_of + gap < left_on <= as_of + gap + horizon.",
        )
    if evidence.churn.gap_months == 0 and soon >= _MANY_SOON * max(1, leavers):
        yield Finding(
            "churn.gap_months",
            f"{soon:,} of {leavers:,} leavers left within {_SOON.days} days of the snapshot: no gap lies between features and outcome.",
            "Their last weeks are in the features and nobody could have called them: set `churn.gap_months: 1`.",
            refuses=False,
        )
