"""How soon departures become known, and so which outcome windows can be told complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import numpy as np
from numpy.typing import NDArray

from custvalue.config import ChurnConfig, OutcomeSettings
from custvalue.sources import SourceTables, add_months

MOST_UNREPORTED = 0.05
"""A window trains when no more than this share of its leavers is expected to be unknown yet: they count as stayers."""

_MONTHS_COMPARED = 12


def dated(departures: ibis.Table) -> ibis.Table:
    """Add ``day``, by which a departure falls into a window; a silent period that starts on a first day counts as if a day later."""
    shift = ibis.ifelse(departures.kind == "silence", 1, 0)
    return departures.mutate(day=departures.left_on + shift.as_interval("D"))


@dataclass(frozen=True, eq=False)
class Reports:
    """Departures by day and moment of becoming known.

    Attributes
    ----------
    day : (n,) datetime64[D]
        See `dated`.
    known : (n,) datetime64[us]
        When the warehouse first knew, UTC.
    count : (n,) int64
        Departures of that day and moment.
    tables : SourceTables
        Where they come from; gives the moments.
    as_of : date
        The day of training.
    churn : ChurnConfig
        The outcome's kinds and window.
    """

    day: NDArray[np.datetime64]
    known: NDArray[np.datetime64]
    count: NDArray[np.int64]
    tables: SourceTables
    as_of: date
    churn: ChurnConfig

    @classmethod
    def of(cls, tables: SourceTables, as_of: date, churn: ChurnConfig) -> Reports:
        """Count the departures of the outcome's kinds that are known at a day; a corrected one was known from its first row.

        Where bills tell the outcome every kind counts: who has left and is not known to have looks like one who spends nothing.
        """
        table = tables.con.table("departures", database="contract")
        seen = table.filter(table.available_at <= tables.moment(as_of).instant)
        if not (isinstance(churn, OutcomeSettings) and churn.by_bills):
            seen = seen.filter(seen.kind.isin(churn.kinds))
        first = dated(seen).group_by("customer_id", "day").agg(known=lambda t: t.available_at.min())
        counted = first.group_by("day", "known").agg(count=first.count()).to_pyarrow()
        return cls(
            day=counted["day"].to_numpy().astype("datetime64[D]"),
            known=counted["known"].to_numpy().astype("datetime64[us]"),
            count=counted["count"].to_numpy().astype(np.int64),
            tables=tables,
            as_of=as_of,
            churn=churn,
        )

    def unreported(self, snapshot: date) -> float:
        """Share of the leavers of a snapshot's window that is expected to be unknown still.

        The same snapshot and the same day of training are looked at again 1 to 12 months earlier: of those who left in these windows
        and are known today, how many were not known then? Months from before departures were recorded at all are left out; without any
        month to compare with nothing is held against the snapshot.
        """
        if not self.count.size:
            return 0.0
        gap, window = self.churn.gap_months, self.churn.gap_months + self.churn.horizon_months
        late = total = 0
        for back in range(1, _MONTHS_COMPARED + 1):
            then, start = add_months(self.as_of, -back), add_months(snapshot, -back)
            if self._instant(add_months(then, -window)) < self.known.min():
                break
            inside = (self.day > np.datetime64(add_months(start, gap))) & (self.day <= np.datetime64(add_months(start, window)))
            total += int(self.count[inside].sum())
            late += int(self.count[inside & (self.known > self._instant(then))].sum())
        return late / total if total else 0.0

    def _instant(self, day: date) -> np.datetime64:
        return np.datetime64(self.tables.moment(day).instant, "us")
