"""What customers pay and owe, or recharge and use up; everything in whole cents."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from custvalue.simulate.behaviour import History
from custvalue.simulate.bills import BillPanel, months_after_leaving
from custvalue.simulate.catalogue import AUTO_DEBIT, CHANNEL_SHARES, NON_PAYMENT
from custvalue.simulate.draws import among, uniforms
from custvalue.simulate.population import Population
from custvalue.simulate.recharging import recharge_month
from custvalue.simulate.scenarios import Scenario
from custvalue.simulate.timeline import Dates, Floats, Ints, Streams, Timeline, days_after

_ROUND_UP = 1_000
_OTHER_CHANNEL = 0.1
_FIRST_PAYING_DAY, _LAST_PAYING_DAY, _LATE_DAYS = 1, 20, 4
_AUTO_DEBIT_DAY = 4
_OPENS, _OPEN_SECONDS = 7 * 3600, 16 * 3600


@dataclass(frozen=True)
class Paid:
    """Payments in order of customer and time within a month, one element each.

    Attributes
    ----------
    amount, balance_after : array of int
        Cents paid, and credit right after.
    """

    customer: Ints
    month: Ints
    paid_at: Dates
    amount: Ints
    balance_after: Ints
    channel: Ints


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All payments, and how each account stands.

    Attributes
    ----------
    standing : panel of int
        Cents of credit at each month's begin, with the month before charged; negative where money is owed.
    arrears : panel of int
        What of the earlier bills is unpaid at the month's end.
    """

    paid: Paid
    standing: Ints
    arrears: Ints


def draw_payments(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, bills: BillPanel, streams: Streams
) -> Ledger:
    """Settle bills in the month after, or recharge a balance before it is used up."""
    if scenario.prepaid:
        return _recharged(scenario, population, history, timeline, bills, streams)
    return _settled(scenario, population, history, timeline, bills, streams)


def _settled(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, bills: BillPanel, streams: Streams
) -> Ledger:
    """Pay each bill in the month after it, unless it is missed; by hand in round sums, so that credit builds up."""
    due, n = bills.due, len(population)
    standing, arrears = np.zeros_like(due), np.zeros_like(due)
    ago = months_after_leaving(history.left_on, timeline)
    pays_final = uniforms(streams, "final payments", None, n)[0] < scenario.records.final_bills.pays
    credit = np.where(population.joined_month < 0, -due[0], 0)
    log = []
    for month in range(timeline.months):
        channel, paid_at = _paying(scenario, population, history.left_on, timeline, streams, month)
        in_service = np.isnat(history.left_on) | (paid_at.astype("datetime64[D]") < history.left_on)
        settles = (ago[month] == 1) & pays_final & (history.kind != NON_PAYMENT)
        pays = ((in_service & ~history.missed[month]) | settles) & (credit < 0)
        by_hand = (channel != AUTO_DEBIT) & ~settles
        amount = np.where(pays, np.where(by_hand, -(credit // _ROUND_UP) * _ROUND_UP, -credit), 0)
        standing[month] = credit
        credit = credit + amount
        arrears[month] = np.maximum(-credit, 0)
        who = np.flatnonzero(amount)
        log.append(Paid(who, np.full(len(who), month), paid_at[who], amount[who], np.maximum(credit[who], 0), channel[who]))
        credit = credit - due[month]
    return Ledger(paid=_joined(log), standing=standing, arrears=arrears)


def _paying(
    scenario: Scenario, population: Population, left_on: Dates, timeline: Timeline, streams: Streams, month: int
) -> tuple[Ints, Dates]:
    """Auto debit runs on the 5th; others pay by the 20th, the late ones in the last days; who goes settles before the last day is over."""
    other, which, day, late, back, second = uniforms(streams, "payments", month, len(population), 6)
    channel = np.where(other < _OTHER_CHANNEL, among(which, CHANNEL_SHARES), population.channel)
    debit = channel == AUTO_DEBIT
    days = np.where(debit, _AUTO_DEBIT_DAY, _FIRST_PAYING_DAY + (day * (_LAST_PAYING_DAY - _FIRST_PAYING_DAY)).astype(np.int64))
    last = timeline.days[month] - 1 - (back * _LATE_DAYS).astype(np.int64)
    days = np.where((late < scenario.money.late) & ~debit, last, days)
    on = days_after(timeline.first[month], days)
    leaving = timeline.index(days_after(left_on, -1)) == month
    on = np.where(leaving, np.fmin(on, days_after(left_on, -1)), on)
    return channel, _at(on, second)


def _recharged(
    scenario: Scenario, population: Population, history: History, timeline: Timeline, bills: BillPanel, streams: Streams
) -> Ledger:
    """Go through the days of each month: use the balance up, and recharge in time."""
    n = len(population)
    standing = np.zeros((timeline.months, n), dtype=np.int64)
    start = uniforms(streams, "first balance", None, n)[0]
    balance = np.where(population.joined_month < 0, np.rint(start * population.bill * 50), 0).astype(np.int64)
    log = []
    for month in range(timeline.months):
        standing[month] = balance
        days = recharge_month(scenario, population, history, timeline, bills.due[month], balance, streams, month)
        who, day = np.nonzero(days.amount.T)
        other, which, second = uniforms(streams, "recharges", month, n, 3)
        channel = np.where(other < _OTHER_CHANNEL, among(which, CHANNEL_SHARES), population.channel)
        at = _at(days_after(timeline.first[month], day), second[who])
        log.append(Paid(who, np.full(len(who), month), at, days.amount[day, who], days.after_recharge[day, who], channel[who]))
        balance = days.balance[-1]
    return Ledger(paid=_joined(log), standing=standing, arrears=np.zeros_like(standing))


def _at(days: Dates, luck: Floats) -> Dates:
    """Some second between 7 in the morning and 11 at night."""
    seconds = _OPENS + (luck * _OPEN_SECONDS).astype(np.int64)
    moments: Dates = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return moments


def _joined(log: list[Paid]) -> Paid:
    return Paid(*(np.concatenate([getattr(part, field.name) for part in log]) for field in fields(Paid)))
