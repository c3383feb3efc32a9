"""A prepaid month, day by day: the balance is used up and recharged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custvalue.simulate.behaviour import History
from custvalue.simulate.draws import normals
from custvalue.simulate.population import Population
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Flags, Floats, Ints, Streams, Timeline, days_after

_SHARE_OF_SPEND = 0.5


@dataclass(frozen=True)
class RechargedDays:
    """One month of balances in cents, shape (days, customers).

    Attributes
    ----------
    amount : array of int
        Recharged on the day.
    after_recharge, balance : array of int
        Balance right after recharging, and at the day's end.
    """

    amount: Ints
    after_recharge: Ints
    balance: Ints


def recharge_month(
    scenario: Scenario,
    population: Population,
    history: History,
    timeline: Timeline,
    due: Ints,
    balance: Ints,
    streams: Streams,
    month: int,
) -> RechargedDays:
    """Spread the month's charges over the days in service, and recharge when the balance runs short; the same whenever it is asked.

    Who is drawn away recharges less at a time. Nobody's balance falls below zero: without money there is no service.
    """
    settings = scenario.records.recharges
    charges = charges_by_day(population.joined_on, history.left_on, timeline, due, month)
    n, days = len(population), len(charges)
    luck = streams("recharging days", month).random((n, 31), dtype=np.float32).T
    mood = np.exp(settings.spread * normals(streams, "recharged sums", month, n)[0])
    in_mind = population.bill * _SHARE_OF_SPEND * mood * (1 - history.symptom[month] * population.depth)
    voucher = _nearest(np.array(settings.amounts), in_mind) * 100
    short = settings.ahead * charges.sum(axis=0) / np.maximum((charges > 0).sum(axis=0), 1)
    amount, after, end = (np.zeros((days, n), dtype=np.int64) for _ in range(3))
    for day in range(days):
        must = balance < charges[day]
        wants = (charges[day] > 0) & (balance < short) & (luck[day] < settings.promptness)
        times = np.maximum(-((balance - charges[day]) // voucher), 1)
        amount[day] = np.where(must | wants, times * voucher, 0)
        after[day] = balance + amount[day]
        balance = after[day] - charges[day]
        end[day] = balance
    return RechargedDays(amount, after, end)


def charges_by_day(joined_on: Dates, left_on: Dates, timeline: Timeline, due: Ints, month: int) -> Ints:
    """Spread a month's charges evenly over the days in service, to the cent, shape (days, customers)."""
    day = days_after(timeline.first[month], np.arange(timeline.days[month]))[:, None]
    serving: Flags = (day >= joined_on) & (np.isnat(left_on) | (day < left_on))
    passed = np.cumsum(serving, axis=0)
    so_far = np.rint(due * (passed / np.maximum(passed[-1], 1))).astype(np.int64)
    charges: Ints = np.diff(so_far, axis=0, prepend=np.zeros_like(so_far[:1]))
    return charges


def _nearest(amounts: Ints, wanted: Floats) -> Ints:
    """Voucher next to a sum, on a log scale."""
    edges = np.sqrt(amounts[1:] * amounts[:-1])
    chosen: Ints = amounts[np.searchsorted(edges, wanted)]
    return chosen
