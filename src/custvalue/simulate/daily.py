"""Use, activity and balance by day, consistent with the month's totals and the payments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custvalue.simulate.activity import active_flags, day_weights, split_exactly
from custvalue.simulate.arrow import dates, money, times, volume
from custvalue.simulate.catalogue import AUTO_DEBIT
from custvalue.simulate.feeds import listed_until, next_midnight
from custvalue.simulate.recharging import recharge_month
from custvalue.simulate.timeline import Flags, Ints, days_after
from custvalue.simulate.world import World


def daily_tables(world: World) -> Iterator[pa.Table]:
    """One row a customer and day in service, or in silence not yet taken for leaving; a table a month, so that only one needs memory."""
    kept, months = world.scenario.daily_months, world.timeline.months
    for month in range(0 if kept is None else max(months - kept, 0), months):
        yield daily_table(world, month)


def daily_table(world: World, month: int) -> pa.Table:
    """Daily rows of one month; the sums of its days are the month's usage."""
    timeline, use, streams, settings = world.timeline, world.use, world.streams, world.scenario.records.days
    day = days_after(timeline.first[month], np.arange(timeline.days[month]))
    until = listed_until(world.scenario, world.history, timeline)
    listed = (day[:, None] >= world.population.joined_on) & (day[:, None] < until)
    who, which = np.nonzero(listed.T)
    active = active_flags(use.presence, use.day_chance[month], timeline, streams, month)
    voice = day_weights(settings, active, settings.weekend_voice, timeline, streams, month, "voice by day")
    data = day_weights(settings, active, settings.weekend_data, timeline, streams, month, "data by day")
    watched, balance = _balances(world, month)
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "day": dates(day[which]),
            "balance": _masked(money(balance[which, who]), ~watched[who]),
            "voice_minutes": volume(split_exactly(use.voice_minutes[month], voice)[which, who]),
            "data_mb": volume(split_exactly(use.data_mb[month], data)[which, who]),
            "active": pa.array(active[which, who]),
            "available_at": times(next_midnight(day[which])),
        }
    )


def _balances(world: World, month: int) -> tuple[Flags, Ints]:
    """Whose balance is watched, and each day's closing balance in cents, shape (days, customers).

    A prepaid balance is used up day by day. Who pays bills by hand has credit left or money owed; a bank pays the others' bills, and
    nobody watches a balance there.
    """
    people, timeline = world.population, world.timeline
    standing = world.payments.standing[month]
    if world.scenario.prepaid:
        days = recharge_month(world.scenario, people, world.history, timeline, world.bills.due[month], standing, world.streams, month)
        return np.ones(len(people), dtype=np.bool_), days.balance
    paid = world.payments.paid
    now = np.flatnonzero(paid.month == month)
    balance = np.zeros((int(timeline.days[month]), len(people)), dtype=np.int64)
    on = (paid.paid_at[now].astype("datetime64[D]") - timeline.first[month]).astype(np.int64)
    np.add.at(balance, (on, paid.customer[now]), paid.amount[now])
    return people.channel != AUTO_DEBIT, standing + np.cumsum(balance, axis=0)


def _masked(values: pa.Array, missing: Flags) -> pa.Array:
    return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)
