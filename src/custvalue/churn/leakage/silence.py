"""Leavers who had gone silent before the snapshot: to find them is no prediction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd

from custvalue.churn.leakage.association import wilson_low
from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.errors import mask
from custvalue.sources import add_months

_VOLUMES = ("voice_minutes", "sms_count", "data_mb", "active_days")
_SILENT_MONTHS = 2
_REFUSED = 0.10
_TIMES_AS_LIKELY = 3.0
_DOUBT = 0.01


def find(evidence: Evidence) -> Iterator[Finding]:
    """Count those without any use in the two newest months, among leavers and among stayers of the oldest and the newest snapshot."""
    if not evidence.has("usage") or not [name for name in _VOLUMES if evidence.has("usage", name)]:
        return
    days = dict.fromkeys((evidence.snapshots[0], evidence.snapshots[-1]))
    rows = pd.concat([_told_apart(evidence, day) for day in days])
    leavers, silent = rows[rows.y == 1], rows[rows.silent]
    gone = leavers[leavers.silent]
    rate = len(gone) / max(1, len(silent))
    others = (len(leavers) - len(gone)) / max(1, len(rows) - len(silent))
    if wilson_low(len(gone), len(leavers), doubt=_DOUBT) >= _REFUSED and rate >= _TIMES_AS_LIKELY * others:
        yield Finding(
            "usage",
            f"{len(gone):,} of {len(leavers):,} leavers had no use in the {_SILENT_MONTHS} months before their snapshot, for example "
            "customer "
            f"{mask(gone.customer_id.iloc[0])}; {rate:.0%} of the silent leave, {others:.1%} of the others.",
            "They had left in all but name, and pad every measure of quality: give them status `silent`, or date such departures by the "
            "first "
            "silent day (kind `silence`).",
        )


def _told_apart(evidence: Evidence, day: date) -> pd.DataFrame:
    rows = evidence.labelled(day)
    return rows.assign(silent=rows.customer_id.isin(_silent(evidence, day)))


def _silent(evidence: Evidence, day: date) -> set[str]:
    """Customers whose newest months hold no use although older ones do."""
    newest = evidence.moment(day).newest_month(evidence.opened.delay_days.get("usage", 0))
    since = add_months(newest, 1 - _SILENT_MONTHS)
    usage = evidence.opened.known(day)["usage"]
    used = sum((usage[name].fill_null(0).cast("float64") for name in _VOLUMES if name in usage.columns), start=0.0)
    counted = usage.mutate(used=used).group_by("customer_id")
    sums = counted.agg(
        recent=lambda t: t.used.sum(where=(t.month >= since) & (t.month <= newest)).fill_null(0.0),
        before=lambda t: t.used.sum(where=t.month < since).fill_null(0.0),
    )
    return set(sums.filter((sums.recent == 0) & (sums.before > 0)).customer_id.to_pyarrow().to_pylist())
