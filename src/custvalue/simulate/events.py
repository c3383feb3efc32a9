"""Events: what a customer asks, switches or is switched, on a moment."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import names, shard_codes, times
from custvalue.simulate.catalogue import PORT_OUT, VOLUNTARY
from custvalue.simulate.draws import normals, uniforms
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.suspension import find_suspensions
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, days_after
from custvalue.simulate.world import World

EVENT_TYPES = (
    "port_query", "competitor_hotline", "call_forwarding", "bill_query", "sim_swap", "roaming",
    "port_authorised", "suspension", "plan_change",
)  # fmt: skip
PORT_QUERY, HOTLINE, FORWARDING, BILL_QUERY, SIM_SWAP, ROAMING, AUTHORISED, SUSPENSION, PLAN_CHANGE = range(9)
_HABIT = 0.8
_AUTHORISED_SHARE, _AUTHORISED_DAYS = 0.9, 7
_OPENS, _OPEN_SECONDS = 8 * 3600, 13 * 3600

Log = list[tuple[Ints, Dates, int]]


def events_table(world: World) -> pa.Table:
    """One row an event, known when its day is over."""
    log: Log = [*_in_months(world), *_before_porting(world), *_by_the_operator(world)]
    customer, at = (np.concatenate([part[column] for part in log]) for column in (0, 1))
    kind = np.repeat([part[2] for part in log], [len(part[0]) for part in log])
    order = np.lexsort((kind, customer, at))
    return pa.table(
        {
            "event_id": shard_codes("E", world.shard, np.arange(len(order))),
            "customer_id": world.customer_ids(customer[order]),
            "event_type": names(EVENT_TYPES, kind[order]),
            "occurred_at": times(at[order]),
            "available_at": times(next_midnight(at[order])),
        }
    )


def _in_months(world: World) -> Log:
    """Draw what happens to everybody, and more often to those whom the hidden intent draws away."""
    signals, n = world.scenario.records.signals, len(world.population)
    queries = np.exp(_HABIT * normals(world.streams, "habit of bill queries", None, n)[0] - _HABIT**2 / 2)
    rates = {
        PORT_QUERY: signals.port_query,
        HOTLINE: signals.competitor_hotline,
        FORWARDING: signals.call_forwarding,
        BILL_QUERY: signals.bill_query,
        SIM_SWAP: (signals.sim_swap, signals.sim_swap),
    }
    log: Log = []
    for month in range(world.timeline.months):
        luck = uniforms(world.streams, "events", month, n, 3 * (len(rates) + 1))
        drawn = _drawn_away(world, month)
        for place, (kind, (at_ease, away)) in enumerate(rates.items()):
            chance = np.where(drawn, away, at_ease) * (queries if kind == BILL_QUERY else 1.0)
            log.append(_events(world, month, luck[3 * place] < chance, luck[3 * place + 1 : 3 * place + 3], kind))
        log.append(_events(world, month, world.use.roaming_days[month] > 0, luck[-2:], ROAMING))
    return log


def _drawn_away(world: World, month: int) -> Flags:
    """Whether intent lasts to the month's end, or ends in leaving or in a late call."""
    history = world.history
    now = world.timeline.index(days_after(history.left_on, -1)) == month
    leaves = ~np.isnat(history.left_on) & now & np.isin(history.kind, (VOLUNTARY, PORT_OUT))
    away: Flags = history.drawn[month] | leaves
    return away


def _events(world: World, month: int, happens: Flags, luck: Floats, kind: int) -> tuple[Ints, Dates, int]:
    """Put events on days in service."""
    who = np.flatnonzero(happens & (world.service_days[month] > 0))
    begin = np.maximum(world.timeline.first[month], world.population.joined_on[who])
    on = days_after(begin, (luck[0, who] * world.service_days[month, who]).astype(np.int64))
    return who, _at(on, luck[1, who]), kind


def _before_porting(world: World) -> Log:
    """Who takes the number along mostly asks for it weeks before, and lets it be released days before."""
    history, n = world.history, len(world.population)
    asks, ask_day, released, release_day, second = uniforms(world.streams, "porting", None, n, 5)
    ports = ~np.isnat(history.left_on) & (history.kind == PORT_OUT)
    month_begins = days_after(history.left_on, -1).astype("datetime64[M]").astype("datetime64[D]")
    begin = np.maximum(month_begins, world.population.joined_on)
    who = np.flatnonzero(ports & (asks < world.scenario.records.signals.queried_before_leaving))
    days = (history.left_on[who] - begin[who]).astype(np.int64)
    query = days_after(begin[who], (ask_day[who] * days * 0.7).astype(np.int64))
    log: Log = [(who, _at(query, second[who]), PORT_QUERY)]
    who = np.flatnonzero(ports & (released < _AUTHORISED_SHARE))
    on = days_after(history.left_on[who], -1 - (release_day[who] * _AUTHORISED_DAYS).astype(np.int64))
    log.append((who, _at(np.maximum(on, begin[who]), second[who]), AUTHORISED))
    return log


def _by_the_operator(world: World) -> Log:
    """Suspensions, and changes of plan on the day they take effect."""
    history, timeline = world.history, world.timeline
    spells = find_suspensions(world)
    log: Log = [(spells.customer, _at(spells.since, np.zeros(len(spells.since))), SUSPENSION)]
    for month in range(1, timeline.months):
        both = (world.service_days[month] > 0) & (world.service_days[month - 1] > 0)
        who = np.flatnonzero((history.plan[month] != history.plan[month - 1]) & both)
        log.append((who, _at(np.full(len(who), timeline.first[month]), np.zeros(len(who))), PLAN_CHANGE))
    return log


def _at(days: Dates, luck: Floats) -> Dates:
    moments: Dates = days.astype("datetime64[s]") + (_OPENS + (luck * _OPEN_SECONDS).astype(np.int64)).astype("timedelta64[s]")
    return moments
