"""What the log tells of a rating, and of a comparison of policies: counts alone, and nothing that names a customer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis.backends.duckdb import Backend

from custvalue.config import UNRATED
from custvalue.pipeline.comparison import WhatIf
from custvalue.sources import add_months
from custvalue.tiers import RatingManifest, RatingStore, TierPolicy
from custvalue.tiers.measures.migration import direction
from custvalue.tiers.measures.movements import movement_table
from custvalue.tiers.measures.plots import migration_figure
from custvalue.tiers.measures.stability import flip_flops, rating_steps
from custvalue.tracking import PolicyComparison, TierRating

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_YEAR = 12


def describe_rating(
    con: Backend,
    ratings: RatingStore,
    manifest: RatingManifest,
    policy: TierPolicy,
    yaml: str,
    *,
    by_tier: pd.DataFrame | None = None,
    texts: Mapping[str, str] | None = None,
) -> TierRating:
    """Count what a stored rating holds.

    Parameters
    ----------
    con : Backend
        The engine to count on.
    ratings, manifest : RatingStore, RatingManifest
        Where the rating is, and which.
    policy, yaml : TierPolicy, str
        What it was made under, fitted, and its file's text.
    by_tier : DataFrame, optional
        What `tiers.tier_table` gives for it; without it nothing is told of revenue.
    texts : mapping, optional
        File name → content to keep beside it: segments, the tier report.

    Raises
    ------
    DataError
        A rating that is counted is not what was written.
    """
    day = manifest.day
    now = con.read_parquet(ratings.path(day))
    path = _rating_before(ratings, manifest)
    before = None if path is None else con.read_parquet(path)
    migration = None if before is None else _migration(before, now)
    figures: dict[str, Figure] = {}
    if migration is not None:
        figures["migration"] = migration_figure(migration, policy.tiers, before=str(manifest.previous), after=str(day))
    return TierRating(
        policy=policy,
        yaml=yaml,
        day=day,
        digest=manifest.digest,
        by_tier=_sizes(now, policy) if by_tier is None else by_tier,
        previous=manifest.previous,
        migration=migration,
        held=_held(before, now, policy),
        flip_rate=_flip_rate(con, ratings, day, policy),
        figures=figures,
        texts=texts or {},
    )


def _rating_before(ratings: RatingStore, manifest: RatingManifest) -> Path | None:
    """Find the rating that this one started from; it may be one of the policy that was in force before, in the folder beside."""
    if manifest.previous is None:
        return None
    for store in (ratings, *(RatingStore(path) for path in sorted(ratings.folder.parents[1].glob("*/ratings")))):
        if manifest.previous in store.days() and store.manifest(manifest.previous).digest == manifest.previous_digest:
            return store.path(manifest.previous)
    return None


def _sizes(now: ibis.Table, policy: TierPolicy) -> pd.DataFrame:
    found = dict(now.group_by("tier").aggregate(customers=now.count()).to_pyarrow().to_pandas().itertuples(index=False))
    rows = [*policy.tiers, UNRATED]
    customers = [int(found.get(tier, 0)) for tier in rows]
    return pd.DataFrame({"tier": rows, "customers": customers, "share": [count / max(sum(customers), 1) for count in customers]})


def _migration(before: ibis.Table, now: ibis.Table) -> pd.DataFrame:
    """Count the customers whom both ratings know, for every pair of tiers."""
    new = now.select(customer=now.customer_id, after=now.tier)
    both = before.select("customer_id", before=before.tier).inner_join(new, [("customer_id", "customer")])
    counted = both.group_by("before", "after").aggregate(customers=both.count()).order_by("before", "after")
    frame: pd.DataFrame = counted.to_pyarrow().to_pandas()
    return frame


def _held(before: ibis.Table | None, now: ibis.Table, policy: TierPolicy) -> dict[str, int]:
    moves = movement_table(before, now, policy.tiers)
    held = moves[(moves["move"] == "held") & moves["reason"].notna()]
    return {str(reason): int(count) for reason, count in zip(held["reason"], held["customers"], strict=True)}


def _flip_rate(con: Backend, ratings: RatingStore, day: date, policy: TierPolicy) -> float | None:
    """Share of customers with a change and its reverse in the year to the day; None before there are three ratings."""
    year = [known for known in ratings.days() if add_months(day, -_YEAR) <= known <= day]
    if len(year) < 3:
        return None
    rows = con.read_parquet([ratings.path(known) for known in year])
    places = ibis.cases(*((rows.rated_on == known, place) for place, known in enumerate(year)), else_=ibis.null("int64"))
    steps = rating_steps(rows.mutate(place=places.cast("int64")), policy.tiers)
    return flip_flops(steps, months=len(year)).rate


def describe_comparison(
    found: WhatIf, policy_yaml: str, against_yaml: str, *, figures: Mapping[str, Figure] | None = None
) -> PolicyComparison:
    """Give what `what_if` found as it is logged: counts and tables, and none of the customers it shows as examples.

    Parameters
    ----------
    found : WhatIf
    policy_yaml, against_yaml : str
        The policies' files as given.
    figures : mapping, optional
        Title → figure, beside the two migration matrices.
    """
    pairs = {"switch": found.switch, "long_run": found.long_run}
    texts: dict[str, str] = {}
    drawn = dict(figures or {})
    for name, migration in pairs.items():
        texts |= {f"{name}_migration.csv": _csv(migration.table), f"{name}_moves.csv": _csv(migration.moves)}
        texts[f"{name}_held.csv"] = _csv(migration.held)
        drawn[f"{name}_migration"] = migration_figure(
            migration.table, found.against.tiers, before=found.policy.label, after=found.against.label
        )
    texts |= {f"tiers_{name}.csv": _csv(table) for name, table in found.tiers.items()}
    texts |= {f"stability_{name}.csv": _csv(stability.changes) for name, stability in found.stability.items()}
    texts["pareto.csv"] = _csv(found.concentration.curve)
    return PolicyComparison(
        policy=found.policy,
        against=found.against,
        policy_yaml=policy_yaml,
        against_yaml=against_yaml,
        day=found.as_of,
        months=found.plan.months,
        metrics=_comparison_metrics(found),
        texts=texts,
        figures=drawn,
    )


def _comparison_metrics(found: WhatIf) -> dict[str, float]:
    metrics = {"customers": float(found.customers), "gini": found.concentration.gini}
    for name, migration in (("switch", found.switch), ("long_run", found.long_run)):
        pairs = zip(migration.table["before"], migration.table["after"], strict=True)
        ways = [direction(before, after, found.against.tiers) for before, after in pairs]
        counted = migration.table.groupby(ways)[["customers", "monthly_revenue"]].sum()
        for way, row in counted.iterrows():
            metrics |= {f"{name}.{way}": float(row["customers"]), f"{name}.{way}.monthly_revenue": float(row["monthly_revenue"])}
    for name, stability in found.stability.items():
        counts = stability.changes[["customers", "up", "down", "protected_down"]].sum()
        steps = float(counts["customers"])
        metrics |= {f"stability.{name}.{way}": float(counts[way]) / steps if steps else math.nan for way in ("up", "down")}
        metrics[f"stability.{name}.protected_down"] = float(counts["protected_down"])
        metrics[f"stability.{name}.flip_rate"] = stability.flip_flops.rate
    return metrics


def _csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False))
