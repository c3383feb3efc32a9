"""Versions of the register: what changed about a customer, and from when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.catalogue import REGION_SHARES, REGIONS, SILENCE
from custvalue.simulate.draws import among, uniforms
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.suspension import departure_known, find_suspensions
from custvalue.simulate.timeline import Dates, Flags, Ints, Streams, days_after
from custvalue.simulate.world import World

STATUSES = ("active", "silent", "suspended", "closed")
ACTIVE, SILENT, SUSPENDED, CLOSED = 0, 1, 2, 3
FIELDS = ("plan", "region", "manager", "consent", "status")
_PARTLY_SILENT_DAYS = 40
_SAME = -1


@dataclass(frozen=True)
class Versions:
    """Versions in order of customer and day; every field holds its value from ``valid_from`` on."""

    customer: Ints
    valid_from: Dates
    known: Dates
    fields: dict[str, Ints]


class _Changes:
    """Changes one after the other, before they are sorted into versions."""

    def __init__(self) -> None:
        self._customer: list[Ints] = []
        self._day: list[Dates] = []
        self._known: list[Dates] = []
        self._fields: dict[str, list[Ints]] = {name: [] for name in FIELDS}

    def add(self, customer: Ints, day: Dates, known: Dates | None = None, **changed: Ints | int) -> None:
        """Note a change; what is not named stays as it was."""
        self._customer.append(customer)
        self._day.append(np.broadcast_to(day, customer.shape).astype("datetime64[D]"))
        self._known.append(next_midnight(self._day[-1]) if known is None else np.broadcast_to(known, customer.shape))
        for name, log in self._fields.items():
            log.append(np.broadcast_to(np.asarray(changed.get(name, _SAME), dtype=np.int64), customer.shape))

    def versions(self) -> Versions:
        """Carry every field forward, and keep the last state of each day."""
        customer, day, known = np.concatenate(self._customer), np.concatenate(self._day), np.concatenate(self._known)
        # A stable sort keeps the order of the calls within a day, so that a closing, added last, has the last word.
        order = np.lexsort((day, customer))
        customer, day, known = customer[order], day[order], known[order].astype("datetime64[D]")
        carried = {}
        for name, log in self._fields.items():
            values = np.concatenate(log)[order]
            last_set = np.maximum.accumulate(np.where(values == _SAME, 0, np.arange(len(values))))
            carried[name] = values[last_set]
        keep = np.ones(len(customer), dtype=np.bool_)
        keep[:-1] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
        return Versions(customer[keep], day[keep], _latest_so_far(customer, known)[keep], {k: v[keep] for k, v in carried.items()})


def draw_versions(world: World) -> Versions:
    """Follow plans, moves, managers, consent and status from joining to closing."""
    people, timeline, history = world.population, world.timeline, world.history
    changes, everyone = _Changes(), np.arange(len(people))
    changes.add(
        everyone,
        people.joined_on,
        np.maximum(next_midnight(people.joined_on), timeline.first[0]),
        plan=people.plan,
        region=people.region,
        manager=people.manager,
        consent=people.marketing_consent.astype(np.int64),
        status=ACTIVE,
    )
    there = world.service_days > 0
    for month in range(1, timeline.months):
        changer = np.flatnonzero((history.plan[month] != history.plan[month - 1]) & there[month] & there[month - 1])
        changes.add(changer, timeline.first[month], timeline.first[month], plan=history.plan[month, changer])
    _move_and_reassign(world, changes, there)
    opted_out = np.flatnonzero(~np.isnat(history.opted_out_on) & people.marketing_consent)
    changes.add(opted_out, history.opted_out_on[opted_out], consent=0)
    spells = find_suspensions(world)
    changes.add(spells.customer, spells.since, status=SUSPENDED)
    back = np.flatnonzero(~np.isnat(spells.until))
    changes.add(spells.customer[back], spells.until[back], status=ACTIVE)
    _close(world, changes)
    return changes.versions()


def _move_and_reassign(world: World, changes: _Changes, there: Flags) -> None:
    """Let customers move between regions, and pass from manager to manager within one."""
    registry, timeline, facts = world.scenario.records.registry, world.timeline, world.operator
    n = len(world.population)
    region, manager = world.population.region.copy(), world.population.manager.copy()
    offsets = np.cumsum(facts.managers) - facts.managers
    shared = Streams(world.streams.seed)
    for month in range(1, timeline.months):
        luck, moves, where, day = uniforms(world.streams, "moves and managers", month, n, 4)
        settled = there[month] & there[month - 1]
        replaced = shared("managers replaced", month).random(int(facts.managers.sum())) < registry.managers_replaced
        passes = np.flatnonzero(settled & ((luck < registry.reassigned) | replaced[manager]))
        step = (manager[passes] - offsets[region[passes]] + 1) % facts.managers[region[passes]]
        passed = offsets[region[passes]] + step
        passes, passed = passes[passed != manager[passes]], passed[passed != manager[passes]]
        manager[passes] = passed
        changes.add(passes, timeline.first[month], timeline.first[month], manager=passed)
        goes = np.flatnonzero(settled & (moves < registry.moves))
        target = among(where[goes], REGION_SHARES)
        target = np.where(target == region[goes], (target + 1) % len(REGIONS), target)
        region[goes] = target
        manager[goes] = offsets[target] + goes % facts.managers[target]
        on = days_after(timeline.first[month], 1 + (day[goes] * (world.service_days[month, goes] - 1)).astype(np.int64))
        moved = on < np.where(np.isnat(world.history.left_on[goes]), timeline.first[-1], world.history.left_on[goes])
        changes.add(goes[moved], on[moved], region=target[moved], manager=manager[goes[moved]])


def _close(world: World, changes: _Changes) -> None:
    """Mark silence after 40 days, and close the account of those who left; both are known only afterwards."""
    left_on, kind, end = world.history.left_on, world.history.kind, world.timeline.first[-1]
    silent = np.flatnonzero(~np.isnat(left_on) & (kind == SILENCE))
    partly = days_after(left_on[silent], _PARTLY_SILENT_DAYS)
    changes.add(silent[partly < end], partly[partly < end], status=SILENT)
    known = departure_known(world)
    gone = np.flatnonzero(~np.isnat(left_on))
    counted = days_after(left_on[gone], np.where(kind[gone] == SILENCE, world.scenario.records.days.silence_known_after, 0))
    changes.add(gone, counted, known[gone], status=CLOSED)


def _latest_so_far(customer: Ints, known: Dates) -> Dates:
    """Latest moment up to each row within a customer: a version tells all that changed before it, so it cannot be known earlier."""
    days = known.astype(np.int64)
    span = int(days.max() - days.min()) + 1 if len(days) else 1
    latest = np.maximum.accumulate((days - days.min() if len(days) else days) + customer * span) - customer * span
    so_far: Dates = (latest + (days.min() if len(days) else 0)).astype("datetime64[D]")
    return so_far
