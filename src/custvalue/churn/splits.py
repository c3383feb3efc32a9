"""Which rows train, stop, calibrate and test: by month where the history is long enough, else by customer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.churn.frame import TrainingFrame
from custvalue.config import ChurnConfig

Rows = NDArray[np.intp]

TEST_SHARE = 0.25
_MOST_FOLDS = 5
_FOLD_LEAVERS = 8


@dataclass(frozen=True, eq=False)
class Slice:
    """One part of the rows.

    Attributes
    ----------
    name : str
        ``train``, ``stop``, ``calibrate`` or ``test``.
    rows : array of int
        Positions in the frame, ascending.
    snapshots : tuple of date
    customers, leavers : int
        Distinct ones.
    """

    name: str
    rows: Rows = field(repr=False)
    snapshots: tuple[date, ...]
    customers: int
    leavers: int

    def to_dict(self) -> dict[str, Any]:
        """The slice in plain JSON types, without the positions."""
        return {
            "rows": int(self.rows.size),
            "snapshots": [day.isoformat() for day in self.snapshots],
            "customers": self.customers,
            "leavers": self.leavers,
        }

    def __str__(self) -> str:
        first, last = self.snapshots[0], self.snapshots[-1]
        span = f"{first}" if first == last else f"{len(self.snapshots)} snapshots {first} to {last}"
        return f"{self.name}: {span}, {self.rows.size:,} rows, {self.customers:,} customers, {self.leavers:,} leavers"


@dataclass(frozen=True, eq=False)
class Slices:
    """How a frame was split, and why so.

    Attributes
    ----------
    way : str
        ``by month`` or ``by customer``.
    why : str
        One sentence.
    parts : tuple of Slice
        Oldest first. By month: train, stop, calibrate, test. By customer: train, test.
    folds : array of int, optional
        By customer: the fold of each row of ``train``, on which rounds and calibrator are cross-fitted.
    """

    way: Literal["by month", "by customer"]
    why: str
    parts: tuple[Slice, ...]
    folds: Rows | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Slice:
        return next(part for part in self.parts if part.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Way, reason and slices in plain JSON types."""
        folds = None if self.folds is None else int(self.folds.max()) + 1
        return {"way": self.way, "why": self.why, "folds": folds, **{part.name: part.to_dict() for part in self.parts}}

    def __str__(self) -> str:
        return "\n".join([f"split {self.way}: {self.why}", *(f"  {part}" for part in self.parts)])


def split(frame: TrainingFrame, settings: ChurnConfig) -> Slices:
    """Split by month if that leaves enough leavers everywhere, else by customer.

    By month, a slice's outcome windows are over when the next slice's first snapshot is taken. The newest snapshots
    test, older ones calibrate, still older ones stop the boosting, and the rest trains. Each of the three holds
    ``settings.small_leavers`` leavers if a quarter of the snapshots can give them, and never fewer than
    ``settings.min_leavers``; training holds at least ``settings.small_leavers``.
    """
    days = np.unique(frame.snapshot)
    reach = settings.gap_months + settings.horizon_months
    reason = ""
    for most in range(max(1, len(days) // 4), 0, -1):
        months = _slice_months(frame, days, most, reach, settings.small_leavers)
        parts = tuple(_slice(frame, name, np.isin(frame.snapshot, chosen)) for name, chosen in months.items())
        reason = _obstacle(parts, settings, len(days), reach)
        if not reason:
            why = f"{len(days)} snapshots suffice for slices {reach} month(s) apart, so quality is over time."
            return Slices("by month", why, parts)
    return split_by_customer(frame, seed=settings.seed, why=reason)


def split_by_customer(frame: TrainingFrame, *, seed: int, why: str) -> Slices:
    """Set a quarter of the customers aside as test and fold the others; all rows of a customer stay together.

    Leavers and stayers are split apart, so that each side has its share of both. A customer's place depends on the
    seed and the id alone, never on the order of the rows.
    """
    code, customers = pd.factorize(frame.customer)
    leaver = np.zeros(len(customers), dtype=bool)
    leaver[code[frame.y == 1]] = True
    test = np.zeros(len(customers), dtype=bool)
    fold = np.zeros(len(customers), dtype=np.intp)
    folds = int(np.clip(leaver.sum() * (1 - TEST_SHARE) // _FOLD_LEAVERS, 2, _MOST_FOLDS))
    by_hash = np.argsort(hashes(customers, seed), kind="stable")
    for stratum in (by_hash[leaver[by_hash]], by_hash[~leaver[by_hash]]):
        tested = round(TEST_SHARE * stratum.size)
        test[stratum[:tested]] = True
        fold[stratum[tested:]] = np.arange(stratum.size - tested) % folds
    parts = (_slice(frame, "train", ~test[code]), _slice(frame, "test", test[code]))
    return Slices("by customer", why, parts, folds=fold[code][parts[0].rows])


def add_months(days: NDArray[np.datetime64], months: int) -> NDArray[np.datetime64]:
    """Days moved by whole calendar months; a day that the month lacks becomes its last one (31 January → 28 February)."""
    month = days.astype("datetime64[M]")
    target = month + np.timedelta64(months, "M")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    same_day = target.astype("datetime64[D]") + (days.astype("datetime64[D]") - month.astype("datetime64[D]"))
    moved: NDArray[np.datetime64] = np.minimum(same_day, last)
    return moved


def _slice_months(
    frame: TrainingFrame, days: NDArray[np.datetime64], most: int, reach: int, wanted: int
) -> dict[str, NDArray[np.datetime64]]:
    """Snapshots of each slice, oldest slice first; a slice for which nothing is left is empty."""
    months: dict[str, NDArray[np.datetime64]] = {}
    open_days = days
    for name in ("test", "calibrate", "stop"):
        count = min(1, len(open_days))
        while count < min(most, len(open_days)) and _leavers(frame, open_days[-count:]) < wanted:
            count += 1
        months[name] = open_days[len(open_days) - count :]
        if count:
            open_days = days[add_months(days, reach) <= months[name][0]]
    months["train"] = open_days if len(months["stop"]) else months["stop"]
    return dict(reversed(months.items()))


def _obstacle(parts: Iterable[Slice], settings: ChurnConfig, snapshots: int, reach: int) -> str:
    for part in parts:
        if not part.rows.size:
            return f"{snapshots} snapshot(s) do not give four slices whose windows of {reach} month(s) stay apart."
        needed = settings.small_leavers if part.name == "train" else settings.min_leavers
        if part.leavers < needed:
            return f"split by month, the {part.name} slice would hold {part.leavers} leavers; {needed} are needed."
    return ""


def _leavers(frame: TrainingFrame, days: NDArray[np.datetime64]) -> int:
    return len(set(frame.customer[np.isin(frame.snapshot, days) & (frame.y == 1)]))


def _slice(frame: TrainingFrame, name: str, mask: NDArray[np.bool_]) -> Slice:
    rows = np.flatnonzero(mask)
    taken = frame.customer[rows]
    days = np.unique(frame.snapshot[rows])
    return Slice(
        name=name,
        rows=rows,
        snapshots=tuple(days.astype("datetime64[D]").tolist()),
        customers=len(set(taken)),
        leavers=len(set(taken[frame.y[rows] == 1])),
    )


def hashes(customers: Iterable[object], seed: int) -> NDArray[np.uint64]:
    """Give each customer a number that depends on the seed and the id alone."""
    salt = seed.to_bytes(8, "big", signed=True)
    digests = (hashlib.blake2b(str(customer).encode(), digest_size=8, salt=salt) for customer in customers)
    return np.array([int.from_bytes(digest.digest(), "big") for digest in digests], dtype=np.uint64)
