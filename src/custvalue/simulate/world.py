"""Everything that one shard's simulation has drawn, before it is laid out as tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import codes
from custvalue.simulate.behaviour import History
from custvalue.simulate.bills import BillPanel, draw_bills
from custvalue.simulate.facts import PEOPLE, OperatorFacts
from custvalue.simulate.ledger import Ledger, draw_payments
from custvalue.simulate.numbers import Numbers, draw_numbers
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.shards import Shard
from custvalue.simulate.timeline import Ints, Streams, Timeline
from custvalue.simulate.usage import UsagePanel

_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class World:
    """One shard's customers and what happened to them; panels have shape (months, customers).

    Attributes
    ----------
    operator : OperatorFacts
        What all shards share.
    shard : int
        Which shard this is.
    timeline : Timeline
        The months lived so far.
    numbers : Numbers
        Whose telephone number and whose id each customer carries.
    service_days : panel of int
        Days in service.
    """

    operator: OperatorFacts
    shard: int
    scenario: Scenario
    timeline: Timeline
    streams: Streams
    population: Population
    history: History
    numbers: Numbers
    service_days: Ints
    use: UsagePanel
    bills: BillPanel

    @cached_property
    def payments(self) -> Ledger:
        """What was paid when: drawn when it is first asked for, since effects of calls need none of it and vouchers take time."""
        return draw_payments(self.scenario, self.population, self.history, self.timeline, self.bills, self.streams)

    def customer_ids(self, who: Ints) -> pa.Array:
        """Identifiers of customers by position."""
        return group_ids("C", self.shard, self.numbers.customer[who])

    def group_ids(self, prefix: str, members: Ints) -> pa.Array:
        """Identifiers by the position of a group's first member; −1 becomes null."""
        return group_ids(prefix, self.shard, members)


def group_ids(prefix: str, shard: int, positions: Ints) -> pa.Array:
    """Identifiers that no other shard has, by position; −1 becomes null."""
    return codes(prefix, np.where(positions < 0, -1, shard * PEOPLE + positions), _DIGITS)


def draw_world(shard: Shard) -> World:
    """Draw what the operator's systems record of the months lived so far; the same months give the same world."""
    facts, streams, history = shard.facts, shard.streams, shard.history()
    scenario, timeline = facts.scenario, Timeline(facts.timeline.first[: shard.months + 1])
    people = shard.people.first(len(history.left_on))
    service_days = timeline.service_days(people.joined_on, history.left_on)
    use = shard.use()
    bills = draw_bills(scenario, people, history, timeline, use, service_days, streams)
    return World(
        operator=facts,
        shard=shard.number,
        scenario=scenario,
        timeline=timeline,
        streams=streams,
        population=people,
        history=history,
        numbers=draw_numbers(scenario, people.joined_on, people.joined_month >= 0, history.left_on, history.kind, streams),
        service_days=service_days,
        use=use,
        bills=bills,
    )
