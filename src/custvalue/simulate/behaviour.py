"""The months as the customers live them: drivers, intent, symptoms, leaving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.simulate.agreements import Agreements, SignedAgreements
from custvalue.simulate.catalogue import (
    AUTO_DEBIT,
    CONTRACT,
    DISCOUNT,
    NON_PAYMENT,
    PLAN_FEES,
    PORT_OUT,
    REGIONS,
    VOLUNTARY,
)
from custvalue.simulate.complaints import Complaints, Raised
from custvalue.simulate.intent import entry_log_odds, exit_chance, leaving_chances, sigmoid
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline, days_after

_STAYS = 10**6
_UPGRADES, _DOWNGRADES = 0.006, 0.004
_MONTHS_OF_PRICE_RISE = 3
_AUTO_DEBIT_MISSES = 0.3
AHEAD = 3
"""Months that the known chances of leaving look ahead."""


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened to whom; panels have shape (months, customers).

    Attributes
    ----------
    left_on : array of datetime64[D]
        First day without service; NaT for those who stayed.
    kind : array of int
        How they left; meaningless for those who stayed.
    plan : panel of int
        Plan in force during the month.
    discounted, missed : panel of bool
        A discount was in force; the month's payment was not made.
    symptom : panel of float
        Strength of the symptoms, 0 to 1.
    intent, intent_months : panel
        The hidden state at the month's end, and its full months.
    leaving : array of float, shape (months, AHEAD, customers)
        Chance of leaving in each of the months after, for one who knows the hidden state at the month's end.
    """

    left_on: Dates
    kind: Ints
    plan: Ints
    discounted: Flags
    missed: Flags
    symptom: Floats
    intent: Flags
    intent_months: Ints
    leaving: Floats
    complaints: Raised
    agreements: SignedAgreements


def live(scenario: Scenario, population: Population, timeline: Timeline, streams: Streams) -> History:
    """Live through all months."""
    lives = _Lives(scenario, population, timeline, streams)
    for month in range(timeline.months):
        lives.pass_month(month)
    return lives.history()


def plan_fees(scenario: Scenario, months: int) -> Ints:
    """Fee of each plan in each month, in cents, shape (months, plans)."""
    fees = np.tile(np.array(PLAN_FEES) * 100, (months, 1))
    for rise in scenario.price_rises:
        dearer = np.array(PLAN_FEES) >= rise.fee_from
        fees[int(rise.at * months) :, dearer] = np.rint(fees[0, dearer] * (1 + rise.rise)).astype(np.int64)
    return fees


class _Lives:
    """The state of all customers, and the panels filled so far."""

    def __init__(self, scenario: Scenario, population: Population, timeline: Timeline, streams: Streams) -> None:
        self._scenario, self._people, self._timeline = scenario, population, timeline
        self._intent_rng, self._left_rng = streams("intent"), streams("leaving days")
        self._plan_rng, self._payment_rng = streams("plan changes"), streams("missed payments")
        self._agreements = Agreements(scenario, population, timeline, streams("agreements"))
        self._complaints = Complaints(scenario, timeline, streams("complaints"))
        n, months = len(population), timeline.months
        self._fees = plan_fees(scenario, months)
        self._shock = streams("region shocks").normal(0, scenario.intent.region_month_sd, (months, len(REGIONS)))
        self._left_month = np.full(n, _STAYS)
        self._left_on = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        self._kind = np.full(n, VOLUNTARY)
        self._plan = population.plan.copy()
        self._missed_in_a_row = np.zeros(n, dtype=np.int64)
        self._panels: dict[str, list[npt.NDArray[Any]]] = {}
        self._intent, self._intent_months, self._symptom = self._intent_at_start(population.joined_month < 0)

    def pass_month(self, month: int) -> None:
        """Live one month: enter intent, show it, leave, complain, sign, change plan, recover."""
        settings = self._scenario.intent
        settled = (self._people.joined_month < month) & (self._left_month == _STAYS)
        entry = sigmoid(self._entry_log_odds(month) + self._shock[month, self._people.region])
        enters = settled & ~self._intent & (self._intent_rng.random(len(settled)) < entry)
        self._intent |= enters
        self._intent_months[enters] = 0
        self._symptom += self._scenario.symptoms.ramp * (self._intent - self._symptom)
        self._keep(plan=self._plan.astype(np.int8), symptom=self._symptom.astype(np.float32))
        self._keep(discounted=self._agreements.in_force(DISCOUNT, month))
        leaves = self._leave(month, settled)
        stays = settled & ~leaves
        rise = 1 + self._scenario.symptoms.complaints * self._symptom
        self._complaints.pass_month(month, self._people.complaint_rate * rise * settled)
        self._agreements.pass_month(month, stays, self._intent)
        self._change_plans(month, stays)
        recovers = self._intent & (self._intent_rng.random(len(settled)) < settings.recovery)
        self._intent = self._intent & stays & ~recovers
        self._intent_months = np.where(self._intent, self._intent_months + 1, 0)
        self._look_ahead(month)

    def history(self) -> History:
        """Stack the months."""
        return History(
            left_on=self._left_on,
            kind=self._kind,
            complaints=self._complaints.all_raised(self._left_on),
            agreements=self._agreements.all_signed(),
            **{name: np.stack(months) for name, months in self._panels.items()},
        )

    def _keep(self, **panels: npt.NDArray[Any]) -> None:
        for name, values in panels.items():
            self._panels.setdefault(name, []).append(values.copy())

    def _intent_at_start(self, there: Flags) -> tuple[Flags, Ints, Floats]:
        """Give the first customers the share of intent that months before the first one would have left."""
        settings, n = self._scenario.intent, len(there)
        stays = [(1 - settings.recovery) * (1 - settings.exit[age]) for age in (0, -1)]
        months_within = stays[0] / (1 - stays[1])
        odds = np.exp(self._entry_log_odds(0)) * months_within
        intent = there & (self._intent_rng.random(n) < odds / (1 + odds))
        begun = self._intent_rng.geometric(1 - stays[1], n)
        symptom = np.where(intent, 1 - (1 - self._scenario.symptoms.ramp) ** begun, 0.0)
        return intent, np.where(intent, begun, 0), symptom

    def _entry_log_odds(self, month: int) -> Floats:
        """Log-odds of entering intent in a month (also the one after the last), from what has happened before it."""
        complaints, repeat = self._complaints.recent(len(self._plan))
        recent = range(max(month - _MONTHS_OF_PRICE_RISE + 1, 1), min(month + 1, self._timeline.months))
        dearer = np.zeros(len(PLAN_FEES), dtype=np.bool_)
        for past in recent:
            dearer |= self._fees[past] > self._fees[past - 1]
        return entry_log_odds(
            self._scenario.intent,
            near_expiry=self._agreements.near_expiry(month),
            in_contract=self._agreements.in_force(CONTRACT, month),
            bundle=self._agreements.bundled(month),
            complaints=complaints,
            repeat=repeat,
            tenure_months=month - self._timeline.index(self._people.joined_on),
            price_rise=dearer[self._plan] | self._agreements.discount_ended(month),
            own_risk=self._people.own_risk,
        )

    def _leave(self, month: int, settled: Flags) -> Flags:
        """Let customers with intent go, and cut off those who have not paid for three months."""
        draw, ports, day = self._left_rng.random((3, len(settled)))
        goes = settled & (draw < exit_chance(self._scenario.intent, self._intent, self._intent_months))
        leaves: Flags = goes | self._cut_off(month, settled)
        service = 1 + (day * self._timeline.days[month]).astype(np.int64)
        kind = np.where(ports < self._scenario.intent.port_share, PORT_OUT, VOLUNTARY)
        self._left_month[leaves] = month
        self._left_on[leaves] = days_after(self._timeline.first[month], service)[leaves]
        self._kind[leaves] = np.where(goes, kind, NON_PAYMENT)[leaves]
        return leaves

    def _cut_off(self, month: int, settled: Flags) -> Flags:
        """Let payments be missed, and find who is cut off for it; a first bill is due in the month after joining."""
        n, money = len(settled), self._scenario.money
        by_hand = np.where(self._people.channel == AUTO_DEBIT, _AUTO_DEBIT_MISSES, 1.0)
        begins = np.minimum(money.missed * by_hand * self._people.bad_payer, 0.5)
        chance = np.where(self._missed_in_a_row > 0, money.missed_again, begins)
        owes = settled & (self._people.joined_month < month - 1)
        misses = owes & (self._payment_rng.random(n) < chance)
        self._keep(missed=misses)
        self._missed_in_a_row = np.where(misses, self._missed_in_a_row + 1, 0)
        cut_off: Flags = (self._missed_in_a_row >= 3) & (self._payment_rng.random(n) < money.cut_off)
        return cut_off

    def _change_plans(self, month: int, stays: Flags) -> None:
        """Move some customers one plan up or down from the next month on; a contract forbids the way down."""
        draw = self._plan_rng.random(len(stays))
        free = ~self._agreements.in_force(CONTRACT, month)
        down = stays & free & (draw < _DOWNGRADES + self._scenario.symptoms.downgrade * self._intent) & (self._plan > 1)
        up = stays & ~self._intent & (draw > 1 - _UPGRADES) & (self._plan > 0) & (self._plan < len(PLAN_FEES) - 1)
        self._plan = self._plan + up - down

    def _look_ahead(self, month: int) -> None:
        entry = sigmoid(self._entry_log_odds(month + 1))
        leaving = leaving_chances(self._scenario.intent, entry, self._intent, self._intent_months, ahead=AHEAD)
        self._keep(intent=self._intent, intent_months=self._intent_months.astype(np.int8), leaving=leaving.astype(np.float32))
