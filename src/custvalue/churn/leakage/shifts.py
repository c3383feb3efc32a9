"""Columns that move in one snapshot for everybody: a short month, a holiday, a price rise, a launch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.leakage.evidence import Evidence
from custvalue.churn.leakage.findings import Finding
from custvalue.errors import some

_FEWEST_SNAPSHOTS = 4
_MOST_ROWS = 1_000
_MOVED = 0.35
"""Of the spread between quartiles: a February alone moves a month's use by about so much."""
_NEW_LEVEL = 0.10


def find(evidence: Evidence) -> Iterator[Finding]:
    """Compare each snapshot with the others, and the levels of the newest ones with those of the oldest half."""
    if len(evidence.snapshots) < _FEWEST_SNAPSHOTS:
        return
    frame = evidence.frame
    parts = {day: _spaced(np.flatnonzero(frame.snapshot == np.datetime64(day))) for day in evidence.snapshots}
    moved: dict[date, list[tuple[str, float, float]]] = {}
    for column in evidence.columns:
        values = frame.X[column.name]
        if column.kind == "category":
            yield from _new_levels(column.name, [values.iloc[rows] for rows in parts.values()], evidence)
        else:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            for day, here, elsewhere in _moved(numbers, parts):
                moved.setdefault(day, []).append((column.name, here, elsewhere))
    for day, columns in sorted(moved.items(), key=lambda item: item[0]):
        name, here, elsewhere = columns[0]
        others = f" So do {len(columns) - 1} more: {some(entry[0] for entry in columns[1:])}." if len(columns) > 1 else ""
        yield Finding(
            name,
            f"at snapshot {day} it differs for everybody: median {here:.3g}, in the other snapshots {elsewhere:.3g}.{others}",
            "This is season or an event, not churn: no rule with a fixed limit on it holds, and quality counts on snapshots like it only.",
            refuses=False,
        )


def _spaced(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: max(1, rows.size // _MOST_ROWS)]


def _moved(numbers: NDArray[np.float64], parts: Mapping[date, NDArray[np.intp]]) -> Iterator[tuple[date, float, float]]:
    """Snapshots whose median lies off that of all others by a good part of the spread."""
    groups = {day: there for day, rows in parts.items() if (there := numbers[rows][~np.isnan(numbers[rows])]).size >= _MOST_ROWS // 10}
    if len(groups) < _FEWEST_SNAPSHOTS:
        return
    medians = {day: float(np.median(there)) for day, there in groups.items()}
    low, high = np.quantile(np.concatenate(list(groups.values())), [0.25, 0.75])
    if high <= low:
        return
    for day, median in medians.items():
        others = np.array([value for other, value in medians.items() if other != day])
        elsewhere = float(np.median(others))
        # a column that drifts month by month is no event; one snapshot must stand out from the range of the others as well
        outside = median < others.min() or median > others.max()
        if outside and abs(median - elsewhere) > _MOVED * (high - low) + float(np.ptp(others)) / 2:
            yield day, median, elsewhere


def _new_levels(name: str, parts: list[pd.Series], evidence: Evidence) -> Iterator[Finding]:
    older = set(pd.concat(parts[: len(parts) // 2]).dropna())
    newest = parts[-1].dropna()
    shares = newest.value_counts(normalize=True)
    for level, share in shares[~shares.index.isin(older)].items():
        if share >= _NEW_LEVEL:
            first = next(day for day, part in zip(evidence.snapshots, parts, strict=True) if (part == level).any())
            yield Finding(
                name,
                f"{share:.0%} of the newest snapshot hold {level!r}, first seen at {first}: older snapshots know nothing of it.",
                "A launch in mid-history: judge the model on snapshots after it, and train again once their windows are over.",
                refuses=False,
            )
