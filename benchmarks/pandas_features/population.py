"""Who is a customer at the moment, and the facts of each that hold then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy

from pandas_features.reading import Known

EVENTS = {
    "billing": "month", "usage": "month", "daily": "day", "payments": "paid_at", "complaints": "opened_at", "surveys": "asked_at",
    "contracts": "starts_on", "events": "occurred_at", "contacts": "contacted_at", "departures": "left_on",
}  # fmt: skip
"""Column that tells when a row happened."""

FACTS = ("valid_from", "joined_on", "status", "plan", "segment", "region", "account_id", "household_id", "traffic_data_consent")


@dataclass(frozen=True)
class Base:
    """Every known customer by position, so that all other tables speak of customers in whole numbers.

    Attributes
    ----------
    known : Known
        The tables.
    """

    known: Known

    @cached_property
    def versions(self) -> pd.DataFrame:
        """Rows of customers in force up to the moment, with ``customer``, the position of each."""
        rows = self.known.read("customers", ("customer_id", *FACTS))
        rows.insert(0, "customer", rows["customer_id"].cat.codes.to_numpy())
        return rows[rows["valid_from"] <= self.known.day]

    @cached_property
    def ids(self) -> pd.Index:
        """Identifier of each position."""
        return self.versions["customer_id"].cat.categories

    @cached_property
    def current(self) -> pd.DataFrame:
        """The row in force of each position; all missing for who has not joined yet."""
        rows = self.versions[self.versions["joined_on"] <= self.known.day]
        newest = rows.sort_values("valid_from", kind="stable").drop_duplicates("customer", keep="last")
        return newest.set_index("customer").drop(columns="customer_id").reindex(range(len(self.ids)))

    @cached_property
    def left_on(self) -> pd.Series:
        """Last known departure up to the moment by position; missing for who never left."""
        return self.departures["left_on"].max().reindex(range(len(self.ids)))

    @cached_property
    def departures(self) -> DataFrameGroupBy:
        """Known departures up to the moment, by position."""
        left = self._rows("departures", ("left_on",))
        return left[left["left_on"] <= self.known.day].groupby("customer")

    @cached_property
    def joined_again(self) -> pd.Series:
        """Day of joining of customers in service who left before it; missing for others, whose rows are all their own."""
        joined = self.current["joined_on"].iloc[self.active]
        return joined[self.departures["left_on"].min().reindex(joined.index) < joined].reindex(range(len(self.ids)))

    @cached_property
    def since(self) -> pd.Series:
        """First day of the present service: the day of joining, or of the return to ``active`` after another status."""
        joined = self.current["joined_on"]
        if "status" not in self.versions:
            return joined
        told = self.versions[self.versions["status"].notna()]
        other = told[told["status"] != "active"].groupby("customer")["valid_from"].max()
        back = told[(told["status"] == "active") & (told["valid_from"] > other.reindex(told["customer"]).to_numpy())]
        again = back.groupby("customer")["valid_from"].min().reindex(joined.index)
        return joined.where(~(again > joined), again)

    @cached_property
    def active(self) -> np.ndarray:
        """Positions of the customers in service."""
        here = self.current["joined_on"].notna() & ~(self.left_on >= self.since)
        if "status" in self.current:
            here &= self.current["status"].isna() | (self.current["status"] == "active")
        return np.flatnonzero(here)

    def rows(self, table: str, columns: Sequence[str], *, among: Sequence[tuple[str, str, object]] = ()) -> pd.DataFrame:
        """Read known rows of known customers, none from before a customer joined again; ``customer`` is the position of each.

        Parameters
        ----------
        table, columns, among
            As in `Known.read`.
        """
        if self.joined_again.isna().all():
            return self._rows(table, columns, among=among)
        event = EVENTS[table]
        rows = self._rows(table, [*columns, *({event} - set(columns))], among=among)
        return self.own(rows, event)[["customer", *(name for name in columns if name in rows)]].reset_index(drop=True)

    def own(self, rows: pd.DataFrame, event: str) -> pd.DataFrame:
        """Leave out rows from before a customer joined again; the month of joining is his own."""
        joined = self.joined_again.to_numpy()[rows["customer"]]
        doubtful = np.flatnonzero(~np.isnat(joined))
        begins = pd.Series(joined[doubtful])
        if event == "month":
            begins = begins.dt.to_period("M").dt.start_time
        elif event.endswith("_at"):
            begins = begins.map(self.known.midnight)
        kept = np.ones(len(rows), bool)
        kept[doubtful] = rows[event].to_numpy()[doubtful] >= begins.to_numpy()
        return rows if kept.all() else rows[kept]

    def _rows(self, table: str, columns: Sequence[str], *, among: Sequence[tuple[str, str, object]] = ()) -> pd.DataFrame:
        frame = self.known.read(table, ("customer_id", *columns), among=among)
        ids = frame.pop("customer_id").cat
        position = self.ids.get_indexer(ids.categories)[ids.codes.to_numpy()]
        frame.insert(0, "customer", position)
        return frame if (position >= 0).all() else frame[position >= 0].reset_index(drop=True)
