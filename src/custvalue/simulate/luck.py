"""The luck of a shard's customers, month by month: the same for every course of events."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from custvalue.simulate import agreements, campaigns, complaints
from custvalue.simulate.catalogue import ENTERPRISE
from custvalue.simulate.draws import uniforms
from custvalue.simulate.population import Population
from custvalue.simulate.timeline import Floats, Streams

MONTHS_REMEMBERED = 3
"""Months of complaints, of lost neighbours and of luck that are looked back on."""
_WIDTHS = {
    "intent": 3,
    "leaving": 4,
    "plans": 2,
    "paying": 2,
    "complaints": complaints.LUCK,
    "agreements": agreements.LUCK,
    "contacts": campaigns.LUCK,
}
_SHARED_BY_FIRMS = ("intent", "leaving")


class MonthlyLuck:
    """Uniform numbers of a month by purpose, shape (values, customers); the last few months' are kept, since they are asked for again.

    Parameters
    ----------
    shared : float
        Correlation between the lines of one firm in turning away and in leaving.
    """

    def __init__(self, people: Population, streams: Streams, shared: float) -> None:
        self._account, self._n = people.account, len(people)
        self._lines = np.flatnonzero(people.segment == ENTERPRISE)
        self._streams, self._shared = streams, shared
        self._kept: dict[int, dict[str, Floats]] = {}

    def __call__(self, month: int) -> dict[str, Floats]:
        """Draw a month's luck, or give it again."""
        if month not in self._kept:
            self._kept = {past: kept for past, kept in self._kept.items() if past > month - MONTHS_REMEMBERED}
            self._kept[month] = {name: uniforms(self._streams, name, month, self._n, width) for name, width in _WIDTHS.items()}
            for name in _SHARED_BY_FIRMS:
                self._share(name, month)
        return self._kept[month]

    def _share(self, name: str, month: int) -> None:
        """Mix a firm's luck into the first number of its lines, so that they act alike; each stays uniform by itself."""
        if not len(self._lines) or not self._shared:
            return
        firm = uniforms(self._streams, f"{name} of firms", month, self._n)[0][self._account[self._lines]]
        own = self._kept[month][name][0]
        own[self._lines] = ndtr(np.sqrt(self._shared) * ndtri(firm) + np.sqrt(1 - self._shared) * ndtri(own[self._lines]))
