"""Who of those on duty calls customers that have no manager of their own: rights first, then the customer's region, then fair loads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.retention.managers import POOL

KIND = ("tier", "region", "language")
"""What decides which managers may take a customer of the pool."""


class Desk:
    """Gives customers of the pool, the worthiest first, to managers with free slots.

    A manager may take a customer whose tier is among his tiers and whose language is his; where one of the two is not known it does not
    matter. Of those who may, one of the customer's own region is preferred, and of these the one whose list is worth least for each
    contact he can make, so that case mix and load come out even; of equals the first by manager_id.

    Parameters
    ----------
    staff : DataFrame
        By manager_id, sorted: ``capacity``, ``free`` (slots left by his own customers), ``worth`` (net value of his own customers on the
        list) and the rights of `managers.RIGHTS`.
    kinds : DataFrame
        One row a kind of customer: the columns of `KIND` that are known.
    spare : int
        Slots of the list `POOL` itself, for customers whom no manager can take.
    """

    def __init__(self, staff: pd.DataFrame, kinds: pd.DataFrame, spare: int) -> None:
        self._names = [str(name) for name in staff.index]
        self._free = staff["free"].to_numpy(dtype=np.int64).copy()
        self._capacity = np.maximum(staff["capacity"].to_numpy(dtype=np.float64), 1.0)
        self._load = staff["worth"].to_numpy(dtype=np.float64) / self._capacity
        self._allowed = _allowed(staff, kinds)
        self._elsewhere = _elsewhere(staff, kinds)
        self._open = self._allowed @ self._free
        self._spare = spare

    def takes(self, kind: int) -> bool:
        """Say whether anybody can take a customer of a kind."""
        return bool(self._open[kind] > 0 or self._spare > 0)

    def give(self, kind: int, worth: float) -> str:
        """Give a customer to a manager and return the manager, or `POOL` where only its own slots are left."""
        if self._open[kind] == 0:
            self._spare -= 1
            return POOL
        there = np.flatnonzero(self._allowed[kind] & (self._free > 0))
        chosen = int(there[np.lexsort((self._load[there], self._elsewhere[kind, there]))[0]])
        self._free[chosen] -= 1
        self._load[chosen] += worth / self._capacity[chosen]
        self._open[self._allowed[:, chosen]] -= 1
        return self._names[chosen]

    @property
    def slots(self) -> int:
        """Customers that can still be given to somebody."""
        return int(self._free.sum()) + self._spare


def kinds_of(rows: pd.DataFrame) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Number the customers by kind, and describe each kind; see `KIND`."""
    known = [name for name in KIND if name in rows.columns]
    if not known or rows.empty:
        return np.zeros(len(rows), dtype=np.int64), pd.DataFrame(index=range(1))
    number = np.asarray(rows.groupby(known, dropna=False, sort=True, observed=True).ngroup(), dtype=np.int64)
    first = np.unique(number, return_index=True)[1]
    return number, rows[known].iloc[first].reset_index(drop=True)


def _allowed(staff: pd.DataFrame, kinds: pd.DataFrame) -> npt.NDArray[np.bool_]:
    allowed = np.ones((len(kinds), len(staff)), dtype=bool)
    if "tier" in kinds.columns:
        for place, tiers in enumerate(staff["tiers"]):
            if isinstance(tiers, frozenset):
                allowed[:, place] &= kinds["tier"].isin(tiers).to_numpy(dtype=bool)
    if "language" in kinds.columns:
        allowed &= ~_differ(kinds["language"], staff["language"])
    return allowed


def _elsewhere(staff: pd.DataFrame, kinds: pd.DataFrame) -> npt.NDArray[np.bool_]:
    if "region" not in kinds.columns:
        return np.zeros((len(kinds), len(staff)), dtype=bool)
    return _differ(kinds["region"], staff["region"])


def _differ(ours: Sequence[object] | pd.Series, theirs: pd.Series) -> npt.NDArray[np.bool_]:
    """Say of each pair whether both are known and not the same."""
    one, other = pd.Series(ours, dtype="object"), pd.Series(theirs, dtype="object")
    unequal = one.to_numpy()[:, None] != other.to_numpy()[None, :]
    found: npt.NDArray[np.bool_] = unequal & one.notna().to_numpy()[:, None] & other.notna().to_numpy()[None, :]
    return found
