"""Months as arrays, and one random stream a purpose."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]


def days_after(day: Dates | np.datetime64, count: Ints | int) -> Dates:
    """Days so many days later (earlier when negative), elementwise."""
    later: Dates = np.asarray(day, dtype="datetime64[D]") + np.asarray(count, dtype="timedelta64[D]")
    return later


@dataclass(frozen=True)
class Timeline:
    """The simulated months.

    Attributes
    ----------
    first : array of datetime64[D], shape (months + 1,)
        First day of each month, and of the one after the last.
    """

    first: Dates

    @classmethod
    def starting(cls, start: date, months: int) -> Timeline:
        """Build the timeline of so many months from a month's first day."""
        month = np.datetime64(start, "M")
        return cls(np.arange(month, month + months + 1).astype("datetime64[D]"))

    @property
    def months(self) -> int:
        """Number of simulated months."""
        return len(self.first) - 1

    @property
    def days(self) -> Ints:
        """Days of each month, shape (months,)."""
        return np.diff(self.first).astype(np.int64)

    @property
    def calendar_month(self) -> Ints:
        """0 for January to 11 for December, shape (months,)."""
        return self.first[:-1].astype("datetime64[M]").astype(np.int64) % 12

    def index(self, days: Dates) -> Ints:
        """Month that each day lies in, counted from the first; negative before it."""
        months: Ints = (days.astype("datetime64[M]") - self.first[0].astype("datetime64[M]")).astype(np.int64)
        return months

    def service_days(self, joined_on: Dates, left_on: Dates) -> Ints:
        """Days in service by month and customer, shape (months, customers); ``left_on`` is NaT for those who stayed."""
        until = np.where(np.isnat(left_on), self.first[-1], left_on)
        begin = np.maximum(self.first[:-1, None], joined_on[None, :])
        end = np.minimum(self.first[1:, None], until[None, :])
        return np.maximum((end - begin).astype(np.int64), 0)


@dataclass(frozen=True)
class Streams:
    """Independent, counter-based random generators by shard, purpose and month: a new purpose leaves the others' numbers as they are.

    Whoever draws the same number of values a customer in every month keeps them common to every way a month may go: what a contact
    changes is then never mixed up with other luck.

    Attributes
    ----------
    seed : int
        The simulation's seed.
    shard : int
        Which shard of customers; −1 for what all of them share.
    """

    seed: int
    shard: int = -1

    def __call__(self, purpose: str, month: int | None = None) -> np.random.Generator:
        """Return a fresh generator that depends on seed, shard, purpose and month alone."""
        name = hashlib.blake2b(f"{self.seed}/{self.shard}/{purpose}".encode(), digest_size=16).digest()
        counter = [0, 0, 0, 0 if month is None else month + 2]
        return np.random.Generator(np.random.Philox(key=np.frombuffer(name, dtype=np.uint64), counter=counter))

    def of_shard(self, shard: int) -> Streams:
        """Return the streams of one shard."""
        return Streams(self.seed, shard)
