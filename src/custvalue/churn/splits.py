"""Which rows train, stop, calibrate and test: by month where the history is long enough, else by customer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
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
_SHARES = {"test": TEST_SHARE, "calibrate": 0.125, "stop": 0.125, "train": 0.5}
"""Of the customers, where each is in one slice alone."""
_MOST_FOLDS = 5
_FOLD_LEAVERS = 8


@dataclass(frozen=True, eq=False)
class Slice:
    """One part of the rows.

    Attributes
    ----------
    name : str
        ``train``, ``stop``, ``calibrate``, ``test`` or ``refit``.
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
    refit : Slice, optional
        By month: all rows whose outcome windows were over before the test slice began, on which the model is trained again.
    """

    way: Literal["by month", "by customer"]
    why: str
    parts: tuple[Slice, ...]
    folds: Rows | None = field(default=None, repr=False)
    refit: Slice | None = None

    def __getitem__(self, name: str) -> Slice:
        return next(part for part in self.parts if part.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Way, reason and slices in plain JSON types."""
        folds = None if self.folds is None else int(self.folds.max()) + 1
        parts = self.parts if self.refit is None else (*self.parts, self.refit)
        return {"way": self.way, "why": self.why, "folds": folds, **{part.name: part.to_dict() for part in parts}}

    def __str__(self) -> str:
        parts = self.parts if self.refit is None else (*self.parts, self.refit)
        return "\n".join([f"split {self.way}: {self.why}", *(f"  {part}" for part in parts)])


def split(frame: TrainingFrame, settings: ChurnConfig) -> Slices:
    """Split by month if that leaves enough leavers everywhere, else by customer.

    By month, a slice's outcome windows are over when the next slice's first snapshot is taken. The newest snapshots
    test, older ones calibrate, still older ones stop the boosting, and the rest trains. Each of the three holds
    ``settings.small_leavers`` leavers if a quarter of the snapshots can give them, and never fewer than
    ``settings.min_leavers``; training holds at least ``settings.small_leavers``.

    A customer's older snapshots may train where a newer one tests, as on every night: who is scored has mostly trained before, and has
    stayed since. With ``settings.customers_apart`` each customer is in one slice alone, which also asks whether the model holds for
    customers it has never seen, at the price of half the rows.
    """
    days = np.unique(frame.snapshot)
    reach = settings.gap_months + settings.horizon_months
    own = _owned(frame, settings)
    reason = ""
    for most in range(max(1, len(days) // 4), 0, -1):
        months = _slice_months(frame, days, most, reach, settings.small_leavers, own)
        parts = tuple(_slice(frame, name, np.isin(frame.snapshot, chosen) & own[name]) for name, chosen in months.items())
        reason = _obstacle(parts, settings, len(days), reach)
        if not reason:
            apart = ", and each customer is in one of them" if settings.customers_apart else ""
            why = f"{len(days)} snapshots suffice for slices {reach} month(s) apart, so quality is over time{apart}."
            return Slices("by month", why, parts, refit=_before(parts[-1], frame, settings))
    return split_by_customer(frame, seed=settings.seed, why=reason)


def split_by_customer(frame: TrainingFrame, *, seed: int, why: str) -> Slices:
    """Set a quarter of the customers aside as test and fold the others; all rows of a customer stay together.

    Leavers and stayers are split apart, so that each side has its share of both. A customer's place depends on the
    seed and the id alone, never on the order of the rows.
    """
    code, strata = _strata(frame.customer, frame.y, seed)
    test = np.zeros(len(frame), dtype=bool)
    for stratum in strata:
        test |= np.isin(code, stratum[: round(TEST_SHARE * stratum.size)])
    parts = (_slice(frame, "train", ~test), _slice(frame, "test", test))
    return Slices("by customer", why, parts, folds=fold_customers(frame.customer[~test], frame.y[~test], seed=seed))


def fold_customers(customer: NDArray[np.object_], y: NDArray[np.int8], *, seed: int) -> Rows:
    """Give the fold of each row, all rows of a customer in one; two folds at least and five at most, of eight leavers or more."""
    code, strata = _strata(customer, y, seed)
    folds = int(np.clip(strata[0].size // _FOLD_LEAVERS, 2, _MOST_FOLDS))
    fold = np.zeros(code.max(initial=-1) + 1, dtype=np.intp)
    for stratum in strata:
        fold[stratum] = np.arange(stratum.size) % folds
    return fold[code]


def _strata(customer: NDArray[np.object_], y: NDArray[np.int8], seed: int) -> tuple[Rows, tuple[Rows, Rows]]:
    """Give each row its customer's number, and the numbers of leavers and of stayers, both in an order that the seed decides."""
    code, customers = pd.factorize(customer)
    leaver = np.zeros(len(customers), dtype=bool)
    leaver[code[y == 1]] = True
    by_hash = np.argsort(hashes(customers, seed), kind="stable")
    return code, (by_hash[leaver[by_hash]], by_hash[~leaver[by_hash]])


def add_months(days: NDArray[np.datetime64], months: int) -> NDArray[np.datetime64]:
    """Days moved by whole calendar months; a day that the month lacks becomes its last one (31 January → 28 February)."""
    month = days.astype("datetime64[M]")
    target = month + np.timedelta64(months, "M")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    same_day = target.astype("datetime64[D]") + (days.astype("datetime64[D]") - month.astype("datetime64[D]"))
    moved: NDArray[np.datetime64] = np.minimum(same_day, last)
    return moved


def _owned(frame: TrainingFrame, settings: ChurnConfig) -> dict[str, NDArray[np.bool_]]:
    """Tell for each slice which rows' customers may be in it: all of them, or those that the seed gives it."""
    if not settings.customers_apart:
        return dict.fromkeys(_SHARES, np.ones(len(frame), dtype=bool))
    code, customers = pd.factorize(frame.customer)
    place = (hashes(customers, settings.seed) / 2.0**64)[code]
    edges = np.cumsum([0.0, *_SHARES.values()])
    return {name: (place >= low) & (place < high) for name, low, high in zip(_SHARES, edges[:-1], edges[1:], strict=True)}


def _slice_months(
    frame: TrainingFrame, days: NDArray[np.datetime64], most: int, reach: int, wanted: int, own: Mapping[str, NDArray[np.bool_]]
) -> dict[str, NDArray[np.datetime64]]:
    """Snapshots of each slice, oldest slice first; a slice for which nothing is left is empty."""
    months: dict[str, NDArray[np.datetime64]] = {}
    open_days = days
    for name in ("test", "calibrate", "stop"):
        count = min(1, len(open_days))
        left = own[name] & (frame.y == 1)
        while count < min(most, len(open_days)) and _leavers(frame, open_days[-count:], left) < wanted:
            count += 1
        months[name] = open_days[len(open_days) - count :]
        if count:
            open_days = days[add_months(days, reach) <= months[name][0]]
    months["train"] = open_days if len(months["stop"]) else months["stop"]
    return dict(reversed(months.items()))


def _before(test: Slice, frame: TrainingFrame, settings: ChurnConfig) -> Slice:
    """Take all rows whose outcome windows were over when the test slice's first snapshot was taken."""
    over = add_months(frame.snapshot, settings.gap_months + settings.horizon_months) <= np.datetime64(test.snapshots[0])
    if settings.customers_apart:
        over &= ~np.isin(frame.customer.astype(str), frame.customer[test.rows].astype(str))
    return _slice(frame, "refit", over)


def _obstacle(parts: Iterable[Slice], settings: ChurnConfig, snapshots: int, reach: int) -> str:
    for part in parts:
        if not part.rows.size:
            return f"{snapshots} snapshot(s) do not give four slices whose windows of {reach} month(s) stay apart."
        needed = settings.small_leavers if part.name == "train" else settings.min_leavers
        if part.leavers < needed:
            return f"split by month, the {part.name} slice would hold {part.leavers} leavers; {needed} are needed."
    return ""


def _leavers(frame: TrainingFrame, days: NDArray[np.datetime64], left: NDArray[np.bool_]) -> int:
    return len(set(frame.customer[np.isin(frame.snapshot, days) & left]))


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
