"""Quality by group of the test slice: by tier, region, tenure, month and whatever else the rows carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue import metrics
from custvalue.churn.evaluation import Interval
from custvalue.metrics import Floats

LEAST_LEAVERS = 20
"""A slice with fewer leavers, or fewer stayers, is told and not judged: its intervals would say nothing."""

MOST_VALUES = 24
"""The largest values of a dimension have a row each; the others share one."""

UNKNOWN, OTHERS = "unknown", "others"

ALL = "all"
"""The dimension, and the value, of the row that holds everybody."""

LEAVERS_ONLY = "kind"
"""A dimension that only leavers have: each kind is told from all stayers, so it has ranking measures and no rates."""

RANKING = ("auc", "reached")


@dataclass(frozen=True)
class SliceQuality:
    """Quality on one group of rows.

    Attributes
    ----------
    dimension, value : str
        For example ``tier`` and ``gold``.
    rows, customers, leavers : int
        Rows of the group, distinct customers among them, rows that left.
    measures : dict
        Empty where the group is too small to be judged. ``auc``; ``log_loss`` (nats); ``lift_capacity`` among the group's own rows;
        ``predicted`` and ``observed`` (mean probability and rate of leaving); ``ratio``, observed / predicted; ``selected``, the share of
        the group's rows among the riskiest of all rows at capacity, and ``reached``, the share of its leavers among them (true positive
        rate). Each with a 95 % interval that resamples customers.
    """

    dimension: str
    value: str
    rows: int
    customers: int
    leavers: int
    measures: Mapping[str, Interval] = field(repr=False)

    @property
    def judged(self) -> bool:
        """Whether the group is large enough."""
        return bool(self.measures)


def quality_by_slice(
    test: pd.DataFrame, dimensions: pd.DataFrame, *, capacity_share: float, resamples: int = 300, seed: int = 7
) -> tuple[SliceQuality, ...]:
    """Judge each group of the test rows.

    Parameters
    ----------
    test : DataFrame
        ``customer``, ``y`` and ``probability`` of each row.
    dimensions : DataFrame
        One column a dimension, rows as in `test`; a missing value is a group of its own. In the column ``kind`` only leavers have one.
    capacity_share : float
        Share of all rows that can be contacted, in (0, 1].
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    tuple of SliceQuality
        Everybody first; then by dimension in the order of its columns, each group in the order of its first appearance in a sorted list,
        what is unknown last.
    """
    y, p = test["y"].to_numpy(dtype=np.float64), test["probability"].to_numpy(dtype=np.float64)
    customer = pd.factorize(test["customer"])[0]
    threshold = np.sort(p)[-int(np.ceil(capacity_share * p.size - 1e-9))]

    def judged(name: str, value: str, rows: NDArray[np.bool_]) -> SliceQuality:
        counts = (int(rows.sum()), int(np.unique(customer[rows]).size), int(y[rows].sum()))
        if min(counts[2], counts[0] - counts[2]) < LEAST_LEAVERS:
            return SliceQuality(name, value, *counts, {})
        measured = _measures(capacity_share, threshold, only=RANKING if name == LEAVERS_ONLY else ())
        return SliceQuality(name, value, *counts, _intervals(measured, y[rows], p[rows], customer[rows], resamples, seed))

    found = [judged(ALL, ALL, np.ones(p.size, dtype=bool))]
    for name in dimensions.columns:
        for value, rows in _groups(dimensions[name]):
            if name != LEAVERS_ONLY:
                found.append(judged(name, value, rows))
            elif value != UNKNOWN:
                found.append(judged(name, value, rows | (y == 0)))
    return tuple(found)


def slice_rows(found: tuple[SliceQuality, ...]) -> pd.DataFrame:
    """Give one row a group, with ``<measure>``, ``<measure>_low`` and ``<measure>_high``; empty where it was too small to be judged."""
    rows: list[dict[str, Any]] = []
    for each in found:
        told = {"dimension": each.dimension, "value": each.value, "rows": each.rows, "customers": each.customers, "leavers": each.leavers}
        for name, interval in each.measures.items():
            told |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(told | {"judged": each.judged})
    return pd.DataFrame(rows)


def bands(values: pd.Series, edges: Sequence[int]) -> pd.Series:
    """Put whole numbers into bands that sort by name.

    >>> bands(pd.Series([3, 6, 80, None]), (6, 12, 60)).tolist()
    ['00–05', '06–11', '60+', None]
    """
    width = len(str(edges[-1]))
    names = [f"{low:0{width}d}–{high - 1:0{width}d}" for low, high in pairwise((0, *edges))] + [f"{edges[-1]}+"]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.array(names, dtype=object)[np.searchsorted(edges, numbers, side="right").clip(max=len(edges))]
    found[np.isnan(numbers)] = None
    return pd.Series(found, index=values.index, dtype=object)


def _groups(values: pd.Series) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give each value's name and rows, in order of name, others and unknown last."""
    text = values.astype(object).where(values.notna(), None).map(lambda value: None if value is None else str(value))
    counts = text.value_counts()
    kept = sorted(counts.index[:MOST_VALUES])
    for value in kept:
        yield value, (text == value).to_numpy(dtype=bool)
    known = text.notna().to_numpy(dtype=bool)
    for value, rows in ((OTHERS, known & ~text.isin(kept).to_numpy(dtype=bool)), (UNKNOWN, ~known)):
        if rows.any():
            yield value, rows


def _measures(capacity_share: float, threshold: float, *, only: tuple[str, ...]) -> dict[str, Any]:
    def selected(_: Floats, p: Floats) -> float:
        return float((p >= threshold).mean())

    def reached(y: Floats, p: Floats) -> float:
        return float((p[y == 1] >= threshold).mean()) if y.any() else float("nan")

    found = {
        "auc": metrics.roc_auc,
        "log_loss": metrics.log_loss,
        "lift_capacity": lambda y, p: metrics.lift_score(y, p, capacity_share),
        "predicted": lambda _, p: float(p.mean()),
        "observed": lambda y, _: float(y.mean()),
        "ratio": lambda y, p: float(y.sum() / p.sum()),
        "selected": selected,
        "reached": reached,
    }
    return {name: measure for name, measure in found.items() if not only or name in only}


def _intervals(measures: Mapping[str, Any], y: Floats, p: Floats, customer: NDArray[Any], resamples: int, seed: int) -> dict[str, Interval]:
    def judge(y: Floats, p: Floats) -> Floats:
        return np.array([measure(y, p) for measure in measures.values()])

    values = judge(y, p)
    low, high = np.nanquantile(metrics.bootstrap(judge, y, p, groups=customer, resamples=resamples, seed=seed), [0.025, 0.975], axis=0)
    return {name: Interval(float(values[k]), float(low[k]), float(high[k])) for k, name in enumerate(measures)}
