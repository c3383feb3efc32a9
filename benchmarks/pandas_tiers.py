"""One month's tiers and their history in plain pandas: the peer of `tiers.py`, for policies of one additive points rule at line level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.config.tier_rules import Component, PointsRule, Thresholds

STATE = ["tier", "valid_from", "valid_until", "below_since", "grace_until", "policy_version"]
NEVER = np.datetime64("NaT", "D")


def assign(
    facts: pd.DataFrame, config: TierPolicyConfig, cuts: Mapping[str, float], *, as_of: date, previous: pd.DataFrame | None
) -> pd.DataFrame:
    """Rate every customer of `facts` on a day, from the rating before; see `custvalue.TierPolicy.assign`.

    The rating before must be of the same policy version.
    """
    (rule,) = config.rules.values()
    if config.level != "line" or config.adjustments or not isinstance(rule, PointsRule) or rule.factors:
        raise ValueError(f"policy {config.label} is more than one additive points rule at line level")
    score = sum(points(facts[component.metric], component, facts["tenure_months"]) for component in rule.components.values())
    score = np.round(np.asarray(score, float), 6)
    rated = (facts["tenure_months"] >= config.eligibility.min_tenure_months).to_numpy()
    lowest = len(config.tiers) - 1
    earned = np.where(rated, rank_of(score, [cuts[tier] for tier in config.tiers[:-1]]), lowest + 1)
    before = facts[["customer_id"]].merge(previous[["customer_id", *STATE]], how="left", on="customer_id") if previous is not None else None
    names = np.array([*config.tiers, UNRATED], dtype=object)
    state = State(config, earned, kept(score, rated, earned, rule, cuts, config), as_of, before)
    open_, justified = complaints(facts, config)
    state.step(open_, justified)
    return pd.DataFrame(
        {
            "customer_id": facts["customer_id"],
            "tier": names[state.rank],
            "score": np.where(rated, score, np.nan),
            "valid_from": state.valid_from,
            "valid_until": state.valid_until,
            "below_since": state.below_since,
            "grace_until": state.grace_until,
            "reason_code": np.where(
                (state.rank > lowest),
                np.where(facts["tenure_months"].isna(), "unrated_unknown_tenure", "unrated_short_tenure"),
                state.reason,
            ),
            "policy_version": config.label,
            "care_priority": np.select([open_, justified], [2, 1], 0),
            "earned": names[earned],
        }
    )


def points(values: pd.Series[float], component: Component, tenure: pd.Series[float]) -> pd.Series[float]:
    """Points of one component; a missing or negative value counts as zero."""
    value = values.fillna(0).clip(lower=0)
    if component.full_after_months:
        value = value * (tenure.fillna(0).clip(upper=component.full_after_months) / component.full_after_months)
    if component.bands is not None:
        edges, worth = np.array(list(component.bands)), np.array([0.0, *component.bands.values()])
        given = pd.Series(worth[np.searchsorted(edges, value, side="right")], index=values.index)
    else:
        given = value * (component.points_per_unit or 0.0)
    return given if component.cap is None else given.clip(-component.cap, component.cap)


def rank_of(score: NDArray[np.float64], cuts: Sequence[float]) -> NDArray[np.int64]:
    """Rank 0 is the highest tier; a score at a cut is in the higher one."""
    return np.select([score >= cut for cut in cuts], range(len(cuts)), len(cuts)).astype(np.int64)


def kept(
    score: NDArray[np.float64],
    rated: NDArray[np.bool_],
    earned: NDArray[np.int64],
    rule: PointsRule,
    cuts: Mapping[str, float],
    config: TierPolicyConfig,
) -> NDArray[np.int64]:
    """The best tier whose lower threshold, that of keeping it, the score still reaches."""
    if isinstance(rule.cuts, Thresholds):
        keep = [rule.cuts.keep_at.get(tier, cuts[tier]) for tier in config.tiers[:-1]]
    else:
        keep = [cuts[tier] * rule.cuts.keep_share for tier in config.tiers[:-1]]
    return np.where(rated, np.minimum(rank_of(score, keep), earned), earned)


def complaints(facts: pd.DataFrame, config: TierPolicyConfig) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whose complaint is open, and whose was justified recently."""
    days = config.protection.justified_within_days
    justified = (facts["days_since_justified_complaint"] <= days).to_numpy() & (days > 0)
    return (facts["complaint_open"] > 0).to_numpy(), justified


class State:
    """The step from one rating to the next, column by column."""

    def __init__(
        self,
        config: TierPolicyConfig,
        earned: NDArray[np.int64],
        kept: NDArray[np.int64],
        as_of: date,
        before: pd.DataFrame | None,
    ) -> None:
        self.config, self.day, n = config, np.datetime64(as_of, "D"), len(earned)
        ranks = {tier: rank for rank, tier in enumerate(config.tiers)}
        blank = np.full(n, NEVER)
        self.previous = np.full(n, -1) if before is None else before["tier"].map(ranks).fillna(-1).to_numpy(np.int64)
        has = self.previous >= 0
        self.was_unrated = np.full(n, False) if before is None else (before["tier"] == UNRATED).to_numpy()
        dates = {name: blank if before is None else before[name].to_numpy("M8[D]") for name in STATE[1:5]}
        self.valid_from, self.valid_until = dates["valid_from"].copy(), dates["valid_until"].copy()
        self.below_since, self.grace_until = dates["below_since"].copy(), dates["grace_until"].copy()
        self.since = self.valid_from.copy()
        # a tier is kept down to its lower threshold, never raised by it
        self.desired = np.where(has & (earned > self.previous), np.maximum(kept, self.previous), earned)
        self.rank, self.reason, self.has = self.desired.copy(), np.full(n, "first_rating", dtype=object), has

    def step(self, is_open: NDArray[np.bool_], justified: NDArray[np.bool_]) -> None:
        """Move every customer's tier, or hold it."""
        stable, protection, day = self.config.stability, self.config.protection, self.day
        validity = add_months(day, stable.validity_months) if stable.validity_months else NEVER
        first, up = ~self.has, self.has & (self.desired < self.previous)
        same, worse = self.has & (self.desired == self.previous), self.has & (self.desired > self.previous)
        if stable.largest_step_up:
            self.rank = np.where(up, np.maximum(self.rank, self.previous - stable.largest_step_up), self.rank)
        self.reason[up] = "upgrade"
        over = same & (np.isnat(self.valid_until) | (self.valid_until <= day))
        self.reason[same] = "stays"
        if stable.validity_months:
            self.reason[over] = "renewed"
        self.valid_until[over] = validity
        self.below_since[worse & np.isnat(self.below_since)] = day
        full = add_months(self.below_since, stable.months_before_downgrade - 1) <= day
        holds = {
            "protected_open_complaint": is_open & protection.open_complaint,
            "protected_justified_complaint": justified,
            "within_validity": day < self.valid_until,
            "below_too_briefly": ~full,
        }
        free = worse.copy()
        for reason, holding in holds.items():
            self.reason[free & holding] = reason
            free &= ~holding
        if stable.grace_months:
            self.grace_until[free & np.isnat(self.grace_until)] = add_months(day, stable.grace_months)
            grace = free & (day < self.grace_until)
            self.reason[grace] = "grace"
            free &= ~grace
        self.rank = np.where(worse & ~free, self.previous, self.rank)
        if stable.largest_step_down:
            limited = free & (self.desired < len(self.config.tiers))
            self.rank = np.where(limited, np.minimum(self.rank, self.previous + stable.largest_step_down), self.rank)
        self.reason[free] = "downgrade"
        moved = first | up | free
        self.valid_from[moved], self.valid_until[moved] = day, validity
        cleared = moved | same
        self.below_since[cleared], self.grace_until[cleared] = NEVER, NEVER
        unrated = self.rank == len(self.config.tiers)
        self.valid_until[unrated] = NEVER
        # who stays unrated has been so since before
        stays = unrated & self.was_unrated
        self.valid_from[stays] = self.since[stays]


def add_months(days: NDArray[np.datetime64] | np.datetime64, months: int) -> NDArray[np.datetime64]:
    """Add calendar months; the 31st becomes a shorter month's last day."""
    given = np.asarray(days, "M8[D]")
    month = given.astype("M8[M]")
    target = month + months
    day = np.minimum((given - month.astype("M8[D]")), (target + 1).astype("M8[D]") - target.astype("M8[D]") - 1)
    return target.astype("M8[D]") + day


def history(ratings: Sequence[tuple[date, pd.DataFrame]]) -> pd.DataFrame:
    """Slowly changing rows from monthly ratings: one row a change of tier or policy version; see `custvalue.tiers.tier_history`."""
    whole = pd.concat(
        [frame[["customer_id", "tier", "policy_version", "reason_code"]].assign(rated_on=np.datetime64(day, "D")) for day, frame in ratings]
    )
    whole = whole.sort_values(["customer_id", "rated_on"], ignore_index=True)
    days = np.array([day for day, _ in ratings], dtype="M8[D]")
    place = np.searchsorted(days, whole["rated_on"].to_numpy("M8[D]"))
    before = whole.shift()
    follows = (whole["customer_id"] == before["customer_id"]) & (np.diff(place, prepend=-1) == 1)
    changed = ~follows | (whole["tier"] != before["tier"]) | (whole["policy_version"] != before["policy_version"])
    last = ~follows.shift(-1, fill_value=False)
    following = np.append(days[1:], NEVER)[place]
    row = changed.cumsum()
    rows = whole[changed].rename(columns={"rated_on": "valid_from"})
    ends = pd.Series(following).where(last).groupby(row).last().to_numpy()
    rows["valid_to"] = ends
    nexts = rows["valid_from"].shift(-1).where(rows["customer_id"] == rows["customer_id"].shift(-1))
    rows["valid_to"] = rows["valid_to"].fillna(nexts)
    return rows[["customer_id", "valid_from", "valid_to", "tier", "policy_version", "reason_code"]]
