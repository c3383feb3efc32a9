"""The rules by which the customers live a month: drivers, intent, symptoms, leaving."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.simulate import agreements, campaigns, complaints
from custvalue.simulate.agreements import SignedAgreements
from custvalue.simulate.behaviour import STAYS, MonthLog, State
from custvalue.simulate.campaigns import NO_CALL, Effect, Memory, Plan
from custvalue.simulate.catalogue import (
    AUTO_DEBIT,
    BUNDLE,
    CONTRACT,
    DISCOUNT,
    FIRST_NEW_PLAN,
    NATURAL,
    NEW_PLAN_FEES,
    NON_PAYMENT,
    PORT_OUT,
    SILENCE,
    VOLUNTARY,
)
from custvalue.simulate.complaints import Raised
from custvalue.simulate.draws import uniforms
from custvalue.simulate.facts import OperatorFacts
from custvalue.simulate.intent import entry_log_odds, exit_chance, sigmoid
from custvalue.simulate.late_calls import call_late
from custvalue.simulate.luck import MONTHS_REMEMBERED, MonthlyLuck
from custvalue.simulate.neighbours import have_lost_a_neighbour
from custvalue.simulate.population import Population
from custvalue.simulate.timeline import Flags, Floats, Streams

DOWNGRADES = 0.004
"""Chance a month of moving to a smaller plan without intent."""
_UPGRADES, _DOWNGRADES_WITH_SECOND_SIM = 0.006, 0.3
_SECOND_SIM_SYMPTOM = 0.95
_SAVES_BY_MOVING = 0.8
_AUTO_DEBIT_MISSES = 0.3


class Life:
    """The rules by which a shard's customers live a month.

    All luck comes from the shard's streams, so that any course of events shares it.
    """

    def __init__(self, facts: OperatorFacts, people: Population, streams: Streams) -> None:
        self.facts, self.people, self.streams = facts, people, streams
        self._scenario, self._timeline = facts.scenario, facts.timeline
        self._joined_month = self._timeline.index(people.joined_on)
        self._new_plan = np.searchsorted(NEW_PLAN_FEES, people.bill * _SAVES_BY_MOVING, side="right") - 1
        self.luck = MonthlyLuck(people, streams, facts.scenario.groups.shared_risk)

    def begin(self) -> tuple[State, SignedAgreements]:
        """Build the state before the first month; some of the first customers already intend to leave."""
        people, n = self.people, len(self.people)
        bound, signed = agreements.begin_with(self._scenario, people, self._timeline, self.streams)
        nothing = np.zeros(n, dtype=np.int64)
        state = State(
            left_month=np.full(n, STAYS),
            left_on=np.full(n, np.datetime64("NaT"), dtype="datetime64[D]"),
            kind=np.full(n, VOLUNTARY),
            plan=people.plan.copy(),
            missed_in_a_row=nothing,
            intent=np.zeros(n, dtype=np.bool_),
            intent_months=nothing,
            symptom=np.zeros(n),
            second_sim=np.zeros(n, dtype=np.bool_),
            complaints=np.zeros((MONTHS_REMEMBERED, n), dtype=np.int64),
            repeats=np.zeros((MONTHS_REMEMBERED, n), dtype=np.int64),
            due=nothing,
            bound=bound,
            memory=Memory.blank(n),
        )
        self._intent_at_start(state)
        return state, signed

    def settled(self, state: State, month: int) -> Flags:
        """Who is in service on a month's first day, and has been for some time."""
        there: Flags = (self.people.joined_month < month) & (state.left_month >= month)
        return there

    def lost_a_neighbour(self, state: State, month: int) -> Flags:
        """Whether somebody of the community left in the three months before a month."""
        lately = (state.left_month >= month - MONTHS_REMEMBERED) & (state.left_month < month)
        return have_lost_a_neighbour(self.people.community, lately)

    def pass_month(self, state: State, month: int, plan: Plan, bereaved: Flags) -> MonthLog:
        """Live one month: be called, enter intent, show it, leave, complain, sign, change plan, recover.

        Parameters
        ----------
        state : State
            Changed to how things stand at the month's end.
        plan : Plan
            Whom to call, and when; a late call acts on leaving from its day on, on use and temper from the next month on.
        bereaved : array of bool
            Who lost a neighbour lately.
        """
        settings, luck, people = self._scenario.intent, self.luck(month), self.people
        settled = self.settled(state, month)
        effect = self._call(state, month, plan.only(~plan.late), settled)
        entry = sigmoid(self.entry_log_odds(state, month, bereaved) + self.facts.shock[month, self.people.region])
        enters = settled & ~state.intent & (luck["intent"][0] < entry)
        # who enters does so on some day of the month, each with the same chance: luck below a chance is uniform below it
        since = np.where(enters, luck["intent"][0] / entry, 0.0) * self._timeline.days[month]
        state.intent = state.intent | enters
        state.intent_months = np.where(enters, 0, state.intent_months)
        self._show(state)
        panels = self._panels(state, month, plan, settled)
        leaves = self._leave(state, month, settled, panels)
        first = self._timeline.first[month]
        late, kept_day = call_late(self._scenario.contacts, state, plan, people.treatment, settled, since, month, first, luck["contacts"])
        stays = settled & ~leaves  # whom a late call kept changes nothing else this month
        raised = self._complain(state, month, settled, panels)
        signed = agreements.pass_month(self._scenario, state.bound, self._timeline, month, stays, state.intent, luck["agreements"])
        self._change_plans(state, month, stays)
        recovers = state.intent & (luck["intent"][1] < settings.recovery)
        state.second_sim = state.second_sim | (recovers & stays & (luck["intent"][2] < settings.second_sim))
        drawn = (state.intent & stays & ~recovers) | (kept_day > 0)
        state.intent = drawn & ~late.saved
        state.intent_months = np.where(state.intent, state.intent_months + 1, 0)
        effect = effect.merge(late)
        contacts = campaigns.record(plan, effect, settled, month, first, luck["contacts"])
        state.memory.pass_month(settled & (plan.offer != NO_CALL))
        panels |= {"intent": state.intent, "intent_months": state.intent_months.astype(np.int8)}
        panels |= {"drawn": drawn, "kept_day": kept_day.astype(np.int8)}
        return MonthLog(panels, raised, signed, contacts, effect, kept_day > 0)

    def entry_log_odds(self, state: State, month: int, bereaved: Flags) -> Floats:
        """Log-odds of entering intent in a month (also the one after the last), from what has happened before it; no region's shock."""
        timeline, scenario = self._timeline, self._scenario
        calendar = (timeline.first[0].astype("datetime64[M]").astype(np.int64) + month) % 12
        log_odds = entry_log_odds(scenario.intent, **self.drivers(state, month, bereaved), own_risk=self.people.own_risk)
        log_odds += scenario.season_of_churn[calendar] + state.memory.nudge
        if scenario.launch and self.facts.launched(month):
            new = state.plan >= FIRST_NEW_PLAN
            log_odds += scenario.launch.moved * new + scenario.launch.left_behind * (~new & (self._new_plan >= 0))
        return log_odds

    def drivers(self, state: State, month: int, bereaved: Flags) -> dict[str, Any]:
        """What drives customers into intent in a month, as `entry_log_odds` and `driver_log_odds` take it."""
        timeline = self._timeline
        return {
            "near_expiry": state.bound.near_expiry(timeline, month),
            "in_contract": state.bound.in_force(CONTRACT, timeline.first[month]),
            "bundle": state.bound.in_force(BUNDLE, timeline.first[month]),
            "complaints": state.complaints.sum(axis=0),
            "repeat": state.repeats.sum(axis=0) > 0,
            "tenure_months": month - self._joined_month,
            "price_rise": self.facts.dearer(month)[state.plan] | state.bound.discount_ended(timeline, month),
            "neighbour": bereaved,
        }

    def _intent_at_start(self, state: State) -> None:
        """Give the first customers the share of intent that months before the first one would have left."""
        settings, n = self._scenario.intent, len(self.people)
        held, begins = uniforms(self.streams, "intent at the start", None, n, width=2)
        stays = [(1 - settings.recovery) * (1 - settings.exit[age]) for age in (0, -1)]
        nobody = np.zeros(n, dtype=np.bool_)
        odds = np.exp(self.entry_log_odds(state, 0, nobody)) * stays[0] / (1 - stays[1])
        state.intent = (self.people.joined_month < 0) & (held < odds / (1 + odds))
        begun = 1 + np.floor(np.log(begins) / np.log(stays[1])).astype(np.int64)
        state.intent_months = np.where(state.intent, begun, 0)
        state.symptom = np.where(state.intent, 1 - (1 - self._scenario.symptoms.ramp) ** begun, 0.0)

    def _call(self, state: State, month: int, plan: Plan, settled: Flags) -> Effect:
        free = ~state.bound.in_force(CONTRACT, self._timeline.first[month])
        people, luck = self.people, self.luck(month)["contacts"]
        effect = campaigns.make_calls(self._scenario.contacts, plan, people.treatment, state.intent, free, settled, state.memory, luck)
        state.intent = state.intent & ~effect.saved
        state.intent_months = np.where(effect.saved, 0, state.intent_months)
        state.memory.note_refusals(effect, np.full(len(people), self._timeline.first[month]))
        return effect

    def _show(self, state: State) -> None:
        symptom = state.symptom + self._scenario.symptoms.ramp * (state.intent - state.symptom)
        state.symptom = np.where(state.second_sim, np.maximum(symptom, _SECOND_SIM_SYMPTOM), symptom)

    def _panels(self, state: State, month: int, plan: Plan, settled: Flags) -> dict[str, npt.NDArray[Any]]:
        launch, new = self._scenario.launch, state.plan >= FIRST_NEW_PLAN
        shown = state.symptom * np.where(new, launch.symptoms, 1.0) if launch else state.symptom
        return {
            "plan": state.plan.astype(np.int8),
            "beyond": np.where(new, launch.beyond if launch else 1.0, 1.0).astype(np.float32),
            "symptom": shown.astype(np.float32),
            "discounted": state.bound.in_force(DISCOUNT, self._timeline.first[month]),
            "offer": np.where(settled, plan.offer, NO_CALL).astype(np.int8),
        }

    def _leave(self, state: State, month: int, settled: Flags, panels: dict[str, npt.NDArray[Any]]) -> Flags:
        """Let customers with intent go, some die or move away, and cut off those who have not paid for three months."""
        settings = self._scenario.intent
        draw, which, day, natural = self.luck(month)["leaving"]
        goes = settled & (draw < exit_chance(settings, state.intent, state.intent_months))
        dies = settled & (natural < self._scenario.natural)
        leaves: Flags = goes | dies | self._cut_off(state, month, settled, panels)
        service = 1 + (day * self._timeline.days[month]).astype(np.int64)
        own_kind = np.select(
            [which < settings.port_share, which < settings.port_share + settings.silence_share], [PORT_OUT, SILENCE], VOLUNTARY
        )
        left_on = self._timeline.first[month] + service.astype("timedelta64[D]")
        state.left_month = np.where(leaves, month, state.left_month)
        state.left_on = np.where(leaves, left_on, state.left_on)
        state.kind = np.where(leaves, np.select([goes, dies], [own_kind, NATURAL], NON_PAYMENT), state.kind)
        return leaves

    def _cut_off(self, state: State, month: int, settled: Flags, panels: dict[str, npt.NDArray[Any]]) -> Flags:
        """Let payments be missed, and find who is cut off for it; a first bill is due in the month after joining."""
        money, (pays, cuts) = self._scenario.money, self.luck(month)["paying"]
        by_hand = np.where(self.people.channel == AUTO_DEBIT, _AUTO_DEBIT_MISSES, 1.0)
        begins = np.minimum(money.missed * by_hand * self.people.bad_payer, 0.5)
        chance = np.where(state.missed_in_a_row > 0, money.missed_again, begins)
        misses = settled & (self.people.joined_month < month - 1) & (pays < chance)
        panels["missed"] = misses
        state.missed_in_a_row = np.where(misses, state.missed_in_a_row + 1, 0)
        cut_off: Flags = (state.missed_in_a_row >= 3) & (cuts < money.cut_off)
        return cut_off

    def _complain(self, state: State, month: int, settled: Flags, panels: dict[str, npt.NDArray[Any]]) -> tuple[Raised, Raised]:
        scenario, n = self._scenario, len(self.people)
        rate = self.people.complaint_rate * (1 + scenario.symptoms.complaints * state.symptom) * settled
        network = scenario.trouble_complaints * self.facts.trouble[month, self.people.region]
        new, repeats = complaints.raise_complaints(self._timeline, month, rate, network, scenario.repeats, self.luck(month)["complaints"])
        now = repeats.opened_at.astype("datetime64[D]") < self._timeline.first[month + 1]
        again = state.due + np.bincount(repeats.customer[now], minlength=n)
        count = np.bincount(new.customer, minlength=n) + again
        state.due = np.bincount(repeats.customer[~now], minlength=n)
        state.complaints = np.concatenate([count[None], state.complaints[:-1]])
        state.repeats = np.concatenate([again[None], state.repeats[:-1]])
        panels["complaint_count"] = count.astype(np.int8)
        return new, repeats

    def _change_plans(self, state: State, month: int, stays: Flags) -> None:
        """Move some customers one plan up or down, or to a new one, from the next month on; a contract forbids the way down."""
        draw, moving = self.luck(month)["plans"]
        free, plan = ~state.bound.in_force(CONTRACT, self._timeline.first[month]), state.plan
        wish = DOWNGRADES + self._scenario.symptoms.downgrade * state.intent + _DOWNGRADES_WITH_SECOND_SIM * state.second_sim
        lowest, highest = np.isin(plan, (0, 1, FIRST_NEW_PLAN)), np.isin(plan, (0, FIRST_NEW_PLAN - 1, self.facts.fees.shape[1] - 1))
        down = stays & free & (draw < wish) & ~lowest
        up = stays & ~state.intent & (draw > 1 - _UPGRADES) & ~highest
        state.plan = plan + up - down
        if self._scenario.launch and self.facts.launched(month):
            moves = stays & (plan < FIRST_NEW_PLAN) & (self._new_plan >= 0) & (moving < self._scenario.launch.moves)
            state.plan = np.where(moves, FIRST_NEW_PLAN + self._new_plan, state.plan)
