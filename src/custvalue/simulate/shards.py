"""A shard of customers, lived through month by month; each month is also lived as it would have been with the calls turned round."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.simulate.agreements import SignedAgreements
from custvalue.simulate.behaviour import History, MonthLog, State
from custvalue.simulate.campaigns import NO_CALL, Contacts, Plan, plan_campaign, reach_chance
from custvalue.simulate.catalogue import CONTRACT, OWN_WILL
from custvalue.simulate.complaints import Raised, in_order
from custvalue.simulate.facts import OperatorFacts
from custvalue.simulate.living import Life
from custvalue.simulate.population import draw_population
from custvalue.simulate.timeline import Flags, Floats, Timeline
from custvalue.simulate.usage import Network, UsagePanel

HORIZON = 3
"""Months in which the effect of a call is looked for."""
_DRIVER = "driver "
_DEFAULT_OFFER = 0
_SPEND_SEEN = 2.5


class Shard:
    """The customers of one shard, and all that has happened to them so far.

    Attributes
    ----------
    number : int
        Which shard.
    people : Population
        Everybody, those included who join in months to come.
    state : State
        How they stand now.
    months : int
        Months lived so far.
    """

    def __init__(self, facts: OperatorFacts, number: int, customers: int) -> None:
        self.facts, self.number = facts, number
        self.streams = facts.streams.of_shard(number)
        self.people = draw_population(facts, customers, self.streams)
        self._life = Life(facts, self.people, self.streams)
        self.state, signed = self._life.begin()
        self.months = 0
        self._signed: list[SignedAgreements] = [signed]
        self._raised: list[Raised] = [Raised.none()]
        self._contacts: list[Contacts] = []
        self._panels: dict[str, list[npt.NDArray[Any]]] = {}
        self._before: list[State] = []
        self._lived: list[tuple[Plan, Flags]] = []
        self._network = Network(facts.scenario, self.people, self.streams)

    def in_service(self) -> Flags:
        """Who is in service on the coming month's first day."""
        return self._life.settled(self.state, self.months)

    def may_be_called(self) -> Flags:
        """Who of these allows marketing."""
        allowed: Flags = self.people.marketing_consent & np.isnat(self.state.memory.opted_out_on)
        return self.in_service() & allowed

    def own_plan(self) -> Plan:
        """Build the plan of the operator's own campaign for the coming month."""
        settings = self.facts.scenario.contacts
        if self.months < settings.begins:
            return Plan.nobody(len(self.people))
        luck = self._life.luck(self.months)["contacts"]
        return plan_campaign(settings, self.may_be_called(), self._apparent_risk(), self.state.memory, luck)

    def copy(self) -> Shard:
        """Copy it, so that two courses of events can go on from it; what has been is shared, since it does not change."""
        other = copy.copy(self)
        other.state, other._network = self.state.copy(), self._network.copy()
        other._panels = {name: list(months) for name, months in self._panels.items()}
        for name in ("_signed", "_raised", "_contacts", "_before", "_lived"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def pass_month(self, plan: Plan) -> MonthLog:
        """Live the coming month with these calls."""
        month = self.months
        bereaved = self._life.lost_a_neighbour(self.state, month)
        self._before = [*self._before[1 - HORIZON :], self.state.copy()]
        self._lived = [*self._lived[1 - HORIZON :], (plan, bereaved)]
        log = self._life.pass_month(self.state, month, plan, bereaved)
        self.months += 1
        self._raised.extend(log.raised)
        self._signed.extend(log.signed)
        self._contacts.append(log.contacts)
        for name, panel in {**log.panels, **self._outlook()}.items():
            self._panels.setdefault(name, []).append(panel)
        self._live_otherwise()
        return log

    def history(self) -> History:
        """Stack the months lived so far."""
        end = self.facts.timeline.first[self.months]
        raised = Raised.join(self._raised)
        raised = raised.take(raised.opened_at.astype("datetime64[D]") < end)
        people = self._there()
        panels = {name: np.stack(months)[:, :people] for name, months in self._panels.items()}
        return History(
            left_on=self.state.left_on[:people],
            kind=self.state.kind[:people],
            opted_out_on=self.state.memory.opted_out_on[:people],
            complaints=in_order(raised.take(raised.customer < people), self.state.left_on),
            agreements=self._signed_so_far(people),
            contacts=Contacts.join(self._contacts),
            drivers={name.removeprefix(_DRIVER): panel for name, panel in panels.items() if name.startswith(_DRIVER)},
            **{name: panel for name, panel in panels.items() if not name.startswith(_DRIVER)},
        )

    def use(self) -> UsagePanel:
        """What the network has counted in the months lived so far."""
        timeline = Timeline(self.facts.timeline.first[: self.months + 1])
        return self._network.count(self._panels["symptom"], self.state.left_on, self.state.kind, timeline, self._there())

    def _there(self) -> int:
        """Count who has joined so far; they stand in order of joining."""
        return int(np.searchsorted(self.people.joined_month, self.months))

    def _signed_so_far(self, people: int) -> SignedAgreements:
        signed = SignedAgreements.join(self._signed)
        return signed.take(signed.customer < people)

    def _apparent_risk(self) -> Floats:
        """What managers see: a bill that falls, a contract that ends, complaints, a customer who is worth much."""
        state, people, month = self.state, self.people, self.months
        near = state.bound.near_expiry(self.facts.timeline, month)
        complaints = np.minimum(state.complaints.sum(axis=0), 3)
        worth = np.log(people.bill / self.facts.scenario.money.median)
        risk: Floats = _SPEND_SEEN * state.symptom * people.depth + 0.7 * near + 0.6 * complaints + 0.3 * worth
        return risk

    def _outlook(self) -> dict[str, npt.NDArray[Any]]:
        """How the coming month looks, for one who knows the hidden state."""
        state, month = self.state, self.months
        bereaved = self._life.lost_a_neighbour(state, month)
        entry = self._life.entry_log_odds(state, month, bereaved)
        drivers = self._life.drivers(state, month, bereaved)
        unknown = np.full(len(self.people), -1, dtype=np.int8)
        return {f"{_DRIVER}{name}": values.astype(np.int16) for name, values in drivers.items()} | {
            "entry": entry.astype(np.float32),
            "nudge": state.memory.nudge.astype(np.float32),
            "nudged_for": state.memory.nudged_for.astype(np.int8),
            "reach": reach_chance(self.facts.scenario.contacts, state.memory).astype(np.float32),
            "free": ~state.bound.in_force(CONTRACT, self.facts.timeline.first[month]),
            "otherwise": unknown,
        }

    def _live_otherwise(self) -> None:
        """Live the last three months again with the first one's calls turned round, each customer alone: neighbours leave as they did."""
        began = self.months - HORIZON
        if began < 1:
            return
        state = self._before[0].copy()
        settled = self._life.settled(state, began)
        for month, (plan, bereaved) in enumerate(self._lived, start=began):
            turned = _turned(plan) if month == began else plan
            self._life.pass_month(state, month, turned, bereaved)
        left = (state.left_month < self.months) & np.isin(state.kind, OWN_WILL)
        self._panels["otherwise"][began - 1] = np.where(settled, left, -1).astype(np.int8)


def _turned(plan: Plan) -> Plan:
    """Call everybody whom the plan does not call, and nobody else."""
    offer = np.where(plan.offer == NO_CALL, _DEFAULT_OFFER, NO_CALL).astype(np.int8)
    return Plan(offer, plan.randomised, plan.held_out, np.zeros_like(plan.day))
