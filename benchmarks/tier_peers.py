"""Simpler ways to rank customers by value: the peers of `tiers.py`. Each gives one number a customer, higher is better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

Order = Callable[[pd.DataFrame], "pd.Series[float]"]

READS = ("revenue_mean_{}m", "payment_count_{}m", "days_since_payment")
"""Features that the peers read in every window, besides those of the policy."""
SEED = 7


def mean_bill(facts: pd.DataFrame) -> pd.Series[float]:
    """ARPU alone: the mean bill of three months, or of two where there are no more."""
    column = next(name for name in ("revenue_mean_3m", "revenue_mean_2m") if name in facts)
    return facts[column].fillna(0.0)


def longest_bill(facts: pd.DataFrame) -> pd.Series[float]:
    """ARPU alone, over the longest window."""
    return longest(facts, "revenue_mean_").fillna(0.0)


def longest(facts: pd.DataFrame, begins: str) -> pd.Series[float]:
    """Give the column of the longest window."""
    months = {int(name.removeprefix(begins).removesuffix("m")): name for name in facts if name.startswith(begins)}
    return facts[months[max(months)]]


def rfm(facts: pd.DataFrame) -> pd.Series[float]:
    """Recency, frequency, monetary: a score of 1 to 5 by quintile of each, added; the bill decides among equals."""
    measures = (-facts["days_since_payment"], longest(facts, "payment_count_"), mean_bill(facts))
    return sum((quintile(values) for values in measures), start=mean_bill(facts).rank(pct=True) * 0.5)


def quintile(values: pd.Series[float]) -> pd.Series[float]:
    """Score 1 (lowest or unknown) to 5 by rank."""
    return np.ceil(values.rank(pct=True).fillna(0.0) * 5).clip(1, 5)


class Clusters:
    """k-means on the policy's own columns, fitted in the first month and kept; clusters in order of their mean bill.

    Within a cluster the bill decides who is above a cut, since clusters have sizes of their own.
    """

    def __init__(self, columns: tuple[str, ...], clusters: int) -> None:
        self.columns, self.scaler = columns, StandardScaler()
        self.means = KMeans(clusters, n_init=10, random_state=SEED)
        self.order: dict[int, int] = {}

    def __call__(self, facts: pd.DataFrame) -> pd.Series[float]:
        """Rank by cluster, then by bill."""
        values = np.log1p(facts[list(self.columns)].fillna(0.0).clip(lower=0))
        if not self.order:
            labels = self.means.fit(self.scaler.fit_transform(values)).labels_
            by_bill = mean_bill(facts).groupby(labels).mean().sort_values()
            self.order = {int(label): place for place, label in enumerate(by_bill.index)}
        labels = self.means.predict(self.scaler.transform(values))
        places = pd.Series(labels, index=facts.index).map(self.order)
        return places + mean_bill(facts).rank(pct=True) * 0.5
