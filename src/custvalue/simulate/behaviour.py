"""What the customers live through, as arrays: how they stand in a month, and what has become of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from custvalue.simulate.agreements import Bound, SignedAgreements
from custvalue.simulate.campaigns import Contacts, Effect, Memory
from custvalue.simulate.complaints import Raised
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints

STAYS = 10**6
"""Month of leaving of those who have not left."""


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened to whom; panels have shape (months, customers).

    Attributes
    ----------
    left_on : array of datetime64[D]
        First day without service; NaT for those who stayed.
    kind : array of int
        How they left; meaningless for those who stayed.
    opted_out_on : array of datetime64[D]
        When they refused further marketing; NaT for those who did not.
    plan : panel of int
        Plan in force during the month.
    beyond : panel of float
        Share of what is usually charged beyond the plan's fee: below 1 on new all-inclusive plans.
    discounted, missed : panel of bool
        A discount was in force; the month's payment was not made.
    symptom : panel of float
        Strength of the symptoms, 0 to 1.
    intent, intent_months : panel
        The hidden state at the month's end, and its full months.
    entry : panel of float
        Log-odds of entering intent in the month after, as they stand at the month's end, without a region's shock to come.
    drivers : mapping of panels of int
        What drives them to intent in the month after, by name, as `driver_log_odds` takes it.
    nudge, nudged_for : panel
        Part of these log-odds that a call has added or taken off, and for how many months yet.
    reach : panel of float
        Chance of reaching the customer in the month after.
    free : panel of bool
        No contract runs on the first day of the month after.
    offer : panel of int
        Offer of the month's call, or `NO_CALL`.
    otherwise : panel of int
        Whether the customer would have left by own will within three months had the call of the month after been made where it was
        not, or not been made where it was: 1 or 0, and −1 where those months are not over or there was no service.
    complaints, agreements, contacts : Raised, SignedAgreements, Contacts
        Everything raised, signed and called.
    complaint_count : panel of int
        Complaints of the month.
    drawn : panel of bool
        Behaved to the month's end as one who intends to leave, whatever a late call changed.
    kept_day : panel of int
        Days of the month in service of whom a late call kept from leaving, had it not been made; 0 for everybody else.
    """

    left_on: Dates
    kind: Ints
    opted_out_on: Dates
    plan: Ints
    beyond: Floats
    discounted: Flags
    missed: Flags
    symptom: Floats
    intent: Flags
    intent_months: Ints
    entry: Floats
    drivers: Mapping[str, Ints]
    nudge: Floats
    nudged_for: Ints
    reach: Floats
    free: Flags
    offer: Ints
    otherwise: Ints
    complaint_count: Ints
    drawn: Flags
    kept_day: Ints
    complaints: Raised
    agreements: SignedAgreements
    contacts: Contacts


@dataclass
class State:
    """How everybody stands at a month's begin, one element a customer.

    Attributes
    ----------
    left_month, left_on, kind : array
        When and how they left; `STAYS` and NaT for those who are there.
    plan, missed_in_a_row, intent, intent_months, symptom : array
        As they are now.
    second_sim : array of bool
        Uses another operator's card for most things, and stays.
    complaints, repeats : array of int, shape (3, customers)
        Complaints, and repeated ones among them, of the last three months, the latest first.
    due : array of int
        Repeated complaints to come next month.
    bound, memory : Bound, Memory
        Agreements, and what contacts have left behind.
    """

    left_month: Ints
    left_on: Dates
    kind: Ints
    plan: Ints
    missed_in_a_row: Ints
    intent: Flags
    intent_months: Ints
    symptom: Floats
    second_sim: Flags
    complaints: Ints
    repeats: Ints
    due: Ints
    bound: Bound
    memory: Memory

    def copy(self) -> State:
        """Copy it, so that two courses of events can go on from it; the arrays themselves are replaced, never changed in place."""
        return replace(self, bound=self.bound.copy(), memory=replace(self.memory))


@dataclass(frozen=True)
class MonthLog:
    """What one month brought, for whoever keeps it."""

    panels: dict[str, npt.NDArray[Any]]
    raised: tuple[Raised, Raised]
    signed: list[SignedAgreements]
    contacts: Contacts
    effect: Effect
    kept: Flags
