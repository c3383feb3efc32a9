"""The hidden cause: entering the intent to leave, and what it makes of the next months."""

from __future__ import annotations

import numpy as np

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
        + own_risk
    )
    return log_odds


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
    chances = np.array(settings.exit)[:, None]
    last = len(chances) - 1
    without = np.where(intent, 0.0, 1.0)
    within = np.where(intent & (np.minimum(months, last) == np.arange(last + 1)[:, None]), 1.0, 0.0)
    leaving = np.empty((ahead, len(entry)))
    for step in range(ahead):
        within[0] += without * entry
        without = without * (1 - entry)
        leaving[step] = (within * chances).sum(axis=0)
        staying = within * (1 - chances)
        without += settings.recovery * staying.sum(axis=0)
        staying *= 1 - settings.recovery
        within = np.concatenate([np.zeros_like(staying[:1]), staying[:-1]])
        within[last] += staying[last]
    return leaving
