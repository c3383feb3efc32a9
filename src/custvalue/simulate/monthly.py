"""Tables with at most a few rows a customer and month: usage, billing, payments."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import counts, dates, money, names, shard_codes, times, volume
from custvalue.simulate.bills import months_after_leaving
from custvalue.simulate.catalogue import CHANNELS
from custvalue.simulate.feeds import draw_outages, listed_until, month_known, next_midnight
from custvalue.simulate.timeline import Dates, Flags, Ints, Streams, days_after
from custvalue.simulate.world import World


def usage_table(world: World) -> pa.Table:
    """One row a customer and month with service, or in silence not yet taken for leaving; without what outages have lost."""
    use, region = world.use, world.population.region
    outages = draw_outages(world.scenario, world.timeline, Streams(world.streams.seed))
    rows = np.nonzero(_listed(world) & ~outages.lost[:, region])
    known = _known(world, rows, "late usage")
    failed = days_after(world.timeline.first[rows[0] + 1], outages.days_late[rows[0], region[rows[1]]])
    return pa.table(
        {
            **_month_key(world, rows),
            "voice_minutes": volume(use.voice_minutes[rows]),
            "sms_count": counts(use.sms_count[rows]),
            "data_mb": volume(use.data_mb[rows]),
            "roaming_days": counts(use.roaming_days[rows]),
            "active_days": counts(use.active_days[rows]),
            "distinct_peers": counts(use.distinct_peers[rows]),
            "off_net_share": pa.array(use.off_net_share[rows].astype(np.float64), mask=use.distinct_peers[rows] == 0),
            "available_at": times(np.maximum(known, failed)),
        }
    )


def billing_table(world: World) -> pa.Table:
    """One row a customer and month with service, and afterwards as long as something is charged or owed."""
    rows, bills = np.nonzero(_listed(world) | _accounts_left_open(world)), world.bills
    return pa.table(
        {
            **_month_key(world, rows),
            "revenue": money(bills.revenue[rows]),
            "rent": money(bills.rent[rows]),
            "voice": money(bills.voice[rows]),
            "sms": money(bills.sms[rows]),
            "data": money(bills.data[rows]),
            "vas": money(bills.vas[rows]),
            "roaming": money(bills.roaming[rows]),
            "device": money(bills.device[rows]),
            "discount": money(bills.discount[rows]),
            "tax": money(bills.tax[rows]),
            "cost": money(bills.cost[rows]),
            "arrears": money(world.payments.arrears[rows]),
            "available_at": times(_known(world, rows, "late billing")),
        }
    )


def payments_table(world: World) -> pa.Table:
    """One row a payment."""
    paid = world.payments.paid
    return pa.table(
        {
            "payment_id": shard_codes("P", world.shard, np.arange(len(paid.customer))),
            "customer_id": world.customer_ids(paid.customer),
            "paid_at": times(paid.paid_at),
            "amount": money(paid.amount),
            "channel": names(CHANNELS, paid.channel),
            "balance_after": money(paid.balance_after),
            "available_at": times(next_midnight(paid.paid_at)),
        }
    )


def _listed(world: World) -> Flags:
    """Months in which the feeds know the customer, shape (months, customers)."""
    timeline = world.timeline
    until = listed_until(world.scenario, world.history, timeline)
    listed: Flags = (world.population.joined_on < timeline.first[1:, None]) & (until > timeline.first[:-1, None])
    return listed


def _accounts_left_open(world: World) -> Flags:
    ago = months_after_leaving(world.history.left_on, world.timeline)
    after = (ago >= 1) & (ago <= world.scenario.records.final_bills.months)
    open_: Flags = after & ((world.bills.due > 0) | (world.payments.arrears > 0))
    return open_


def _known(world: World, rows: tuple[Ints, ...], purpose: str) -> Dates:
    return month_known(world.timeline, world.streams, purpose, world.scenario.late_rows, rows, len(world.population))


def _month_key(world: World, rows: tuple[Ints, ...]) -> dict[str, pa.Array]:
    return {"customer_id": world.customer_ids(rows[1]), "month": dates(world.timeline.first[rows[0]])}
