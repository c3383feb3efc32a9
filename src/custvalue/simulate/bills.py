"""What customers are charged, what they pay, and what they owe; everything in whole cents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.behaviour import History, plan_fees
from custvalue.simulate.catalogue import AUTO_DEBIT, CHANNEL_SHARES, CHANNELS
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Ints, Streams, Timeline, days_after
from custvalue.simulate.usage import UsagePanel

_PARTS = ("voice", "sms", "data", "vas")
_ROAMING_DAY = 1_500
_TAX, _DEVICE_SHARE, _DEVICE = 0.06, 0.06, 5_000
_ROUND_UP = 1_000


@dataclass(frozen=True, kw_only=True)
class BillPanel:
    """Bills in cents, shape (months, customers).

    ``revenue`` = rent + voice + sms + data + vas + roaming − discount; tax and instalments for a device come on top.
    """

    revenue: Ints
    rent: Ints
    voice: Ints
    sms: Ints
    data: Ints
    vas: Ints
    roaming: Ints
    device: Ints
    discount: Ints
    tax: Ints
    cost: Ints

    @property
    def due(self) -> Ints:
        """What the customer has to pay."""
        total: Ints = self.revenue + self.device + self.tax
        return total


@dataclass(frozen=True, kw_only=True)
class PaymentPanel:
    """At most one payment a month; shape (months, customers).

    Attributes
    ----------
    amount, balance_after, arrears : panel of int
        Cents paid (0 = none), credit left right after, and what stays unpaid at the month's end.
    paid_at : panel of datetime64[s]
        When, also where nothing was paid.
    channel : panel of int
    """

    amount: Ints
    balance_after: Ints
    arrears: Ints
    paid_at: Dates
    channel: Ints


def draw_bills(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, use: UsagePanel, service_days: Ints, streams: Streams
) -> BillPanel:
    """Charge the plan's fee and the use beyond it, for the days in service."""
    rng, n = streams("bills"), len(population)
    share = service_days / timeline.days[:, None]
    fees = np.take_along_axis(plan_fees(scenario, timeline.months), history.plan.astype(np.int64), axis=1)
    rent = np.rint(fees * share).astype(np.int64)
    beyond = np.maximum(population.bill * 100 - np.array(plan_fees(scenario, 1)[0])[population.plan], 0)
    weights = rng.dirichlet((2.0, 0.3, 3.0, 2.0), n)
    weights[:, 1] *= population.sms > 0
    weights /= weights.sum(axis=1, keepdims=True)
    extras = 1 - scenario.symptoms.extras * history.symptom * population.depth
    ratios = (use.voice_ratio, use.voice_ratio, use.data_ratio, extras)
    parts = {
        name: np.rint(beyond * weights[:, position] * ratio * share).astype(np.int64)
        for position, (name, ratio) in enumerate(zip(_PARTS, ratios, strict=True))
    }
    discount = np.where(history.discounted, np.rint(rent * scenario.money.discount), 0).astype(np.int64)
    roaming = use.roaming_days * _ROAMING_DAY
    revenue = rent + sum(parts.values()) + roaming - discount
    instalments = (rng.random(n) < _DEVICE_SHARE) * _DEVICE * (service_days > 0)
    cost = np.rint((200 + 0.25 * revenue + 0.01 * use.data_mb) * (service_days > 0)).astype(np.int64)
    return BillPanel(
        revenue=revenue,
        rent=rent,
        **parts,
        roaming=roaming,
        device=instalments,
        discount=discount,
        tax=np.rint(revenue * _TAX).astype(np.int64),
        cost=cost,
    )


def draw_payments(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, bills: BillPanel, streams: Streams
) -> PaymentPanel:
    """Pay each bill in the month after it, unless it is missed; by hand in round sums, so that credit builds up."""
    rng = streams("payments")
    shape = bills.revenue.shape
    other = rng.random(shape) < 0.1
    channel = np.where(other, rng.choice(len(CHANNELS), shape, p=CHANNEL_SHARES), population.channel)
    paid_at = _paying_times(scenario, timeline, channel, history.left_on, rng)
    left = np.isnat(history.left_on) | (paid_at.astype("datetime64[D]") < history.left_on)
    can_pay: Flags = left & ~history.missed
    due = bills.due
    amount, balance, arrears = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    owed = np.where(population.joined_month < 0, due[0], 0)
    for month in range(timeline.months):
        pays = can_pay[month] & (owed > 0)
        rounded = np.where(channel[month] == AUTO_DEBIT, owed, -(-owed // _ROUND_UP) * _ROUND_UP)
        amount[month] = np.where(pays, rounded, 0)
        owed = owed - amount[month]
        balance[month] = np.maximum(-owed, 0)
        arrears[month] = np.maximum(owed, 0)
        owed = owed + due[month]
    return PaymentPanel(amount=amount, balance_after=balance, arrears=arrears, paid_at=paid_at, channel=channel)


def _paying_times(scenario: Scenario, timeline: Timeline, channel: Ints, left_on: Dates, rng: np.random.Generator) -> Dates:
    """Auto debit runs on the 5th; others pay by the 20th, the late ones in the last days; who goes settles before the last day is over."""
    day = np.where(channel == AUTO_DEBIT, 4, rng.integers(1, 20, channel.shape))
    late = (rng.random(channel.shape) < scenario.money.late) & (channel != AUTO_DEBIT)
    last_days = timeline.days[:, None] - 1 - rng.integers(0, 4, channel.shape)
    days = days_after(timeline.first[:-1, None], np.where(late, last_days, day))
    leaving = timeline.index(days_after(left_on, -1)) == np.arange(timeline.months)[:, None]
    days = np.where(leaving, np.fmin(days, days_after(left_on, -1)), days)
    seconds = rng.integers(7 * 3600, 23 * 3600, channel.shape)
    times: Dates = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return times
