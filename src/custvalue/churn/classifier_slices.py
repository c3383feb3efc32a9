"""Which rows of a flat frame stop and calibrate, and which column knows the outcome too well."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from custvalue import metrics
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.splits import Rows
from custvalue.churn.time_split import TimeSplit
from custvalue.errors import ConfigError

SLICE_SHARE = 0.15
"""Share of the rows that stop, and of those that calibrate, in time."""

SLICE_LEAVERS = 20
"""Fewer leavers can neither stop nor calibrate."""

SUSPICIOUS_AUC = 0.99
"""A single column that ranks so well hardly knows the outcome from before it happened."""

_LEAK_ROWS = 20_000
_LEAK_OUTCOMES = 20


def slices_over_time(rows: TrainingFrame, purge: int | timedelta, *, apart: bool, seed: int) -> tuple[Rows, Rows, Rows] | str:
    """Rows that train, stop and calibrate, oldest first, outcome windows apart; or why that cannot be.

    Parameters
    ----------
    rows : TrainingFrame
    purge : int or timedelta
        Length of an outcome window; see `TimeSplit`.
    apart : bool
        No customer of a slice has rows in an older one.
    seed : int
        Decides which customers calibrate and stop where they are kept apart.
    """
    found: list[Rows] = []
    older = np.arange(len(rows))
    for name in ("calibrate", "stop"):
        days, counts = np.unique(rows.snapshot[older], return_counts=True)
        newest = int(np.searchsorted(np.cumsum(counts[::-1]), SLICE_SHARE * len(rows))) + 1
        try:
            cv = TimeSplit(rows.snapshot[older], purge=purge, n_splits=1, test_snapshots=min(newest, days.size), seed=seed)
            ((earlier, later),) = cv.split(groups=rows.customer[older] if apart else None)
        except ConfigError as error:
            return f"no rows are older than those that {name}: {error}"
        found.append(older[later])
        older = older[earlier]
    train, stop, calibrate = older, found[1], found[0]
    for name, part in (("train", train), ("stop", stop), ("calibrate", calibrate)):
        leavers = int(rows.y[part].sum())
        if min(leavers, part.size - leavers) < SLICE_LEAVERS:
            return f"the rows that would {name} hold {leavers} of the positive class among {part.size}; {SLICE_LEAVERS} are needed"
    return train, stop, calibrate


def find_leaks(rows: TrainingFrame) -> list[str]:
    """Columns that alone rank the outcomes almost perfectly, by value or by being missing, among up to 20,000 rows."""
    picked = np.arange(0, len(rows), max(1, len(rows) // _LEAK_ROWS))
    y = rows.y[picked]
    if min(y.sum(), y.size - y.sum()) < _LEAK_OUTCOMES:
        return []
    return [str(name) for name in rows.X.columns if _ranks(rows.X[name].iloc[picked].to_numpy(), y)]


def _ranks(values: np.ndarray[tuple[int], np.dtype[np.generic]], y: np.ndarray[tuple[int], np.dtype[np.int8]]) -> bool:
    if values.dtype == object:
        codes, levels = np.unique(values.astype(str), return_inverse=True)[::-1]
        counts = np.bincount(codes)
        if levels.size * 2 > min(y.sum(), y.size - y.sum()):
            return False
        scores = np.bincount(codes, weights=y) / counts
        return metrics.roc_auc(y, scores[codes]) >= SUSPICIOUS_AUC
    missing = np.isnan(values.astype(np.float64))
    areas = [metrics.roc_auc(y, missing)]
    if not missing.all():
        areas.append(metrics.roc_auc(y, np.where(missing, np.nanmedian(values.astype(np.float64)), values)))
    return any(max(area, 1 - area) >= SUSPICIOUS_AUC for area in areas)
