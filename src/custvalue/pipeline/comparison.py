"""Two tier policies side by side, once both are played back: who moves, why, what it costs, and how calm each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import ibis
import pandas as pd

from custvalue.pipeline.tier_replay import RatingChain, ReplayPlan
from custvalue.sources import SourceTables, add_months
from custvalue.tiers import TierPolicy, tier_table
from custvalue.tiers.measures.concentration import Concentration
from custvalue.tiers.measures.migration import (
    check_same_customers,
    held_table,
    joined_tiers,
    migration_table,
    move_examples,
    move_table,
    point_table,
)
from custvalue.tiers.measures.service import cost_table, service_table
from custvalue.tiers.measures.stability import FlipFlops, change_table, flip_flops, rating_steps

Log = Callable[[str], None]
_COST_MONTHS = 12


@dataclass(frozen=True)
class Note:
    """Something a reader must know: a name in the wording's section ``what_if`` (``note_<code>``), and its values."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Migration:
    """From the tiers of the policy in force to those of the proposed one; columns as `tiers.measures.migration` gives them.

    Attributes
    ----------
    table : DataFrame
        Customers and bills for every pair of tiers.
    moves : DataFrame
        Those who move, by reason.
    held : DataFrame
        Those whose tier is not the one that their score gives, by what holds them.
    examples : DataFrame
        Some customers of every move. Identifiers: mask them before they are shown.
    points, points_against : DataFrame
        Mean points by component of those who move, under the policy in force and under the proposed one.
    """

    table: pd.DataFrame
    moves: pd.DataFrame
    held: pd.DataFrame
    examples: pd.DataFrame
    points: pd.DataFrame
    points_against: pd.DataFrame


@dataclass(frozen=True)
class Stability:
    """How calm a policy was over the months measured.

    Attributes
    ----------
    changes : DataFrame
        day (of the rating that ends a step), customers, up, down, protected_down.
    flip_flops : FlipFlops
        Over the same months.
    """

    changes: pd.DataFrame
    flip_flops: FlipFlops


@dataclass(frozen=True)
class WhatIf:
    """What a switch of policies would do.

    Attributes
    ----------
    as_of : date
        Day of the switch.
    currency, metric : str
        Of all amounts; the feature that holds ARPU.
    policy, against : TierPolicy
        In force, fitted for the ratings; proposed, fitted as of the switch.
    against_replayed : TierPolicy
        The proposed one, fitted on the first day of the replay.
    plan : ReplayPlan
        Days rated.
    switch : Migration
        Between the tiers in force on the day and those that the proposed policy makes of them on the same day.
    long_run : Migration
        Between both policies' tiers on the day as if each had been in force since the first day of the replay.
    tiers : dict
        ``policy``, ``switch``, ``long_run`` → one row a tier: what `tier_table` gives, channel, answer_within_hours, and where costs are
        mapped cost_known and monthly_cost.
    stability : dict
        ``policy``, ``against`` → the replays' stability.
    concentration : Concentration
        Of the bills over all customers.
    contact_cost : float
        What one contact costs, after the retention policy.
    notes : tuple of Note
        What limits the comparison.
    """

    as_of: date
    currency: str
    metric: str
    policy: TierPolicy
    against: TierPolicy
    against_replayed: TierPolicy
    plan: ReplayPlan
    switch: Migration
    long_run: Migration
    tiers: Mapping[str, pd.DataFrame]
    stability: Mapping[str, Stability]
    concentration: Concentration
    contact_cost: float
    notes: tuple[Note, ...]

    @property
    def customers(self) -> int:
        """Customers compared."""
        return int(self.switch.table["customers"].sum())


def migration_between(
    before: ibis.Table, after: ibis.Table, facts: ibis.Table, pair: Sequence[TierPolicy], *, metric: str, log: Log
) -> Migration:
    """Count every move between two assignments of the same customers, by the policies in `pair`; see `Migration`."""
    check_same_customers(before, after)
    joined = joined_tiers(before, after, facts, metric=metric)
    points, points_against = (point_table(joined, facts, policy.config, log=log) for policy in pair)
    return Migration(migration_table(joined), move_table(joined), held_table(joined), move_examples(joined), points, points_against)


def tiers_at(
    tiers: ibis.Table, facts: ibis.Table, policy: TierPolicy, *, metric: str, channels: Mapping[str, str], costs: ibis.Table | None
) -> pd.DataFrame:
    """Summarise one assignment by tier; see `WhatIf.tiers`."""
    table = tier_table(tiers, facts, order=policy.tiers, metric=metric).merge(service_table(policy.config, channels), on="tier")
    if costs is None:
        return table
    spent = table[["tier"]].merge(cost_table(tiers, costs), on="tier", how="left").fillna({"cost_known": 0, "monthly_cost": 0.0})
    return table.merge(spent.astype({"cost_known": "int64"}), on="tier")


def costs_to_serve(tables: SourceTables, as_of: date) -> ibis.Table | None:
    """Give every customer's mean cost to serve over the last year's bills: customer_id, cost; None where no cost is mapped."""
    billing = tables.known(as_of)["billing"]
    if "cost" not in billing.columns:
        return None
    oldest = add_months(tables.moment(as_of).newest_month(tables.delay_days.get("billing", 0)), 1 - _COST_MONTHS)
    recent = billing.filter(billing.month >= ibis.literal(oldest, type="date"))
    summed = recent.group_by("customer_id").aggregate(total=recent.cost.cast("decimal(18, 4)").sum(), months=recent.cost.count())
    return summed.select("customer_id", cost=summed.total.cast("float64") / summed.months.cast("float64").nullif(0.0))


def stability_of(chain: RatingChain, plan: ReplayPlan) -> Stability:
    """Count the changes of a replay over the months measured."""
    steps = rating_steps(chain.ratings, chain.policy.tiers).filter(lambda t: t.place > plan.warm_up)
    changes = change_table(steps)
    changes.insert(0, "day", [plan.days[place] for place in changes.pop("place")])
    return Stability(changes, flip_flops(steps))
