"""Campaigns by telephone: who is called, who answers, and what it does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from custvalue.simulate.catalogue import (
    ACCEPTED,
    DEFERRED,
    DO_NOT_CONTACT,
    HOLDOUT,
    PERSUADABLE,
    REFUSED,
    SLEEPING_DOG,
    TREATED,
    UNREACHABLE,
)
from custvalue.simulate.drivers import Contacting
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, days_after

NO_CALL = -1
LUCK = 9
"""Uniform numbers that a customer's contact of a month takes."""
NUDGED_MONTHS = 3
"""Months for which a call makes intent likelier or less likely."""
_NOTHING = -1
_ACCEPTS, _DEFERS = 0.15, 0.2
_PERSUADED_ACCEPTS = 0.8
_CALLS_REMEMBERED = 6


@dataclass(frozen=True)
class Contacts:
    """Contacts and held-out customers, one element each.

    Attributes
    ----------
    customer, month : array of int
        Position, and month of the timeline.
    contacted_at : array of datetime64[s]
        Time of the call; for held-out customers, of the draw.
    randomised : array of bool
        Drawn by lot, not picked by a manager.
    arm, offer, outcome : array of int
        Positions in `ARMS`, in the scenario's offers and in `CONTACT_OUTCOMES`; offer and outcome are −1 for held-out customers.
    reached : array of bool
    """

    customer: Ints
    month: Ints
    contacted_at: Dates
    randomised: Flags
    arm: Ints
    offer: Ints
    reached: Flags
    outcome: Ints

    @classmethod
    def join(cls, parts: Sequence[Contacts]) -> Contacts:
        """Put several together."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class Plan:
    """Whom a month's campaign concerns, by customer.

    Attributes
    ----------
    offer : array of int
        Offer of the call, or `NO_CALL`.
    randomised, held_out : array of bool
        Drawn by lot; and of these, not called.
    day : array of int
        Days from the month's first day to the call.
    """

    offer: Ints
    randomised: Flags
    held_out: Flags
    day: Ints

    @classmethod
    def nobody(cls, n: int) -> Plan:
        """Build the plan that calls nobody."""
        nobody, never = np.zeros(n, dtype=np.bool_), np.full(n, NO_CALL, dtype=np.int8)
        return cls(never, nobody, nobody, np.zeros(n, dtype=np.int64))

    @property
    def late(self) -> Flags:
        """Who is called after the first day."""
        called: Flags = (self.offer != NO_CALL) & (self.day > 0)
        return called

    def only(self, who: Flags) -> Plan:
        """Call nobody but some."""
        return replace(self, offer=np.where(who, self.offer, NO_CALL).astype(np.int8))


@dataclass
class Memory:
    """What contacts have left behind; arrays of shape (customers,) but for ``calls``, shape (6, customers).

    Attributes
    ----------
    calls : array of int
        Calls in each of the last six months, the latest first.
    nudge, nudged_for : array
        Log-odds of intent that a call has added or taken off, and for how many months yet.
    opted_out_on : array of datetime64[D]
        When the customer refused marketing; NaT for those who have not.
    """

    calls: Ints
    nudge: Floats
    nudged_for: Ints
    opted_out_on: Dates

    @classmethod
    def blank(cls, n: int) -> Memory:
        """Nobody has been called yet."""
        never = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        return cls(np.zeros((_CALLS_REMEMBERED, n), dtype=np.int8), np.zeros(n), np.zeros(n, dtype=np.int64), never)

    def note_refusals(self, effect: Effect, on: Dates) -> None:
        """Remember the first refusal of each."""
        first = effect.refuses & np.isnat(self.opted_out_on)
        self.opted_out_on = np.where(first, on, self.opted_out_on)

    def pass_month(self, called: Flags) -> None:
        """Grow older by a month."""
        self.calls = np.concatenate([called[None].astype(np.int8), self.calls[:-1]])
        self.nudged_for = np.maximum(self.nudged_for - 1, 0)
        self.nudge = np.where(self.nudged_for > 0, self.nudge, 0.0)


@dataclass(frozen=True)
class Effect:
    """What a month's calls did, by customer; outcomes are −1 where there was no call."""

    reached: Flags
    saved: Flags
    refuses: Flags
    outcome: Ints

    def merge(self, other: Effect) -> Effect:
        """Add what other calls did to other customers."""
        reached, saved, refuses = self.reached | other.reached, self.saved | other.saved, self.refuses | other.refuses
        return Effect(reached, saved, refuses, np.maximum(self.outcome, other.outcome))


def plan_campaign(settings: Contacting, eligible: Flags, risk: Floats, memory: Memory, luck: Floats) -> Plan:
    """Let managers pick the customers who look most at risk to them, and draw others by lot.

    Parameters
    ----------
    eligible : array of bool
        In service, and consenting to marketing.
    risk : array of float
        What managers see of a customer's risk, sd about 1; their own error is added here.
    luck : array of float, shape (LUCK, customers)
        Uniform numbers.
    """
    free = eligible & (memory.calls[: settings.cooldown].sum(axis=0) == 0)
    drawn = free & (luck[0] < settings.randomised)
    held_out = drawn & (luck[1] >= settings.treated)
    # The logistic distribution has sd π/√3; its inverse is at hand.
    judged = risk + settings.judgement * np.sqrt(3) / np.pi * np.log(luck[2] / (1 - luck[2]))
    pool = np.flatnonzero(free & ~drawn)
    picked = min(round(settings.share * int(free.sum())), len(pool))
    chosen = pool[np.argsort(-judged[pool], kind="stable")[:picked]]
    called = drawn & ~held_out
    called[chosen] = True
    offer = (luck[3] * len(settings.offers)).astype(np.int64)
    return Plan(np.where(called, offer, NO_CALL).astype(np.int8), drawn, held_out, np.zeros(len(drawn), dtype=np.int64))


def reach_chance(settings: Contacting, memory: Memory) -> Floats:
    """Chance of reaching each customer this month; it falls with every call of the last six months."""
    chance: Floats = np.maximum(settings.reach * settings.reach_again ** memory.calls.sum(axis=0), settings.least_reach)
    return chance


def save_chance(settings: Contacting, treatment: Ints, intent: Flags, offer: Ints) -> Floats:
    """Chance that reaching a customer with an offer ends the intent; 0 for all but persuadable ones who intend to leave."""
    saves = np.array([offer.saves for offer in settings.offers])[np.maximum(offer, 0)]
    return np.where(intent & (treatment == PERSUADABLE), np.minimum(settings.saves * saves, 1.0), 0.0)


def nudges(settings: Contacting, treatment: Ints, intent: Flags, free: Flags, offer: Ints) -> Floats:
    """Log-odds of intent that reaching a customer adds or takes off: persuadable ones are bound closer, sleeping dogs wake."""
    harms = np.array([offer.harms for offer in settings.offers])[np.maximum(offer, 0)]
    wakes = np.where(free, settings.harms_free, settings.harms) * harms
    return np.select([treatment == PERSUADABLE, (treatment == SLEEPING_DOG) & ~intent], [-settings.binds, wakes], 0.0)


def make_calls(
    settings: Contacting, plan: Plan, treatment: Ints, intent: Flags, free: Flags, settled: Flags, memory: Memory, luck: Floats
) -> Effect:
    """Call whom the plan names; who is reached may be kept, driven away, or want no more calls.

    Parameters
    ----------
    treatment : array of int
        What a contact does to each customer.
    intent, free, settled : array of bool
        Intends to leave when called; has no contract; is in service.
    memory : Memory
        Changed: what the calls leave behind.
    luck : array of float, shape (LUCK, customers)
        Uniform numbers.
    """
    called = settled & (plan.offer != NO_CALL)
    reached = called & (luck[4] < reach_chance(settings, memory))
    saved = reached & (luck[5] < save_chance(settings, treatment, intent, plan.offer))
    dog = reached & (treatment == SLEEPING_DOG)
    nudge = nudges(settings, treatment, intent, free, plan.offer)
    nudged = reached & (nudge != 0)
    memory.nudge = np.where(nudged, nudge, memory.nudge)
    memory.nudged_for = np.where(nudged, NUDGED_MONTHS, memory.nudged_for)
    refuses = reached & (luck[6] < np.where(dog, settings.dog_opts_out, settings.opts_out))
    accepts = luck[7] < np.where(saved, _PERSUADED_ACCEPTS, _ACCEPTS)
    answer = np.where(accepts, ACCEPTED, np.where(luck[8] < _DEFERS, DEFERRED, REFUSED))
    outcome = np.select([~called, ~reached, refuses], [_NOTHING, UNREACHABLE, DO_NOT_CONTACT], answer)
    return Effect(reached, saved, refuses, outcome)


def record(plan: Plan, effect: Effect, settled: Flags, month: int, first_day: np.datetime64, luck: Floats) -> Contacts:
    """Write down a month's contacts and held-out customers; who is held out was drawn on the month's first day."""
    called = settled & (plan.offer != NO_CALL)
    held_out = settled & plan.held_out
    who = np.flatnonzero(called | held_out)
    seconds = 9 * 3600 + (luck[2, who] * 11 * 3600).astype(np.int64)
    at = days_after(np.full(len(who), first_day), plan.day[who]).astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    treated = called[who]
    return Contacts(
        customer=who,
        month=np.full(len(who), month),
        contacted_at=at,
        randomised=plan.randomised[who],
        arm=np.where(treated, TREATED, HOLDOUT),
        offer=np.where(treated, plan.offer[who].astype(np.int64), NO_CALL),
        reached=effect.reached[who],
        outcome=effect.outcome[who],
    )
