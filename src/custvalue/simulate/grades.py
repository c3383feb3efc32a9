"""Service grades by a year's revenue, rated every half year under the policy then in force."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import dates, names, times
from custvalue.simulate.draws import normals
from custvalue.simulate.feeds import next_midnight
from custvalue.simulate.timeline import Dates, Floats, Ints
from custvalue.simulate.world import World

GRADES = ("basic", "silver", "gold", "diamond")
POLICIES = ("grades-1", "grades-2")
_RATED_IN = (0, 6)
_LEAST_DAYS, _YEAR = 182, 12
_DEARER = 1.1
_NOISE = 0.15


def tier_history_table(world: World) -> pa.Table:
    """One row a customer and change of grade or policy; nobody is rated in the first half year on the network."""
    timeline, n = world.timeline, len(world.population)
    cuts = _cuts(world)
    changes_at = round(world.scenario.records.dealings.regraded_at * timeline.months)
    grade, policy = np.full(n, -1), np.full(n, -1)
    log: list[tuple[Ints, Dates, Ints, Ints]] = []
    for month in range(timeline.months):
        if month > 0 and timeline.calendar_month[month] not in _RATED_IN:
            continue
        now = int(month >= max(changes_at, 1))
        day = timeline.first[month]
        tenure = (day - world.population.joined_on).astype(np.int64)
        rated = np.searchsorted(cuts * _DEARER**now, _year_mean(world, month), side="right")
        changed = (rated != grade) | (policy != now)
        who = np.flatnonzero(changed & (world.service_days[month] > 0) & (tenure >= _LEAST_DAYS))
        grade[who], policy[who] = rated[who], now
        log.append((who, np.full(len(who), day), rated[who], np.full(len(who), now)))
    who, valid_from, rated, under = (np.concatenate([part[column] for part in log]) for column in range(4))
    order = np.lexsort((valid_from, who))
    return pa.table(
        {
            "customer_id": world.customer_ids(who[order]),
            "valid_from": dates(valid_from[order]),
            "tier": names(GRADES, rated[order]),
            "policy_version": names(POLICIES, under[order]),
            "available_at": times(next_midnight(valid_from[order])),
        }
    )


def _cuts(world: World) -> Floats:
    """Least mean revenue a month of each grade above the lowest, in cents, from the shares wanted among the first customers."""
    shares = np.cumsum(world.scenario.records.dealings.grade_shares)[:-1]
    first = world.population.joined_month < 0
    cuts: Floats = np.quantile(world.population.bill[first] * 100, shares)
    return cuts


def _year_mean(world: World, month: int) -> Floats:
    """Mean revenue of the twelve months before, in cents; what lies before the simulation is a customer's own level."""
    begin = max(month - _YEAR, 0)
    served = world.service_days[begin:month] > 0
    noise = np.exp(_NOISE * normals(world.streams, "revenue of earlier years", None, len(world.population))[0])
    earlier = np.where(world.population.joined_month < 0, _YEAR - (month - begin), 0)
    months = served.sum(axis=0) + earlier
    total = (world.bills.revenue[begin:month] * served).sum(axis=0) + earlier * world.population.bill * 100 * noise
    mean: Floats = total / np.maximum(months, 1)
    return mean
