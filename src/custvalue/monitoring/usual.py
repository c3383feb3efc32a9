"""How much columns change from one day of training to another: month lengths, pay days and seasons, which are no drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from custvalue.monitoring.bins import CategoryBins, ColumnBins
from custvalue.monitoring.psi import stability
from custvalue.monitoring.scores import Counts

_LEAST_ROWS = 200
"""A day with fewer customers tells nothing of what is usual."""
_YEAR = np.timedelta64(366, "D")
"""Older days than this tell of a trend rather than of a season."""


@dataclass(frozen=True)
class Usual:
    """The largest changes of one column's known values among the days of training, as stability index above its noise.

    Attributes
    ----------
    training : float
        Of one day against the rows that nights are compared with.
    night : float
        Of one day against the day before it.
    """

    training: float = 0.0
    night: float = 0.0


def usual_changes(bins: Mapping[str, ColumnBins], counts: Mapping[str, Counts], X: pd.DataFrame, snapshot: ArrayLike) -> dict[str, Usual]:
    """Measure what is usual of each column over the last year of training.

    Parameters
    ----------
    bins, counts : mapping
        Column → how its values are counted, and what the rows hold that nights are compared with.
    X : DataFrame
        Features of all labelled rows.
    snapshot : (n,) datetime64, days on which they were seen
    """
    seen = np.asarray(snapshot).astype("datetime64[D]")
    days = [np.flatnonzero(seen == day) for day in np.unique(seen) if day > seen.max() - _YEAR]
    days = [rows for rows in days if len(rows) >= _LEAST_ROWS]
    found = {}
    for name, each in bins.items():
        category = isinstance(each, CategoryBins)
        known = slice(-2 if category else -1)
        parts = [each.count(X[name].iloc[rows])[known] for rows in days]
        theirs = [stability(part, counts[name][known], ordered=not category).excess for part in parts]
        steps = [stability(now, before, ordered=not category).excess for before, now in pairwise(parts)]
        found[name] = Usual(training=max(theirs, default=0.0), night=max(steps, default=0.0))
    return found
