"""Tables of contacts, and of the truth behind them: hidden states, oracles, and what a call does or would have done."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from custvalue.simulate.arrow import counts, dates, names, shard_codes, times
from custvalue.simulate.campaigns import NO_CALL, NUDGED_MONTHS, nudges, save_chance
from custvalue.simulate.catalogue import ARMS, CONTACT_OUTCOMES, DEPARTURES, OWN_WILL, TREATMENTS
from custvalue.simulate.intent import carry_forward, driver_log_odds, sigmoid, states_within
from custvalue.simulate.observing import observed_chances
from custvalue.simulate.shards import HORIZON
from custvalue.simulate.timeline import Flags, Floats, Ints, days_after
from custvalue.simulate.world import World

AHEAD = 4
"""Months that the known chances of leaving look ahead."""


def contacts_table(world: World) -> pa.Table:
    """One row a call, and a row a customer drawn by lot and then not called; known when the day is over."""
    contacts, month = world.history.contacts, world.timeline.first[world.history.contacts.month].astype("datetime64[M]")
    campaign = np.char.add(np.where(contacts.randomised, "LOT-", "CARE-"), np.datetime_as_string(month))
    treated = contacts.offer != NO_CALL
    offers = tuple(offer.name for offer in world.scenario.contacts.offers)
    return pa.table(
        {
            "contact_id": shard_codes("N", world.shard, np.arange(len(contacts.customer))),
            "customer_id": world.customer_ids(contacts.customer),
            "campaign_id": pa.array(campaign, type=pa.string()),
            "contacted_at": times(contacts.contacted_at),
            "randomised": pa.array(contacts.randomised),
            "arm": names(ARMS, contacts.arm),
            "offer": names(offers, contacts.offer),
            "reached": pa.array(contacts.reached, mask=~treated),
            "outcome": names(CONTACT_OUTCOMES, contacts.outcome),
            "available_at": times(days_after(contacts.contacted_at, 1)),
        }
    )


def states_table(world: World) -> pa.Table:
    """The hidden state at the end of each month of those still in service then; no pipeline may read it.

    Chances are of leaving by own will: not for debt, not by death. ``leaving_gap1_horizon1`` knows the hidden state and is given that
    the customer is still there at the window's begin: the oracle for the outcome in the month after the next. ``observed_…`` knows the
    rules and what could be observed (`observed_chances`). ``chance_if_called`` and ``chance_if_not_called`` look three months ahead from
    the state at the month's end, with a call on the next day or without; ``left_if_called`` and ``left_if_not_called`` are what comes of
    it, with all luck in common and the neighbours leaving as they did, and the one that ``called`` names is what happened (null where
    the three months are not over). ``leaves_by`` is the kind of the departure that ends this customer's service, if it has come.
    """
    months = [_states_of_month(world, month, observed) for month, observed in enumerate(observed_chances(world, AHEAD))]
    return pa.concat_tables(months)


def drivers_table(world: World) -> pa.Table:
    """What drives those still in service at a month's end to intent in the month after, as log-odds of each driver; nobody may read it.

    Columns are the drivers of `Intent`, and ``own_risk``; base, season, a region's shock and what calls have changed are left out.
    """
    months = []
    for month in range(world.timeline.months):
        who = _in_service(world, month)
        drivers = {name: panel[month, who] for name, panel in world.history.drivers.items()}
        odds = driver_log_odds(world.scenario.intent, drivers) | {"own_risk": world.population.own_risk[who]}
        identity = {"customer_id": world.customer_ids(who), "month": dates(np.repeat(world.timeline.first[month], len(who)))}
        months.append(pa.table(identity | {name: pa.array(values.astype(np.float64)) for name, values in odds.items()}))
    return pa.concat_tables(months)


def effects_table(world: World, month: int) -> pa.Table:
    """Chances of leaving within three months, with a call on the day after a month's end and without; nobody may read it."""
    who = _in_service(world, month)
    left_alone = _leaving(world, month, who)[:HORIZON].sum(axis=0)
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "chance_if_called": pa.array(_chance_if_called(world, month, who, left_alone)),
            "chance_if_not_called": pa.array(left_alone),
        }
    )


def _in_service(world: World, month: int) -> Ints:
    """Who is still in service when a month is over."""
    history, timeline = world.history, world.timeline
    left_on = np.where(np.isnat(history.left_on), days_after(timeline.first[-1], 1), history.left_on)
    return np.flatnonzero((world.service_days[month] > 0) & (left_on > timeline.first[month + 1]))


def _states_of_month(world: World, month: int, observed: Floats) -> pa.Table:
    history, timeline = world.history, world.timeline
    who = _in_service(world, month)
    leaving = _leaving(world, month, who)
    happened, otherwise, called = _what_came(world, month, who)
    unknown = otherwise < 0
    return pa.table(
        {
            "customer_id": world.customer_ids(who),
            "month": dates(np.repeat(timeline.first[month], len(who))),
            "intent": pa.array(history.intent[month, who]),
            "intent_months": counts(history.intent_months[month, who]),
            "symptom": pa.array(history.symptom[month, who].astype(np.float64)),
            "treatment": names(TREATMENTS, world.population.treatment[who]),
            **_windows("leaving", leaving),
            **_windows("observed", observed[:, who]),
            "chance_if_called": pa.array(_chance_if_called(world, month, who, leaving[:HORIZON].sum(axis=0))),
            "chance_if_not_called": pa.array(leaving[:HORIZON].sum(axis=0)),
            "called": pa.array(called, mask=unknown),
            "left_if_called": pa.array(np.where(called, happened, otherwise == 1), mask=unknown),
            "left_if_not_called": pa.array(np.where(called, otherwise == 1, happened), mask=unknown),
            "leaves_by": names(DEPARTURES, np.where(np.isnat(history.left_on[who]), -1, history.kind[who])),
        }
    )


def _leaving(world: World, month: int, who: Ints) -> Floats:
    """Chances of leaving in each of the next months, for one who knows the hidden state; shape (AHEAD, rows)."""
    settings, history = world.scenario.intent, world.history
    within = states_within(settings, history.intent[month, who], history.intent_months[month, who])
    entries = _entries(history.entry[month, who], history.nudge[month, who], history.nudged_for[month, who])
    return carry_forward(settings, entries, within)


def _chance_if_called(world: World, month: int, who: Ints, left_alone: Floats) -> Floats:
    """Chance of leaving within three months of a call with the first offer on the next day."""
    settings, contacts, history = world.scenario.intent, world.scenario.contacts, world.history
    intent, treatment, first = history.intent[month, who], world.population.treatment[who], np.zeros(len(who), dtype=np.int64)
    saves = save_chance(contacts, treatment, intent, first)
    within = states_within(settings, intent, history.intent_months[month, who]) * (1 - saves)
    before, remaining = history.nudge[month, who], history.nudged_for[month, who]
    nudge = nudges(contacts, treatment, intent, history.free[month, who], first)
    changed = nudge != 0
    nudge, remaining = np.where(changed, nudge, before), np.where(changed, NUDGED_MONTHS, remaining)
    entries = _entries(history.entry[month, who] - before + nudge, nudge, remaining)
    reached = carry_forward(settings, entries[:HORIZON], within).sum(axis=0)
    chance: Floats = history.reach[month, who] * reached + (1 - history.reach[month, who]) * left_alone
    return chance


def _entries(log_odds: Floats, nudge: Floats, remaining: Ints) -> Floats:
    """Chance of entering intent in each of the next months: as it stands, but for what a call has changed, which passes."""
    now, later = sigmoid(log_odds.astype(np.float64)), sigmoid((log_odds - nudge).astype(np.float64))
    return np.where(np.arange(AHEAD)[:, None] < remaining, now, later)


def _what_came(world: World, month: int, who: Ints) -> tuple[Flags, Ints, Flags]:
    """Whether customers left by own will in the three months after; what would have come otherwise; and whether they were called."""
    history, timeline = world.history, world.timeline
    otherwise = history.otherwise[month, who]
    if month + HORIZON >= timeline.months:
        return np.zeros(len(who), dtype=np.bool_), otherwise, np.zeros(len(who), dtype=np.bool_)
    # Leaving on a month's last day makes the next month's first day the first one without service.
    in_time = history.left_on[who] <= timeline.first[month + HORIZON + 1]
    happened: Flags = in_time & np.isin(history.kind[who], OWN_WILL)
    return happened, otherwise, history.offer[month + 1, who] != NO_CALL


def _windows(name: str, ahead: Floats) -> dict[str, pa.Array]:
    """Chances over windows of months, given that the customer is there when the window begins."""
    there = 1 - ahead[0]
    return {
        f"{name}_gap0_horizon1": pa.array(ahead[0]),
        f"{name}_gap1_horizon1": pa.array(ahead[1] / there),
        f"{name}_gap1_horizon2": pa.array(ahead[1:3].sum(axis=0) / there),
        f"{name}_gap1_horizon3": pa.array(ahead[1:4].sum(axis=0) / there),
    }
