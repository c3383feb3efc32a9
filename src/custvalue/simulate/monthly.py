"""Tables with at most one row a customer and month: usage, billing, payments, and the hidden truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import codes, counts, dates, money, names, times, volume
from custvalue.simulate.catalogue import CHANNELS
from custvalue.simulate.timeline import Dates, Flags, Ints, days_after
from custvalue.simulate.world import World

_MOST_DAYS_LATE = 10
CUSTOMER_DIGITS = 8


def customer_ids(customers: Ints) -> pa.Array:
    """Identifiers of customers by position."""
    return codes("C", customers, CUSTOMER_DIGITS)


def usage_table(world: World) -> pa.Table:
    """One row a customer and month with service."""
    rows, use = np.nonzero(world.service_days), world.use
    return pa.table(
        {
            **_month_key(world, rows),
            "voice_minutes": volume(use.voice_minutes[rows]),
            "sms_count": counts(use.sms_count[rows]),
            "data_mb": volume(use.data_mb[rows]),
            "roaming_days": counts(use.roaming_days[rows]),
            "active_days": counts(use.active_days[rows]),
            "distinct_peers": counts(use.distinct_peers[rows]),
            "off_net_share": pa.array(use.off_net_share[rows].astype(np.float64)),
            "available_at": times(_feed_times(world, rows, "late usage")),
        }
    )


def billing_table(world: World) -> pa.Table:
    """One row a customer and month with service."""
    rows, bills = np.nonzero(world.service_days), world.bills
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
            "available_at": times(_feed_times(world, rows, "late billing")),
        }
    )


def payments_table(world: World) -> pa.Table:
    """One row a payment."""
    paid = world.payments
    rows = np.nonzero(paid.amount)
    paid_at = paid.paid_at[rows]
    return pa.table(
        {
            "payment_id": codes("P", np.arange(len(paid_at)), 10),
            "customer_id": customer_ids(rows[1]),
            "paid_at": times(paid_at),
            "amount": money(paid.amount[rows]),
            "channel": names(CHANNELS, paid.channel[rows]),
            "balance_after": money(paid.balance_after[rows]),
            "available_at": times(next_midnight(paid_at)),
        }
    )


def states_table(world: World) -> pa.Table:
    """The hidden state at the end of each month of those still in service then; no pipeline may read it.

    The chances of leaving with intent (not for debt) are those of the known hidden state, given that the customer is still
    there at the window's begin: ``leaving_gap1_horizon1`` is the oracle for the outcome in the month after the next.
    """
    history, timeline = world.history, world.timeline
    until = np.where(np.isnat(history.left_on), days_after(timeline.first[-1], 1), history.left_on)
    stays: Flags = (world.service_days > 0) & (until[None, :] > timeline.first[1:, None])
    rows = np.nonzero(stays)
    ahead = [history.leaving[rows[0], step, rows[1]].astype(np.float64) for step in range(3)]
    return pa.table(
        {
            **_month_key(world, rows),
            "intent": pa.array(history.intent[rows]),
            "intent_months": counts(history.intent_months[rows]),
            "symptom": pa.array(history.symptom[rows].astype(np.float64)),
            "leaving_gap0_horizon1": pa.array(ahead[0]),
            "leaving_gap1_horizon1": pa.array(ahead[1] / (1 - ahead[0])),
            "leaving_gap1_horizon2": pa.array((ahead[1] + ahead[2]) / (1 - ahead[0])),
        }
    )


def next_midnight(moments: Dates) -> Dates:
    """First midnight after each moment: what happened on a day is known when the day is over."""
    return days_after(moments, 1)


def _month_key(world: World, rows: tuple[Ints, ...]) -> dict[str, pa.Array]:
    return {"customer_id": customer_ids(rows[1]), "month": dates(world.timeline.first[rows[0]])}


def _feed_times(world: World, rows: tuple[Ints, ...], purpose: str) -> Dates:
    """The next month's first instant, some days later for a few rows."""
    rng = world.streams(purpose)
    late = rng.random(len(rows[0])) < world.scenario.late_rows
    days = np.where(late, rng.integers(1, _MOST_DAYS_LATE + 1, len(late)), 0)
    return days_after(world.timeline.first[rows[0] + 1], days)
