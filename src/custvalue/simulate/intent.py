"""The hidden cause: entering the intent to leave, and what it makes of the next months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.simulate.scenarios import Intent
from custvalue.simulate.timeline import Flags, Floats, Ints


def sigmoid(log_odds: Floats) -> Floats:
    """Probability of log-odds."""
    probability: Floats = 1 / (1 + np.exp(-log_odds))
    return probability


def entry_log_odds(
    settings: Intent,
    *,
    near_expiry: Flags,
    in_contract: Flags,
    bundle: Flags,
    complaints: Ints,
    repeat: Flags,
    tenure_months: Ints,
    price_rise: Flags,
    own_risk: Floats,
    neighbour: Flags | float = 0.0,
) -> Floats:
    """Log-odds of entering intent in the coming month, one a customer; a region's shock comes on top."""
    log_odds: Floats = (
        settings.base
        + settings.near_expiry * near_expiry
        + settings.in_contract * in_contract
        + settings.bundle * bundle
        + settings.complaint * np.minimum(complaints, 3)
        + settings.repeat * repeat
        + settings.log_tenure * np.log((1 + np.maximum(tenure_months, 0)) / 25)
        + settings.price_rise * price_rise
        + settings.neighbour * neighbour
        + own_risk
    )
    return log_odds


def driver_log_odds(settings: Intent, drivers: Mapping[str, npt.NDArray[Any]]) -> dict[str, Floats]:
    """What each driver adds to these log-odds, by its name in `Intent`; they add up to `entry_log_odds` but for base and own risk."""
    return {
        "near_expiry": settings.near_expiry * drivers["near_expiry"],
        "in_contract": settings.in_contract * drivers["in_contract"],
        "bundle": settings.bundle * drivers["bundle"],
        "complaint": settings.complaint * np.minimum(drivers["complaints"], 3),
        "repeat": settings.repeat * drivers["repeat"],
        "log_tenure": settings.log_tenure * np.log((1 + np.maximum(drivers["tenure_months"], 0)) / 25),
        "price_rise": settings.price_rise * drivers["price_rise"],
        "neighbour": settings.neighbour * drivers["neighbour"],
    }


def exit_chance(settings: Intent, intent: Flags, months: Ints) -> Floats:
    """Chance of leaving this month, given intent and its full months so far."""
    chances = np.array(settings.exit)
    return np.where(intent, chances[np.minimum(months, len(chances) - 1)], 0.0)


def leaving_chances(settings: Intent, entry: Floats, intent: Flags, months: Ints, *, ahead: int) -> Floats:
    """Chance of leaving in each of the next months, for one who knows the hidden state.

    The state is carried forward exactly, with the chance of entry kept at its present value.

    Returns
    -------
    array, shape (ahead, customers)
        Each month's share of leavers among those in service now.
    """
    return carry_forward(settings, np.broadcast_to(entry, (ahead, len(intent))), states_within(settings, intent, months))


def states_within(settings: Intent, intent: Flags, months: Ints) -> Floats:
    """Known states as chances, shape (lengths of ``settings.exit``, customers); all 0 for those without intent."""
    last = len(settings.exit) - 1
    return np.where(intent & (np.minimum(months, last) == np.arange(last + 1)[:, None]), 1.0, 0.0)


def carry_forward(settings: Intent, entry: Floats, within: Floats) -> Floats:
    """Chance of leaving in each of the next months, from the chances of each hidden state.

    Parameters
    ----------
    entry : array of float, shape (ahead, customers)
        Chance of entering intent in each of these months.
    within : array of float, shape (lengths of ``settings.exit``, customers)
        Chance of intending to leave, by full months since intent began; what is missing to 1 is the chance of no intent.

    Returns
    -------
    array, shape (ahead, customers)
        Each month's share of leavers among those in service now.
    """
    chances = np.array(settings.exit)[:, None]
    within = within.copy()
    without = 1 - within.sum(axis=0)
    leaving = np.empty(entry.shape)
    for step, enters in enumerate(entry):
        within[0] += without * enters
        without = without * (1 - enters)
        leaving[step] = (within * chances).sum(axis=0)
        staying = within * (1 - chances)
        without = without + settings.recovery * staying.sum(axis=0)
        staying *= 1 - settings.recovery
        within = np.concatenate([np.zeros_like(staying[:1]), staying[:-1]])
        within[-1] += staying[-1]
    return leaving
