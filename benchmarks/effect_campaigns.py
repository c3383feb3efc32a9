"""Simulated campaigns whose true effect is known exactly, for `effect_coverage.py`.

Six strata of growing risk, a tenth of the households held out, bills lognormal with a Pareto tail. A contact saves some of the leavers whom
it reaches, and reaches those sooner who would have stayed anyway, so whom it reached must not be compared with whom it did not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

STRATA = 6
RISK = np.linspace(0.05, 0.20, STRATA)
"""Chance of leaving if nobody calls, by stratum."""
REACH_STAYER, REACH_LEAVER = 0.6, 0.4
SAVED = 0.3
"""Share of the leavers who stay if a contact reaches them."""
MEDIAN_BILL, SIGMA = 36.0, 0.72
TAIL_SHARE, TAIL_SHAPE, TAIL_FROM = 0.004, 2.4, 200.0
"""Published bills: 95th percentile 117, 99th 190, top tenth 28 % of the revenue; these give 121, 213 and 30 %."""
NOISE = 0.4
PAID_BY_LEAVER = 0.4
"""Share of the months' revenue that a leaver still pays."""
MEAN_BILL = (1 - TAIL_SHARE) * MEDIAN_BILL * np.exp(SIGMA**2 / 2) + TAIL_SHARE * TAIL_FROM * TAIL_SHAPE / (TAIL_SHAPE - 1)


@dataclass(frozen=True)
class Campaign:
    """One simulated campaign and its truth."""

    frame: pd.DataFrame
    left: float
    reached: float
    revenue: float


def draw(seed: int, households: int, *, share: float = 0.1, members: int = 1, together: float = 0.0) -> Campaign:
    """Draw a campaign.

    Parameters
    ----------
    seed : int
    households : int
        Randomised, each with one to ``2 · members − 1`` customers.
    share : float
        Held out.
    members : int
        Mean size of a household.
    together : float
        Share of the households whose members all leave or all stay.
    """
    random = np.random.default_rng(seed)
    size = random.integers(1, 2 * members, households)
    unit = np.repeat(np.arange(households), size)
    stratum = random.integers(STRATA, size=households)[unit]
    listed = (random.permutation(households) >= round(share * households))[unit]
    own, common = random.random(unit.size), random.random(households)[unit]
    luck = np.where((random.random(households) < together)[unit], common, own)
    would = luck < RISK[stratum]
    reached = listed & (random.random(unit.size) < np.where(would, REACH_LEAVER, REACH_STAYER))
    left = would & ~(reached & (random.random(unit.size) < SAVED))
    before = bills(random, unit.size)
    noise = np.exp(random.normal(-(NOISE**2) / 2, NOISE, unit.size))
    revenue = before * noise * np.where(left, PAID_BY_LEAVER, 1.0)
    frame = pd.DataFrame({"unit": unit, "stratum": stratum, "listed": listed, "left": left.astype(float), "reached": reached})
    frame = frame.assign(revenue=revenue, before=before)
    risk = RISK[stratum[listed]]
    effect = -float((risk * REACH_LEAVER * SAVED).mean())
    reach = float((risk * REACH_LEAVER + (1 - risk) * REACH_STAYER).mean())
    return Campaign(frame, left=effect, reached=effect / reach, revenue=-effect * MEAN_BILL * (1 - PAID_BY_LEAVER))


def draw_by_manager(seed: int, managers: int, customers: int, *, spread: float = 0.03) -> Campaign:
    """Draw a campaign in which half of the managers made no calls; each manager's customers share a risk of their own."""
    random = np.random.default_rng(seed)
    unit = np.repeat(np.arange(managers), random.integers(customers // 2, customers * 3 // 2, managers))
    listed = (random.permutation(managers) >= managers // 2)[unit]
    risk = 0.12 + random.uniform(-spread, spread, managers)[unit]
    left = random.random(unit.size) < risk * np.where(listed, 1 - REACH_LEAVER * SAVED, 1.0)
    frame = pd.DataFrame({"unit": unit, "stratum": 0, "listed": listed, "left": left.astype(float)})
    return Campaign(frame, left=-0.12 * REACH_LEAVER * SAVED, reached=np.nan, revenue=np.nan)


def bills(random: np.random.Generator, customers: int) -> np.ndarray:
    """Draw bills: lognormal, and a Pareto tail of enterprises; their mean is `MEAN_BILL`."""
    plain = MEDIAN_BILL * np.exp(random.normal(0, SIGMA, customers))
    tail = TAIL_FROM * (1 + random.pareto(TAIL_SHAPE, customers))
    return np.where(random.random(customers) < TAIL_SHARE, tail, plain)


def naive(seed: int, customers: int) -> tuple[float, float]:
    """Give what a comparison of the riskiest fifth, who are called, with all others would find, and the true effect on those called."""
    random = np.random.default_rng(seed)
    risk = random.beta(1.2, 9, customers)
    called = risk >= np.quantile(risk, 0.8)
    would = random.random(customers) < risk
    left = would & ~(called & (random.random(customers) < REACH_LEAVER * SAVED))
    return float(left[called].mean() - left[~called].mean()), -float(risk[called].mean()) * REACH_LEAVER * SAVED
