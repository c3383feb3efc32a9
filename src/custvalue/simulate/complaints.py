"""Complaints as they arise, and as they are answered, escalated and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from custvalue.simulate.catalogue import COMPLAINT_SHARES, NETWORK
from custvalue.simulate.draws import among
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Timeline, days_after

_NONE = -1
_SLOTS, _A_SLOT = 3, 7
LUCK = 1 + _SLOTS * _A_SLOT
"""Uniform numbers that a customer's complaints of a month take: nobody makes more than three new ones."""
HANDLING_LUCK = 6
"""Uniform numbers that what becomes of a complaint takes."""


@dataclass(frozen=True)
class Raised:
    """Complaints, one element each.

    Attributes
    ----------
    customer, category : array of int
        Positions.
    opened_at : array of datetime64[s]
    repeat_of : array of int
        Position of the first complaint in the same arrays, or −1.
    number : array of int
        Names a complaint among all that there could be; before they are put in order, ``repeat_of`` holds such a number.
    """

    customer: Ints
    opened_at: Dates
    category: Ints
    repeat_of: Ints
    number: Ints

    @classmethod
    def none(cls) -> Raised:
        """No complaint at all."""
        nothing = np.array([], dtype=np.int64)
        return cls(nothing, np.array([], dtype="datetime64[s]"), nothing, nothing, nothing)

    def take(self, rows: Ints | Flags) -> Raised:
        """Keep some of them."""
        return Raised(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Raised]) -> Raised:
        """Put several together."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class Handled:
    """What became of each complaint; ``closed_at`` lies in the future for those still open at the end."""

    category: Ints
    level: Ints
    escalated: Flags
    justified: Flags
    first_response_at: Dates
    closed_at: Dates


def raise_complaints(timeline: Timeline, month: int, rate: Floats, network: Floats, repeats: float, luck: Floats) -> tuple[Raised, Raised]:
    """Raise a month's new complaints, and those that are made again within four weeks, perhaps in the month after.

    Parameters
    ----------
    rate : array of float
        Complaints by customer, 0 where none can be.
    network : array of float
        Added share of the usual rate that concerns a failing network.
    repeats : float
        Chance that a complaint is made again.
    luck : array of float, shape (LUCK, customers)
        Uniform numbers.

    Returns
    -------
    tuple of Raised
        New ones, and repeats (which may open in the next month).
    """
    n = len(rate)
    total = rate * (1 + network)
    least = np.exp(-total)
    bounds = np.array([least, least * (1 + total), least * (1 + total + total**2 / 2)])
    counts = (luck[0] > bounds).sum(axis=0)
    slot, who = np.nonzero(counts > np.arange(_SLOTS)[:, None])
    own = luck[1:].reshape(_SLOTS, _A_SLOT, n)[slot, :, who].T
    opened = _office_hours(days_after(timeline.first[month], (own[0] * timeline.days[month]).astype(np.int64)), own[1])
    category = np.where(own[2] < network[who] / (1 + network[who]), NETWORK, among(own[3], COMPLAINT_SHARES))
    number = (who * _SLOTS + slot) * 2 * (timeline.months + 1) + 2 * month
    new = Raised(who, opened, category, np.full(len(who), _NONE), number)
    again = own[4] < repeats
    first = new.take(again)
    later = _office_hours(days_after(first.opened_at, 3 + (own[5, again] * 26).astype(np.int64)), own[6, again])
    return new, Raised(first.customer, later, first.category, first.number, first.number + 1)


def in_order(raised: Raised, left_on: Dates) -> Raised:
    """Keep what was raised while in service, by time of opening, and point repeats to positions.

    ``left_on`` is NaT for those who stayed.
    """
    left = left_on[raised.customer]
    kept = raised.take(np.isnat(left) | (raised.opened_at.astype("datetime64[D]") < left))
    kept = kept.take(np.lexsort((kept.number, kept.customer, kept.opened_at)))
    by_number = np.argsort(kept.number)
    # A first complaint precedes its repeat, so whoever made the repeat in service made the first one there too.
    place = np.minimum(np.searchsorted(kept.number[by_number], kept.repeat_of), max(len(by_number) - 1, 0))
    first = np.where(kept.repeat_of == _NONE, _NONE, by_number[place] if len(by_number) else _NONE)
    return Raised(kept.customer, kept.opened_at, kept.category, first, kept.number)


def handle(raised: Raised, luck: Floats) -> Handled:
    """Answer, escalate, judge and close complaints; repeated and escalated ones are graver and take longer.

    Parameters
    ----------
    luck : array of float, shape (HANDLING_LUCK, complaints)
        Uniform numbers.
    """
    repeated = raised.repeat_of != _NONE
    escalated = luck[0] < np.where(repeated, 0.25, 0.06)
    closing_days = np.exp(np.log(3.0) + 0.9 * ndtri(luck[1])) * np.where(escalated, 2.5, 1.0)
    response_hours = np.minimum(-8.0 * np.log(luck[2]), 24 * closing_days / 2)
    return Handled(
        category=raised.category,
        level=1 + (luck[3] < 0.3) + (escalated & (luck[4] < 0.6)),
        escalated=escalated,
        justified=luck[5] < np.where(repeated, 0.55, 0.35),
        first_response_at=raised.opened_at + (response_hours * 3600).astype(np.int64) * np.timedelta64(1, "s"),
        closed_at=raised.opened_at + (closing_days * 86_400).astype(np.int64) * np.timedelta64(1, "s"),
    )


def _office_hours(days: Dates, luck: Floats) -> Dates:
    seconds = 8 * 3600 + (luck * 14 * 3600).astype(np.int64)
    times: Dates = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return times
