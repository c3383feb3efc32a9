"""A monthly table as matrices, one row a month back and one column a customer, and what a customer's own months tell of an amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pandas_features.grouping import quotient
from pandas_features.looking import Look

LEAST_MONTHS = 3
LEAST_CUSTOMERS = 100


@dataclass(frozen=True)
class Amount:
    """One amount of all customers over the longest window.

    Attributes
    ----------
    name : str
        What its features are named after.
    months : ndarray
        Shape (months, customers), the newest month first; NaN where it is not known.
    """

    name: str
    months: np.ndarray

    @cached_property
    def there(self) -> np.ndarray:
        """Whether a month is known."""
        return ~np.isnan(self.months)

    @cached_property
    def filled(self) -> np.ndarray:
        """The months with 0 where they are not known."""
        return np.where(self.there, self.months, 0.0)

    @property
    def newest(self) -> np.ndarray:
        """The newest month."""
        return self.months[0]

    def total(self, window: int, first: int = 0) -> np.ndarray:
        """Sum of the known months of a window from a month on."""
        return self.filled[first:window].sum(axis=0)

    def known(self, window: int, first: int = 0) -> np.ndarray:
        """Number of known months of a window from a month on."""
        return self.there[first:window].sum(axis=0, dtype=float)

    def mean(self, window: int, first: int = 0) -> np.ndarray:
        """Mean of the known months of a window from a month on."""
        return quotient(self.total(window, first), self.known(window, first))

    def deviations(self, window: int, first: int = 0) -> np.ndarray:
        """Known months of a window less their mean; 0 for others."""
        return np.where(self.there[first:window], self.months[first:window] - self.mean(window, first), 0.0)

    def spread(self, window: int, first: int = 0) -> np.ndarray:
        """Standard deviation (n − 1) of the known months of a window from a month on."""
        deviations = self.deviations(window, first)
        return np.sqrt(quotient(np.einsum("mc,mc->c", deviations, deviations), self.known(window, first) - 1))


def amounts(look: Look, table: str, columns: Sequence[str]) -> dict[str, Amount]:
    """Set the longest window's months of a table side by side; columns that are not mapped are left out."""
    rows = look.months(table, columns, look.longest)
    place = rows.pop("lag").to_numpy(np.int64) * look.size + rows.pop("customer").to_numpy()
    found = {}
    for name in [name for name in columns if name in rows]:
        months = np.full(look.longest * look.size, np.nan)
        months[place] = rows.pop(name).to_numpy(dtype=float, na_value=np.nan)
        found[name] = Amount(name, months.reshape(look.longest, look.size))
    return found


def for_thirty_days(amount: Amount, look: Look) -> Amount:
    """Tell each month's amount for a month of thirty days."""
    newest = look.newest("usage")
    lengths = np.array([(newest - lag).days_in_month for lag in range(len(amount.months))], dtype=float)
    return Amount(amount.name, amount.months * (30 / lengths)[:, None])


def levels(amount: Amount, windows: Sequence[int], *, shape: bool = False) -> dict[str, np.ndarray]:
    """Mean of each window, of its months before the newest, and the newest one's fall against those; trend and swings if asked for."""
    found, name = {}, amount.name
    for window in windows:
        found[f"{name}_mean_{window}m"] = amount.mean(window)
        if window == 1:
            continue
        before = amount.mean(window, first=1)
        found[f"{name}_before_{window}m"] = before
        found[f"{name}_drop_{window}m"] = np.where(before > 0, quotient(before - amount.newest, before), np.nan)
        if shape and window >= LEAST_MONTHS:
            found |= _shape(amount, window)
    return found


def _shape(amount: Amount, window: int) -> dict[str, np.ndarray]:
    """Least-squares slope a month and standard deviation, each over the mean, of three known months or more."""
    mean, known, there = amount.mean(window), amount.known(window), amount.there[:window]
    time = -np.arange(window, dtype=float)
    squares = time**2 @ there - quotient((time @ there) ** 2, known)
    usable = (known >= LEAST_MONTHS) & (mean > 0)
    trend = quotient(quotient(time @ amount.deviations(window), squares), mean)
    return {
        f"{amount.name}_trend_{window}m": np.where(usable, trend, np.nan),
        f"{amount.name}_cv_{window}m": np.where(usable, quotient(amount.spread(window), mean), np.nan),
    }


def zero_months(amount: Amount, windows: Sequence[int]) -> dict[str, np.ndarray]:
    """Count the months of each longer window in which the amount was zero."""
    return {
        f"{amount.name}_zero_months_{window}m": np.where(amount.known(window) > 0, (amount.months[:window] == 0).sum(axis=0), np.nan)
        for window in windows
        if window > 1
    }


def unusual(amount: Amount, name: str, longest: int) -> dict[str, np.ndarray]:
    """Z-score of the newest month against the months before it, where three or more are known and differ."""
    if longest <= LEAST_MONTHS:
        return {}
    mean, spread = amount.mean(longest, first=1), amount.spread(longest, first=1)
    usable = (amount.known(longest, first=1) >= LEAST_MONTHS) & (spread > 1e-9 * np.abs(mean))
    return {f"{name}_z_{longest}m": np.where(usable, quotient(amount.newest - mean, spread), np.nan)}


def season_drops(amount: Amount, look: Look) -> dict[str, np.ndarray]:
    """Fall of the newest month against a window's earlier months, beyond that of all customers of the region in the same months."""
    current = look.base.current
    here = np.where(current["joined_on"].notna(), 0, -1)
    codes = np.where(here == 0, current["region"].cat.codes, -1) if "region" in current else np.full(look.size, -1)
    found = {}
    for window in look.windows:
        if window > 1:
            whole, regional = _movement(amount, window, here)[0], _movement(amount, window, codes)[codes]
            season = np.where((codes < 0) | np.isnan(regional), whole, regional)
            before = amount.mean(window, first=1)
            usable = (before > 0) & (season > 0)
            found[f"{amount.name}_season_drop_{window}m"] = np.where(usable, 1 - quotient(amount.newest, before * season), np.nan)
    return found


def _movement(amount: Amount, window: int, codes: np.ndarray) -> np.ndarray:
    """Each group's mean of the newest month over that of the window's earlier ones; missing where fewer than a hundred have a newest.

    Groups are numbered from 0; who has −1 is in none. The last element is that of no group.
    """

    def mean(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        known = np.bincount(codes + 1, weights=amount.known(last, first), minlength=2)
        return quotient(np.bincount(codes + 1, weights=amount.total(last, first), minlength=2), known), known

    (now, bills), (before, _) = mean(0, 1), mean(1, window)
    return np.roll(np.where(bills >= LEAST_CUSTOMERS, quotient(now, before), np.nan), -1)
