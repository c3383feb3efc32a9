"""From where all blocks look: the base, the windows and the operator's choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from custvalue.config import FeaturesConfig
from pandas_features.population import Base
from pandas_features.reading import month_number


@dataclass(frozen=True)
class Look:
    """What a block is given.

    Attributes
    ----------
    base : Base
        The customers and tables known.
    settings : FeaturesConfig
        Windows, products and categories.
    delay_days : mapping of str to int
        Table → days until a row is known.
    """

    base: Base
    settings: FeaturesConfig
    delay_days: Mapping[str, int]

    @property
    def windows(self) -> tuple[int, ...]:
        """Months to look back over, ascending."""
        return self.settings.windows

    @property
    def longest(self) -> int:
        """The longest window, months."""
        return self.settings.windows[-1]

    @property
    def recent(self) -> int:
        """The longest window of at most three months."""
        return max(window for window in self.windows if window <= 3)

    @property
    def size(self) -> int:
        """Number of customers known."""
        return len(self.base.ids)

    def newest(self, table: str) -> pd.Period:
        """Give the newest month of a monthly table that can be known."""
        return (self.base.known.day - pd.Timedelta(days=self.delay_days.get(table, 0))).to_period("M") - 1

    def months(self, table: str, columns: Sequence[str], window: int) -> pd.DataFrame:
        """Read the last months of a monthly table; ``lag`` is 0 for the newest month that can be known.

        Parameters
        ----------
        table : str
            ``billing`` or ``usage``.
        columns : sequence of str
            Amounts wanted.
        window : int
            Number of months.
        """
        newest = self.newest(table)
        oldest = newest - (window - 1)
        among = [("month", ">=", oldest.start_time.date()), ("month", "<", (newest + 1).start_time.date())]
        rows = self.base.rows(table, ("month", *columns), among=among)
        rows["lag"] = (month_number(pd.Series([newest.start_time]))[0] - month_number(rows.pop("month"))).astype(np.int16)
        return rows

    def complaints(self, columns: Sequence[str]) -> pd.DataFrame:
        """Read complaints of the categories that announce no departure; ``category`` is in lower case."""
        rows = self.base.rows("complaints", ("category", *columns))
        if "category" not in rows:
            return rows
        rows["category"] = rows["category"].astype("str").str.lower()
        return rows[~rows["category"].isin([name.lower() for name in self.settings.departing_categories])].reset_index(drop=True)
