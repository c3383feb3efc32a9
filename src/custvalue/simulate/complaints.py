"""Complaints as they arise, and as they are answered, escalated and closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import COMPLAINT_CATEGORIES, COMPLAINT_SHARES
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Timeline, days_after

_NONE = -1


@dataclass(frozen=True)
class Raised:
    """Complaints in the order in which they were opened; ``repeat_of`` is a position in the same arrays or −1."""

    customer: Ints
    opened_at: Dates
    repeat_of: Ints


@dataclass(frozen=True)
class Handled:
    """What became of each complaint; ``closed_at`` lies in the future for those still open at the end."""

    category: Ints
    level: Ints
    escalated: Flags
    justified: Flags
    first_response_at: Dates
    closed_at: Dates


class Complaints:
    """Complaints by month; some are made again within four weeks.

    Attributes
    ----------
    counts, repeats : list of array
        Complaints and repeated ones of each month so far, by customer.
    """

    def __init__(self, scenario: Scenario, timeline: Timeline, rng: np.random.Generator) -> None:
        self._repeats = scenario.repeats
        self._timeline = timeline
        self._rng = rng
        self._log: list[Raised] = []
        self._size = 0
        self._due = Raised(_ints(), np.array([], dtype="datetime64[s]"), _ints())
        self.counts: list[Ints] = []
        self.repeats: list[Ints] = []

    def pass_month(self, month: int, rate: Floats) -> None:
        """Raise the month's complaints, at a rate by customer (0 where none can be)."""
        first, after = self._timeline.first[month], self._timeline.first[month + 1]
        who = np.repeat(np.arange(len(rate)), self._rng.poisson(rate))
        opened = self._office_hours(days_after(first, self._rng.integers(0, self._timeline.days[month], len(who))))
        again = np.flatnonzero(self._rng.random(len(who)) < self._repeats)
        later = self._office_hours(days_after(opened[again], self._rng.integers(3, 29, len(again))))
        due = self._due
        now = later < after
        repeats = Raised(
            np.concatenate([due.customer, who[again]]),
            np.concatenate([due.opened_at, later]),
            np.concatenate([due.repeat_of, self._size + again]),
        )
        arrived = np.concatenate([np.ones(len(due.customer), dtype=np.bool_), now])
        self._due = _take(repeats, ~arrived)
        repeats = _take(repeats, arrived)
        self._log.append(Raised(who, opened, np.full(len(who), _NONE)))
        self._log.append(repeats)
        self._size += len(who) + len(repeats.customer)
        self.counts.append(np.bincount(np.concatenate([who, repeats.customer]), minlength=len(rate)))
        self.repeats.append(np.bincount(repeats.customer, minlength=len(rate)))

    def recent(self, n: int) -> tuple[Ints, Flags]:
        """Complaints of the last three months by customer, and whether one of them was a repeat."""
        zero = np.zeros(n, dtype=np.int64)
        return sum(self.counts[-3:], zero), sum(self.repeats[-3:], zero) > 0

    def all_raised(self, left_on: Dates) -> Raised:
        """Everything raised while in service, by time of opening; ``left_on`` is NaT for those who stayed."""
        customer = np.concatenate([part.customer for part in self._log])
        opened = np.concatenate([part.opened_at for part in self._log])
        repeat_of = np.concatenate([part.repeat_of for part in self._log])
        left = left_on[customer]
        order = np.lexsort((customer, opened))
        order = order[(np.isnat(left) | (opened.astype("datetime64[D]") < left))[order]]
        position = np.full(len(customer), _NONE)
        position[order] = np.arange(len(order))
        # A first complaint precedes its repeat, so whoever made the repeat in service made the first one there too.
        repeat_of = np.where(repeat_of[order] == _NONE, _NONE, position[repeat_of[order]])
        return Raised(customer[order], opened[order], repeat_of)

    def _office_hours(self, days: Dates) -> Dates:
        times: Dates = days.astype("datetime64[s]") + self._rng.integers(8 * 3600, 22 * 3600, len(days)).astype("timedelta64[s]")
        return times


def handle(raised: Raised, rng: np.random.Generator) -> Handled:
    """Answer, escalate, judge and close complaints; repeated and escalated ones are graver and take longer."""
    n = len(raised.customer)
    repeated = raised.repeat_of != _NONE
    category = rng.choice(len(COMPLAINT_CATEGORIES), n, p=COMPLAINT_SHARES)
    category = np.where(repeated, category[raised.repeat_of], category)
    escalated = rng.random(n) < np.where(repeated, 0.25, 0.06)
    closing_days = np.exp(rng.normal(np.log(3.0), 0.9, n)) * np.where(escalated, 2.5, 1.0)
    response_hours = np.minimum(rng.exponential(8.0, n), 24 * closing_days / 2)
    return Handled(
        category=category,
        level=1 + (rng.random(n) < 0.3) + (escalated & (rng.random(n) < 0.6)),
        escalated=escalated,
        justified=rng.random(n) < np.where(repeated, 0.55, 0.35),
        first_response_at=raised.opened_at + (response_hours * 3600).astype(np.int64) * np.timedelta64(1, "s"),
        closed_at=raised.opened_at + (closing_days * 86_400).astype(np.int64) * np.timedelta64(1, "s"),
    )


def _ints() -> Ints:
    return np.array([], dtype=np.int64)


def _take(raised: Raised, rows: Flags) -> Raised:
    return Raised(raised.customer[rows], raised.opened_at[rows], raised.repeat_of[rows])
