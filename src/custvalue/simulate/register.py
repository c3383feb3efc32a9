"""Tables of who is who: customers, those who left, managers, and the restricted directory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import codes, counts, dates, names, times
from custvalue.simulate.catalogue import DEPARTURES, PLANS, REGIONS, SEGMENTS
from custvalue.simulate.monthly import customer_ids, next_midnight
from custvalue.simulate.timeline import Ints, days_after
from custvalue.simulate.world import World

_MANAGER_DIGITS = 3
_ENGLISH_EVERY = 5


def customers_table(world: World) -> pa.Table:
    """One row a customer and version: the first one from joining on, another with each change of plan."""
    people, timeline, plan = world.population, world.timeline, world.history.plan
    there = world.service_days > 0
    changed = np.zeros_like(there)
    changed[1:] = (plan[1:] != plan[:-1]) & there[1:] & there[:-1]
    month, changer = np.nonzero(changed)
    everyone = np.arange(len(people))
    who = np.concatenate([everyone, changer])
    valid_from = np.concatenate([people.joined_on, timeline.first[month]])
    known = np.concatenate([np.maximum(next_midnight(people.joined_on), timeline.first[0]), timeline.first[month]])
    version_plan = np.concatenate([people.plan, plan[month, changer]])
    order = np.lexsort((valid_from, who))
    who = who[order]
    return pa.table(
        {
            "customer_id": customer_ids(who),
            "valid_from": dates(valid_from[order]),
            "account_id": codes("A", people.account[who], 8),
            "household_id": codes("H", people.household[who], 8),
            "segment": names(SEGMENTS, people.segment[who]),
            "joined_on": dates(people.joined_on[who]),
            "region": names(REGIONS, people.region[who]),
            "birth_year": counts(people.birth_year[who], missing=people.birth_year[who] == 0),
            "plan": names(PLANS, version_plan[order]),
            "manager_id": _manager_ids(people.manager[who]),
            "marketing_consent": pa.array(people.marketing_consent[who]),
            "traffic_data_consent": pa.array(people.traffic_data_consent[who]),
            "status": names(("active",), np.zeros(len(who), dtype=np.int64)),
            "available_at": times(known[order]),
        }
    )


def departures_table(world: World) -> pa.Table:
    """One row a customer who left; the warehouse knows it one or two days later."""
    history = world.history
    who = np.flatnonzero(~np.isnat(history.left_on))
    who = who[np.argsort(history.left_on[who], kind="stable")]
    left_on = history.left_on[who]
    delay = world.streams("departure delays").integers(1, 3, len(who))
    return pa.table(
        {
            "customer_id": customer_ids(who),
            "left_on": dates(left_on),
            "kind": names(DEPARTURES, history.kind[who]),
            "available_at": times(days_after(left_on, delay)),
        }
    )


def managers_table(world: World) -> pa.Table:
    """One row a manager; a region's managers are one team, led by the first of them."""
    region = world.population.manager_region
    managers = np.arange(len(region))
    lead = np.searchsorted(region, region)
    absent = pa.nulls(len(region), pa.date32())
    return pa.table(
        {
            "manager_id": _manager_ids(managers),
            "valid_from": dates(np.repeat(world.timeline.first[:1], len(region))),
            "name": codes("Manager ", managers, _MANAGER_DIGITS),
            "team": names(tuple(f"Team {name}" for name in REGIONS), region),
            "lead_id": _manager_ids(lead),
            "region": names(REGIONS, region),
            "language": names(("zh", "en"), managers % _ENGLISH_EVERY == _ENGLISH_EVERY - 1),
            "daily_capacity": counts(np.full(len(region), world.scenario.daily_capacity)),
            "tiers": pa.nulls(len(region), pa.string()),
            "absent_from": absent,
            "absent_to": absent,
        }
    )


def directory_table(world: World) -> pa.Table:
    """Invented names and numbers, one row a customer: restricted."""
    who = np.arange(len(world.population))
    return pa.table(
        {
            "customer_id": customer_ids(who),
            "crm_id": codes("CRM-", who, 8),
            "name": codes("Customer 客户 ", who, 7),
            "msisdn": codes("199", who, 8),
        }
    )


def _manager_ids(managers: Ints) -> pa.Array:
    return codes("M-", managers, _MANAGER_DIGITS)
