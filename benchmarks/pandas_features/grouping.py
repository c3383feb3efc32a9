"""Aggregates by customer, as arrays over all positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class ByCustomer:
    """Rows grouped by customer.

    Attributes
    ----------
    customer : ndarray
        Position of each row's customer.
    size : int
        Number of positions.
    """

    customer: np.ndarray
    size: int

    @cached_property
    def there(self) -> np.ndarray:
        """Whether a customer has any row."""
        return np.bincount(self.customer, minlength=self.size) > 0

    def count(self, where: np.ndarray) -> np.ndarray:
        """Count the rows of which something holds; missing for who has no row."""
        return np.where(self.there, np.bincount(self.customer[where], minlength=self.size), np.nan)

    def sum(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Sum known values; 0 where there is none, missing for who has no row."""
        where = where & ~np.isnan(values)
        return np.where(self.there, np.bincount(self.customer[where], weights=values[where], minlength=self.size), np.nan)

    def greatest(self, values: pd.Series, where: np.ndarray) -> pd.Series:
        """Give the greatest value of the rows of which something holds; missing without any."""
        return values[where].groupby(self.customer[where]).max().reindex(range(self.size))

    def least(self, values: pd.Series, where: np.ndarray) -> pd.Series:
        """Give the least value of the rows of which something holds; missing without any."""
        return values[where].groupby(self.customer[where]).min().reindex(range(self.size))

    def placed(self, values: pd.Series, where: np.ndarray) -> pd.Series:
        """Put the value of the only row of which something holds at its customer's position."""
        return values[where].set_axis(self.customer[where]).reindex(range(self.size))


def quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; missing where the denominator is zero or missing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, numerator / denominator, np.nan)


def whole_days(past: pd.Series, now: pd.Timestamp) -> np.ndarray:
    """Whole days from a time to now; a fraction of a second counts as none."""
    return ((now - past.dt.floor("s")) // DAY).to_numpy(dtype=float, na_value=np.nan)


def days(difference: pd.Series) -> np.ndarray:
    """Turn a time difference into days, with fractions."""
    return difference.dt.total_seconds().to_numpy(dtype=float, na_value=np.nan) / 86_400
