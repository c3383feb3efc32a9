"""Tables of who is who: customers, those who left, managers, and the restricted directory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import codes, counts, dates, names, times
from custvalue.simulate.catalogue import DEPARTURES, PLANS, REGIONS, SEGMENTS
from custvalue.simulate.draws import uniforms
from custvalue.simulate.suspension import departure_known
from custvalue.simulate.timeline import Dates, Ints, Streams, days_after
from custvalue.simulate.versions import STATUSES, draw_versions
from custvalue.simulate.world import World

_MANAGER_DIGITS = 3
_ENGLISH_EVERY = 5
_LEAST_DAYS_AWAY, _MORE_DAYS_AWAY = 5, 16


def customers_table(world: World) -> pa.Table:
    """One row a customer and version: the first from joining on, others with a new plan, region, manager, consent or status."""
    people, versions = world.population, draw_versions(world)
    who, now = versions.customer, versions.fields
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "valid_from": dates(versions.valid_from),
            "account_id": world.group_ids("A", people.account[who]),
            "household_id": world.group_ids("H", people.household[who]),
            "segment": names(SEGMENTS, people.segment[who]),
            "joined_on": dates(people.joined_on[who]),
            "region": names(REGIONS, now["region"]),
            "birth_year": counts(people.birth_year[who], missing=people.birth_year[who] == 0),
            "plan": names(PLANS, now["plan"]),
            "manager_id": _manager_ids(now["manager"]),
            "marketing_consent": pa.array(now["consent"] == 1),
            "traffic_data_consent": pa.array(people.traffic_data_consent[who]),
            "status": names(STATUSES, now["status"]),
            "available_at": times(versions.known),
        }
    )


def departures_table(world: World) -> pa.Table:
    """One row a customer who left; the warehouse knows it one or two days later, silence when its period is over."""
    left_on = world.history.left_on
    who = np.flatnonzero(~np.isnat(left_on))
    who = who[np.argsort(left_on[who], kind="stable")]
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "left_on": dates(left_on[who]),
            "kind": names(DEPARTURES, world.history.kind[who]),
            "available_at": times(departure_known(world)[who]),
        }
    )


def managers_table(world: World) -> pa.Table:
    """One row a manager, and another for each month in which one is away; a region's managers are one team, led by the first of them.

    The same for every shard.
    """
    region = world.operator.manager_region
    manager, month, since, until = _absences(world, len(region))
    first = np.arange(len(region))
    who = np.concatenate([first, manager])
    never = np.full(len(first), np.datetime64("NaT"), dtype="datetime64[D]")
    order = np.lexsort((np.concatenate([np.zeros(len(first), dtype=np.int64), month]), who))
    who = who[order]
    return pa.table(
        {
            "manager_id": _manager_ids(who),
            "valid_from": dates(world.timeline.first[np.concatenate([np.zeros(len(first), dtype=np.int64), month])[order]]),
            "name": codes("Manager ", who, _MANAGER_DIGITS),
            "team": names(tuple(f"Team {name}" for name in REGIONS), region[who]),
            "lead_id": _manager_ids(np.searchsorted(region, region)[who]),
            "region": names(REGIONS, region[who]),
            "language": names(("zh", "en"), who % _ENGLISH_EVERY == _ENGLISH_EVERY - 1),
            "daily_capacity": counts(np.full(len(who), world.scenario.daily_capacity)),
            "tiers": pa.nulls(len(who), pa.string()),
            "absent_from": dates(np.concatenate([never, since])[order]),
            "absent_to": dates(np.concatenate([never, until])[order]),
        }
    )


def directory_table(world: World) -> pa.Table:
    """Invented names and numbers, one row a customer id: restricted. Who has a former customer's id stands in its place."""
    numbers, n = world.numbers, len(world.population)
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, numbers.customer, np.arange(n))
    who = np.sort(last[np.unique(numbers.customer)])
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "crm_id": world.group_ids("CRM-", who),
            "name": world.group_ids("Customer 客户 ", who),
            "msisdn": world.group_ids("199", numbers.telephone[who]),
        }
    )


def _absences(world: World, managers: int) -> tuple[Ints, Ints, Dates, Dates]:
    """Who is away in which months, from and to which day (both included)."""
    shared, chance, timeline = Streams(world.streams.seed), world.scenario.records.registry.absences, world.timeline
    log = []
    for month in range(1, timeline.months):
        luck, day, length = uniforms(shared, "absences", month, managers, 3)
        who = np.flatnonzero(luck < chance)
        since = days_after(timeline.first[month], (day[who] * timeline.days[month]).astype(np.int64))
        until = days_after(since, _LEAST_DAYS_AWAY + (length[who] * _MORE_DAYS_AWAY).astype(np.int64))
        log.append((who, np.full(len(who), month), since, until))
    if not log:
        nothing, never = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        return nothing, nothing, never, never
    who, months, since, until = (np.concatenate(part) for part in zip(*log, strict=True))
    return who, months, since, until


def _manager_ids(managers: Ints) -> pa.Array:
    return codes("M-", managers, _MANAGER_DIGITS)
