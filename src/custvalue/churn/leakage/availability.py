"""Columns that only some of the stacked snapshots have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.errors import some

_NO_CHANCE = 20.0
"""So many values expected and none there is no accident, also for a column that few customers have."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Look for columns that are empty throughout a snapshot and filled in others; the booster would read the gap as time."""
    days = np.array(evidence.snapshots, dtype="datetime64[D]")
    which = np.searchsorted(days, evidence.frame.snapshot)
    rows = np.bincount(which, minlength=days.size)
    groups: dict[tuple[bool, ...], list[str]] = defaultdict(list)
    for column in evidence.columns:
        filled = np.bincount(which, weights=evidence.frame.X[column.name].notna(), minlength=days.size)
        share = filled.sum() / max(1, rows[filled > 0].sum())
        absent = (filled == 0) & (rows * share >= _NO_CHANCE)
        if absent.any():
            groups[tuple(absent.tolist())].append(column.name)
    for pattern, names in groups.items():
        absent_days = days[np.array(pattern)]
        others = f" So are {len(names) - 1} more: {some(names[1:])}." if len(names) > 1 else ""
        ended = pattern[-1]
        yield Finding(
            names[0],
            f"empty in {absent_days.size} of {days.size} snapshots ({some(absent_days)}) and filled in the others.{others}",
            "Its feed has stopped: the newest customers, and those to be scored, lack it. Repair the feed, or leave the table out."
            if ended
            else "Older snapshots tell the booster only that they are old. Lower `churn.snapshots`, or load the history.",
            refuses=ended,
        )
