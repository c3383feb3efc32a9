"""Contracts, bundles and discounts: signed, renewed, run out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import BUNDLE, CONTRACT, DISCOUNT, KINDS
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Agreement, Scenario
from custvalue.simulate.timeline import Dates, Flags, Ints, Timeline, days_after

_LONG_AGO = np.datetime64("1900-01-01", "D")
_RENEWED_UNDER_INTENT = 0.3


@dataclass(frozen=True)
class SignedAgreements:
    """All agreements ever signed, one element each; ``ends_on`` is the last day in force."""

    customer: Ints
    kind: Ints
    months: Ints
    starts_on: Dates
    ends_on: Dates

    def take(self, rows: Ints | Flags) -> SignedAgreements:
        """Keep some of them."""
        return SignedAgreements(self.customer[rows], self.kind[rows], self.months[rows], self.starts_on[rows], self.ends_on[rows])


class Agreements:
    """What each customer is bound by, month after month.

    Attributes
    ----------
    ends_on : array of datetime64[D], shape (kinds, customers)
        Last day of the latest agreement of each kind; long ago where there was none.
    """

    def __init__(self, scenario: Scenario, population: Population, timeline: Timeline, rng: np.random.Generator) -> None:
        self._settings: tuple[Agreement, ...] = (scenario.contract, scenario.bundle, scenario.discount)
        self._timeline = timeline
        self._joined_on = population.joined_on
        self._rng = rng
        self._signed: list[SignedAgreements] = []
        self.ends_on = np.full((len(KINDS), len(population)), _LONG_AGO)
        self._months = np.zeros((len(KINDS), len(population)), dtype=np.int64)
        for kind in range(len(KINDS)):
            self._begin_with(kind, population.joined_month)

    def in_force(self, kind: int, month: int) -> Flags:
        """Whether an agreement of a kind runs on a month's first day."""
        running: Flags = self.ends_on[kind] >= self._timeline.first[month]
        return running

    def near_expiry(self, month: int) -> Flags:
        """Whether the latest contract ends or ended within one month of this one."""
        near: Flags = np.abs(self._timeline.index(self.ends_on[CONTRACT]) - month) <= 1
        return near

    def bundled(self, month: int) -> Flags:
        """Whether a bundle runs."""
        return self.in_force(BUNDLE, month)

    def discount_ended(self, month: int) -> Flags:
        """Whether a discount ran out in the two months before, with no other after it."""
        months_ago = month - self._timeline.index(self.ends_on[DISCOUNT])
        ended: Flags = (months_ago == 1) | (months_ago == 2)
        return ended

    def pass_month(self, month: int, settled: Flags, intent: Flags) -> None:
        """Renew what ends in the month, and sign anew; customers with intent seldom do either."""
        first, after = self._timeline.first[month], self._timeline.first[month + 1]
        n = len(settled)
        for kind, settings in enumerate(self._settings):
            ends_on = self.ends_on[kind]
            draw, day, term = self._rng.random(n), self._rng.integers(0, self._timeline.days[month], n), self._terms(kind, n)
            ending = settled & (ends_on >= first) & (ends_on < after)
            renews = ending & (draw < settings.renewed * np.where(intent, _RENEWED_UNDER_INTENT, 1.0))
            starts = days_after(first, day)
            signs = settled & ~intent & (ends_on < first) & (draw < settings.signed)
            who = np.flatnonzero(renews)
            self._sign(kind, who, days_after(ends_on[who], 1), self._months[kind, who])
            who = np.flatnonzero(signs)
            self._sign(kind, who, starts[who], term[who])

    def all_signed(self) -> SignedAgreements:
        """Everything signed so far, in order of its first day."""
        parts = self._signed
        joined = SignedAgreements(
            np.concatenate([part.customer for part in parts]),
            np.concatenate([part.kind for part in parts]),
            np.concatenate([part.months for part in parts]),
            np.concatenate([part.starts_on for part in parts]),
            np.concatenate([part.ends_on for part in parts]),
        )
        return joined.take(np.lexsort((joined.kind, joined.customer, joined.starts_on)))

    def _begin_with(self, kind: int, joined_month: Ints) -> None:
        settings, n = self._settings[kind], len(joined_month)
        held = self._rng.random(n) < np.where(joined_month < 0, settings.held, settings.at_joining)
        term, elapsed = self._terms(kind, n), self._rng.random(n)
        begun = days_after(self._timeline.first[0], -(elapsed * term * 30).astype(np.int64))
        starts = np.where(joined_month < 0, np.maximum(begun, self._joined_on), self._joined_on)
        who = np.flatnonzero(held)
        self._sign(kind, who, starts[who], term[who])

    def _terms(self, kind: int, n: int) -> Ints:
        return self._rng.choice(self._settings[kind].terms, n, p=self._settings[kind].weights)

    def _sign(self, kind: int, who: Ints, starts_on: Dates, months: Ints) -> None:
        ends_on = days_after(_months_later(starts_on, months), -1)
        self.ends_on[kind, who] = ends_on
        self._months[kind, who] = months
        self._signed.append(SignedAgreements(who, np.full(len(who), kind), months, starts_on, ends_on))


def _months_later(days: Dates, months: Ints) -> Dates:
    """Same day so many months later, or that month's last day."""
    month = days.astype("datetime64[M]")
    day = (days - month.astype("datetime64[D]")).astype(np.int64)
    target = (month + months).astype("datetime64[D]")
    length = ((month + months + 1).astype("datetime64[D]") - target).astype(np.int64)
    return days_after(target, np.minimum(day, length - 1))
