"""Contracts, bundles and discounts: signed, renewed, run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from custvalue.simulate.catalogue import BUNDLE, CONTRACT, DISCOUNT
from custvalue.simulate.draws import among, uniforms
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Agreement, Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline, days_after

_LONG_AGO = np.datetime64("1900-01-01", "D")
_LASTING = (CONTRACT, BUNDLE, DISCOUNT)
RENEWED_UNDER_INTENT = 0.3
LUCK = 3 * len(_LASTING)
"""Uniform numbers that a customer's agreements of a month take."""


@dataclass(frozen=True)
class SignedAgreements:
    """Agreements, one element each; ``ends_on`` is the last day in force."""

    customer: Ints
    kind: Ints
    months: Ints
    starts_on: Dates
    ends_on: Dates

    def take(self, rows: Ints | Flags) -> SignedAgreements:
        """Keep some of them."""
        return SignedAgreements(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[SignedAgreements]) -> SignedAgreements:
        """Put several together, in order of their first day."""
        joined = cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))
        return joined.take(np.lexsort((joined.kind, joined.customer, joined.starts_on)))


@dataclass
class Bound:
    """What each customer is bound by; arrays of shape (kinds, customers).

    Attributes
    ----------
    ends_on : array of datetime64[D]
        Last day of the latest agreement of each kind; long ago where there was none.
    months : array of int
        Its length.
    """

    ends_on: Dates
    months: Ints

    def copy(self) -> Bound:
        """Copy it, so that two courses of events can go on from it."""
        return Bound(self.ends_on.copy(), self.months.copy())

    def in_force(self, kind: int, day: np.datetime64) -> Flags:
        """Whether an agreement of a kind runs on a day."""
        running: Flags = self.ends_on[kind] >= day
        return running

    def near_expiry(self, timeline: Timeline, month: int) -> Flags:
        """Whether the latest contract ends or ended within one month of this one."""
        near: Flags = np.abs(timeline.index(self.ends_on[CONTRACT]) - month) <= 1
        return near

    def discount_ended(self, timeline: Timeline, month: int) -> Flags:
        """Whether a discount ran out in the two months before, with no other after it."""
        months_ago = month - timeline.index(self.ends_on[DISCOUNT])
        ended: Flags = (months_ago == 1) | (months_ago == 2)
        return ended


def settings_of(scenario: Scenario) -> tuple[Agreement, ...]:
    """Give the settings by kind."""
    return (scenario.contract, scenario.bundle, scenario.discount)


def begin_with(scenario: Scenario, population: Population, timeline: Timeline, streams: Streams) -> tuple[Bound, SignedAgreements]:
    """Draw what customers hold at the start of the simulation, or sign on joining."""
    n = len(population)
    luck = uniforms(streams, "first agreements", None, n, width=LUCK).reshape(len(_LASTING), 3, n)
    bound = Bound(np.full((len(_LASTING), n), _LONG_AGO), np.zeros((len(_LASTING), n), dtype=np.int64))
    there = population.joined_month < 0
    parts = []
    for kind, settings in enumerate(settings_of(scenario)):
        held, length, elapsed = luck[kind]
        term = np.array(settings.terms)[among(length, settings.weights)]
        begun = days_after(timeline.first[0], -(elapsed * term * 30).astype(np.int64))
        starts = np.where(there, np.maximum(begun, population.joined_on), population.joined_on)
        who = np.flatnonzero(held < np.where(there, settings.held, settings.at_joining))
        parts.append(_sign(bound, kind, who, starts[who], term[who]))
    return bound, SignedAgreements.join(parts)


def pass_month(
    scenario: Scenario, bound: Bound, timeline: Timeline, month: int, settled: Flags, intent: Flags, luck: Floats
) -> list[SignedAgreements]:
    """Renew what ends in the month, and sign anew; customers with intent seldom do either."""
    first, after = timeline.first[month], timeline.first[month + 1]
    signed = []
    for kind, settings in enumerate(settings_of(scenario)):
        draw, day, length = luck.reshape(len(_LASTING), 3, -1)[kind]
        ends_on = bound.ends_on[kind].copy()
        renews = settled & (ends_on >= first) & (ends_on < after) & (draw < settings.renewed * np.where(intent, RENEWED_UNDER_INTENT, 1.0))
        who = np.flatnonzero(renews)
        signed.append(_sign(bound, kind, who, days_after(ends_on[who], 1), bound.months[kind, who]))
        who = np.flatnonzero(settled & ~intent & (ends_on < first) & (draw < settings.signed))
        starts = days_after(first, (day[who] * timeline.days[month]).astype(np.int64))
        signed.append(_sign(bound, kind, who, starts, np.array(settings.terms)[among(length[who], settings.weights)]))
    return signed


def _sign(bound: Bound, kind: int, who: Ints, starts_on: Dates, months: Ints) -> SignedAgreements:
    ends_on = days_after(_months_later(starts_on, months), -1)
    bound.ends_on[kind, who] = ends_on
    bound.months[kind, who] = months
    return SignedAgreements(who, np.full(len(who), kind), months, starts_on, ends_on)


def _months_later(days: Dates, months: Ints) -> Dates:
    """Same day so many months later, or that month's last day."""
    month = days.astype("datetime64[M]")
    day = (days - month.astype("datetime64[D]")).astype(np.int64)
    target = (month + months).astype("datetime64[D]")
    length = ((month + months + 1).astype("datetime64[D]") - target).astype(np.int64)
    return days_after(target, np.minimum(day, length - 1))
