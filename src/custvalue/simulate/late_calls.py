"""Calls after a month's first day: they act on leaving from their own day on, and on nothing that was before it."""

from __future__ import annotations

import numpy as np

from custvalue.simulate.behaviour import STAYS, State
from custvalue.simulate.campaigns import NUDGED_MONTHS, Effect, Plan, make_calls
from custvalue.simulate.catalogue import CONTRACT, OWN_WILL
from custvalue.simulate.drivers import Contacting
from custvalue.simulate.timeline import Flags, Floats, Ints, days_after


def call_late(
    settings: Contacting,
    state: State,
    plan: Plan,
    treatment: Ints,
    settled: Flags,
    since: Floats,
    month: int,
    first: np.datetime64,
    luck: Floats,
) -> tuple[Effect, Ints]:
    """Make the month's calls after the first day; also gives the days in service that whom they keep would have had in it, else 0.

    Parameters
    ----------
    state : State
        As it stands when those who leave in the month are known; changed: who leaves, and what calls leave behind.
    since : array of float
        Days into the month after which those who intend to leave do so.
    first : datetime64[D]
        The month's first day.
    luck : array of float, shape (LUCK, customers)
        Uniform numbers of the month's contacts.
    """
    called_on, memory = days_after(np.full(len(settled), first), plan.day), state.memory
    there = settled & ((state.left_month > month) | (state.left_on > called_on))
    free, intent = ~state.bound.in_force(CONTRACT, first), state.intent & (since <= plan.day)
    effect = make_calls(settings, plan.only(plan.late), treatment, intent, free, there, memory, luck)
    # the month that is nearly over does not count
    memory.nudged_for = memory.nudged_for + (effect.reached & (memory.nudge != 0) & (memory.nudged_for == NUDGED_MONTHS))
    memory.note_refusals(effect, called_on)
    kept = effect.saved & (state.left_month == month) & np.isin(state.kind, OWN_WILL)
    days = np.where(kept, (state.left_on - first).astype(np.int64), 0)
    state.left_month = np.where(kept, STAYS, state.left_month)
    state.left_on = np.where(kept, np.datetime64("NaT", "D"), state.left_on)
    return effect, days
