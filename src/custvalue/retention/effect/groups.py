"""The effect by tier, reason, offer or team, with so many looks paid for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from custvalue.metrics import Floats
from custvalue.retention.effect.design import Design, comparable
from custvalue.retention.effect.estimates import ALPHA, Estimate, intention_to_treat
from custvalue.retention.effect.power import LEAST_LEAVERS

COLUMNS = (
    "dimension", "group", "listed", "held_out", "left_listed", "left_held_out", "effect", "low", "high", "p_adjusted", "verdict",
)  # fmt: skip


def effect_by_group(frame: pd.DataFrame, dimensions: Sequence[str], *, alpha: float = ALPHA) -> pd.DataFrame:
    """Measure the effect on leaving group by group.

    All groups of all dimensions are one family (Holm 1979): the chance that any of them is said to work or to harm although nothing changed
    is at most `alpha`. Each interval is the one at which Holm's procedure tested its group, never narrower than 95 %, so it leaves zero out
    exactly where the verdict is not ``cannot_conclude``. Groups in which an arm can expect fewer than `power.LEAST_LEAVERS` leavers are not
    tested.

    Parameters
    ----------
    frame : DataFrame
        One row a customer: listed (bool), stratum, unit, left (0 or 1) and the dimensions, each known before the listing.
    dimensions : sequence of str
        Those that the frame does not have are left out.
    alpha : float

    Returns
    -------
    DataFrame
        `COLUMNS`, by dimension, largest group first, without those of whom nobody can be compared: listed and held_out (customers
        compared), left_listed and left_held_out (rates, strata weighted), effect (their difference) with low and high, p_adjusted, verdict.
    """
    rows: list[dict[str, Any]] = []
    effects: list[Estimate] = []
    for dimension in dimensions:
        if dimension not in frame.columns:
            continue
        for group in frame[dimension].value_counts().index:
            row, effect = _measure(frame[frame[dimension] == group])
            if not row["listed"]:
                continue
            rows.append({"dimension": dimension, "group": str(group), **row})
            effects.append(effect)
    levels, adjusted = _holm(np.array([effect.p_value if effect.known else np.nan for effect in effects]), alpha)
    for row, effect, level, p in zip(rows, effects, levels, adjusted, strict=True):
        row |= {"effect": effect.value, "low": effect.low, "high": effect.high, "p_adjusted": p, "verdict": "cannot_conclude"}
        if effect.known:
            wider = effect.at(level)
            row |= {"low": wider.low, "high": wider.high}
            if p <= alpha:
                row["verdict"] = "works" if effect.value < 0 else "harms"
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measure(frame: pd.DataFrame) -> tuple[dict[str, Any], Estimate]:
    own = frame[comparable(frame["listed"], stratum=frame["stratum"], unit=frame["unit"])]
    held_out = int((~own["listed"]).sum())
    counts = {"listed": len(own) - held_out, "held_out": held_out, "left_listed": np.nan, "left_held_out": np.nan}
    if own.empty:
        return counts, Estimate.unknown()
    design = Design.of(own["listed"], stratum=own["stratum"], unit=own["unit"])
    rates = {"left_listed": design.rate(own["left"], listed=True), "left_held_out": design.rate(own["left"], listed=False)}
    enough = own["left"].mean() * min(held_out, len(own) - held_out) >= LEAST_LEAVERS
    return counts | rates, intention_to_treat(design, own["left"]) if enough else Estimate.unknown()


def _holm(p_values: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Give the level at which each hypothesis is tested, and its adjusted p-value; NaN stands outside the family."""
    levels, adjusted = np.full(p_values.size, np.nan), np.full(p_values.size, np.nan)
    order = np.argsort(p_values)[: int(np.isfinite(p_values).sum())]
    left = order.size - np.arange(order.size)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * left))
    rejected = int((adjusted[order] <= alpha).sum())
    # past the first that stands, all are tested at that one's level
    levels[order] = alpha / left[np.minimum(np.arange(order.size), min(rejected, order.size - 1))] if order.size else levels[order]
    return levels, adjusted
