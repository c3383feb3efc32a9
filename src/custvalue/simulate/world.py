"""Everything one simulation has drawn, before it is laid out as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from custvalue.simulate.behaviour import History, live
from custvalue.simulate.bills import BillPanel, PaymentPanel, draw_bills, draw_payments
from custvalue.simulate.population import Population, draw_population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Ints, Streams, Timeline
from custvalue.simulate.usage import UsagePanel, draw_usage


@dataclass(frozen=True, kw_only=True)
class World:
    """One operator's customers and what happened to them; panels have shape (months, customers)."""

    scenario: Scenario
    timeline: Timeline
    streams: Streams
    population: Population
    history: History
    service_days: Ints
    use: UsagePanel
    bills: BillPanel
    payments: PaymentPanel


def draw_world(scenario: Scenario, timeline: Timeline, *, customers: int, seed: int, progress: Callable[[str], None]) -> World:
    """Draw everything; the same arguments give the same world."""
    streams = Streams(seed)
    population = draw_population(scenario, timeline, customers, streams)
    progress(f"{len(population):,} customers")
    history = live(scenario, population, timeline, streams)
    progress(f"{timeline.months} months lived")
    service_days = timeline.service_days(population.joined_on, history.left_on)
    use = draw_usage(scenario, population, history, timeline, service_days, streams)
    bills = draw_bills(scenario, population, history, timeline, use, service_days, streams)
    return World(
        scenario=scenario,
        timeline=timeline,
        streams=streams,
        population=population,
        history=history,
        service_days=service_days,
        use=use,
        bills=bills,
        payments=draw_payments(scenario, population, history, timeline, bills, streams),
    )
