"""Figures of a monitored night by name, which alert rules, MLflow and machines read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from custvalue.explain.portfolio import EVERYBODY
from custvalue.monitoring import Comparison, Finding, Profile, expected_rate
from custvalue.monitoring.canary import NIGHT, TRAINING
from custvalue.tiers.measures.migration import direction


def drift_figures(
    now: Profile | None, before: Profile | None, comparisons: Sequence[Comparison], findings: Sequence[Finding]
) -> dict[str, float]:
    """Name the figures of the scores, and how many columns are beyond a limit."""
    found = {} if now is None else {"night.customers": float(now.rows), "night.expected_rate": expected_rate(now)}
    if now is not None and before is not None:
        found["night.expected_times"] = expected_rate(now) / expected_rate(before)
    for against in (NIGHT, TRAINING):
        compared = [each for each in comparisons if each.against == against]
        found |= {f"score.stability_{against}": each.stability.excess for each in compared if not each.column}
        if any(each.column for each in compared):
            for code in ("drift", "missing", "unseen"):
                found[f"{code}.columns_{against}"] = float(sum(each.code == code and each.against == against for each in findings))
    return found


def turnover_figures(turnover: pd.DataFrame) -> dict[str, float]:
    """Name how many entered, left, moved and stayed, and the share of the lists before that is still listed."""
    if turnover.empty:
        return {}
    counts = turnover.groupby("change").customers.sum()
    sizes = {change: float(counts.get(change, 0)) for change in ("stayed", "moved", "entered", "left")}
    was = sizes["stayed"] + sizes["moved"] + sizes["left"]
    return {f"lists.{change}": size for change, size in sizes.items()} | {"lists.kept": 1 - sizes["left"] / was if was else math.nan}


def tier_figures(migration: pd.DataFrame, order: tuple[str, ...]) -> dict[str, float]:
    """Name the shares of the customers of both nights who changed tier, up and down."""
    both = migration.dropna() if len(migration) else migration
    if both.empty:
        return {}
    ways = pd.Series([direction(str(row.before), str(row.after), order) for row in both.itertuples()], index=both.index)
    share = both.customers.groupby(ways).sum() / both.customers.sum()
    return {"tiers.moved": float(1 - share.get("stays", 0.0)), **{f"tiers.{way}": float(share.get(way, 0.0)) for way in ("up", "down")}}


def reason_figures(reasons: pd.DataFrame) -> dict[str, float]:
    """Name the largest rise of a reason's share of the risk of all customers."""
    if reasons.empty or "change" not in reasons.columns:
        return {}
    whole = reasons[reasons.dimension == EVERYBODY]
    return {"reasons.largest_rise": float(whole.change.max())} if len(whole) else {}


def comparison(each: Comparison) -> dict[str, Any]:
    """Give a comparison as JSON values."""
    index = each.stability
    return {
        "column": each.column,
        "against": each.against,
        "psi": index.psi,
        "noise": index.noise,
        "size": each.size,
        "p_value": index.p_value,
        "missing": each.missing,
        "missing_before": each.missing_before,
        "unseen": each.unseen,
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as JSON values."""
    return [{str(name): None if pd.isna(value) else value for name, value in row.items()} for row in frame.to_dict("records")]
