"""Who is cut off for some weeks because bills stay unpaid, and when a departure becomes known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import SILENCE
from custvalue.simulate.draws import uniforms
from custvalue.simulate.timeline import Dates, Ints, days_after
from custvalue.simulate.world import World

_SUSPENDED_DAY, _RESUMED_DAY = 24, 20


@dataclass(frozen=True)
class Suspensions:
    """Spells without outgoing service, one element each; ``until`` is NaT where service never came back."""

    customer: Ints
    since: Dates
    until: Dates


def find_suspensions(world: World) -> Suspensions:
    """Suspend on the 25th of the second month without payment, and resume on the 21st of the next month with one."""
    history, timeline, n = world.history, world.timeline, len(world.population)
    left_on = np.where(np.isnat(history.left_on), timeline.first[-1], history.left_on)
    since = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
    log: list[tuple[Ints, Dates, Dates]] = []
    for month in range(1, timeline.months):
        missed = history.missed[month]
        resumed = days_after(timeline.first[month], _RESUMED_DAY)
        back = np.flatnonzero(~np.isnat(since) & ~missed & (resumed < left_on))
        log.append((back, since[back], np.full(len(back), resumed)))
        since[back] = np.datetime64("NaT")
        begins = days_after(timeline.first[month], _SUSPENDED_DAY)
        starts = np.isnat(since) & missed & history.missed[month - 1] & (begins < left_on)
        since[starts] = begins
    still = np.flatnonzero(~np.isnat(since))
    log.append((still, since[still], np.full(len(still), np.datetime64("NaT"), dtype="datetime64[D]")))
    customer, began, until = (np.concatenate([spell[part] for spell in log]) for part in range(3))
    return Suspensions(customer, began, until)


def departure_known(world: World) -> Dates:
    """Day on which the warehouse knows each departure: one or two days later, for silence when its period is over; NaT without one."""
    left_on, n = world.history.left_on, len(world.population)
    delay = 1 + (uniforms(world.streams, "departure delays", None, n)[0] * 2).astype(np.int64)
    counted = days_after(left_on, world.scenario.records.days.silence_known_after)
    return days_after(np.where(world.history.kind == SILENCE, counted, left_on), delay)
