"""How well tiers foretell revenue, and how calm they are, beside simpler ways to rank the same customers.

Run ``python benchmarks/tiers.py [--seeds 8 9 10] [--customers 20000]``; it prints a Markdown table for simulated operators and, where the
data set is there, one for the real prepaid panel of India.

Simulated operators are rated every month, moves are counted over a year, and another year of bills judges the last rating. The peers
rank the same rated customers anew every month and are cut at the policy's own tier sizes, so that only the order differs. Who leaves pays
nothing any more. On the panel months 6 and 7 are rated and months 8 and 9 judge; one rating, so nothing can be said of calm.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from tier_peers import READS, Clusters, Order, longest_bill, mean_bill, rfm

from custvalue import TierPolicy
from custvalue.config import UNRATED, Config, load_config, ready_configs
from custvalue.sources import SourceTables, add_months, open_tables

PROJECT = Path(__file__).resolve().parents[1]
START = date(2024, 1, 1)
HISTORY_MONTHS, AHEAD_MONTHS = 12, 12
WARM_UP_MONTHS = 9
"""Ratings before the year in which moves are counted: the policy's validity, streak and grace, since at first nobody can fall."""
MEASURES = ("correlation", "captured", "changes", "flips")


@dataclass(frozen=True)
class Found:
    """What one way of ranking showed: on the last day, and over the months before it."""

    correlation: float
    captured: float
    changes: float
    flips: float
    protected_falls: int


def validity(folder: Path, seeds: Sequence[int], customers: int, policy_file: Path) -> list[str]:
    """Rate simulated operators for a year and judge by the next one."""
    from custvalue.simulate import simulate

    found: dict[str, list[Found]] = {}
    for seed in seeds:
        tables = folder / f"validity-{customers}-{seed}"
        if not (tables / "simulation.json").exists():
            print(f"simulating {customers:,} customers, seed {seed} …", file=sys.stderr, flush=True)
            simulate(tables, customers=customers, months=HISTORY_MONTHS * 2 + AHEAD_MONTHS, seed=seed, start=START)
        days = [add_months(START, HISTORY_MONTHS + month) for month in range(-WARM_UP_MONTHS, HISTORY_MONTHS + 1)]
        for name, one in judged(config_of(tables), TierPolicy.from_yaml(policy_file), days, AHEAD_MONTHS).items():
            found.setdefault(name, []).append(one)
    return validity_table(found)


def india(data: Path) -> list[str]:
    """Rate the panel by its own policy after two months, and judge by the next two."""
    file = ready_configs() / "india-prepaid.yaml"
    config = load_config(file, environ={"CUSTVALUE_DATA": str(data)})
    found = judged(config, TierPolicy.from_yaml(config.tier_policy), [date(2014, 8, 1)], 2)
    return validity_table({name: [one] for name, one in found.items()})


def config_of(folder: Path) -> Config:
    """Give the demonstration's config over another folder of tables."""
    config = load_config(ready_configs() / "demo.yaml")
    return config.model_copy(update={"sources": config.sources.model_copy(update={"folder": folder}), "workspace": folder})


def judged(config: Config, policy: TierPolicy, days: Sequence[date], ahead: int) -> dict[str, Found]:
    """Rate and rank on every day, then compare the last with the revenue of the months after it."""
    opened = open_tables(config)
    peers = peers_of(policy)
    ranks: dict[str, list[pd.Series[int]]] = {name: [] for name in (policy.label, *peers)}
    protected: list[pd.Series[bool]] = []
    previous = None
    for day in days:
        facts = facts_at(opened, config, policy, day)
        policy = policy if policy.cuts else policy.fit(facts, as_of=day)
        previous = policy.assign(facts, as_of=day, previous=previous)
        tiers = previous.set_index("customer_id").tier
        own = tiers[tiers != UNRATED].map({tier: rank for rank, tier in enumerate(policy.tiers)}).astype(int)
        ranks[policy.label].append(own)
        rated = facts.set_index("customer_id").loc[own.index]
        protected.append(is_protected(rated, policy))
        sizes = np.bincount(own, minlength=len(policy.tiers))
        for name, order in peers.items():
            ranks[name].append(cut_at(order(rated), sizes))
    revenue = revenue_ahead(opened, days[-1], ahead).reindex(ranks[policy.label][-1].index).fillna(0.0)
    return {name: measured(each[-HISTORY_MONTHS - 1 :], protected[-HISTORY_MONTHS - 1 :], revenue) for name, each in ranks.items()}


def is_protected(facts: pd.DataFrame, policy: TierPolicy) -> pd.Series[bool]:
    """Tell whose complaint is open or was justified recently."""
    none = pd.Series(np.nan, index=facts.index)
    justified = facts.get("days_since_justified_complaint", none) <= policy.config.protection.justified_within_days
    return justified | (facts.get("complaint_open", none) > 0)


def peers_of(policy: TierPolicy) -> dict[str, Order]:
    """Ways to rank beside a policy; k-means reads the policy's own columns and has as many clusters as it has tiers."""
    from custvalue.tiers import needed_columns

    columns = tuple(name for name in needed_columns(policy.config).features if "complaint" not in name and name != "segment")
    return {
        "ARPU alone, short window": mean_bill,
        "RFM": rfm,
        "k-means on the same columns": Clusters(columns, len(policy.tiers)),
        "ARPU alone, longest window": longest_bill,
    }


def facts_at(opened: SourceTables, config: Config, policy: TierPolicy, day: date) -> pd.DataFrame:
    """What the policy and its peers read of every customer on a day."""
    from custvalue.features import build_features
    from custvalue.tiers import needed_columns

    windows = config.features.windows
    read = {name.format(months) for name in READS for months in windows} | set(needed_columns(policy.config).features)
    built = build_features(opened.known(day), opened.moment(day), config.features, delay_days=opened.delay_days, only=read)
    return built.table.to_pandas().sort_values("customer_id", ignore_index=True)


def revenue_ahead(opened: SourceTables, day: date, months: int) -> pd.Series[float]:
    """Sum every customer's bills of the months from a day on."""
    until = add_months(day, months)
    bills = opened.known(add_months(until, 1))["billing"]
    bills = bills.filter((bills.month >= day) & (bills.month < until))
    return bills.group_by("customer_id").agg(revenue=bills.revenue.sum().cast("float64")).to_pandas().set_index("customer_id").revenue


def cut_at(order: pd.Series[float], sizes: np.ndarray) -> pd.Series[int]:
    """Cut customers, highest first, into groups of the given sizes; 0 is the top."""
    placed = order.sort_values(ascending=False, kind="stable")
    return pd.Series(np.repeat(np.arange(len(sizes)), sizes), index=placed.index)


def measured(ranks: Sequence[pd.Series[int]], protected: Sequence[pd.Series[bool]], revenue: pd.Series[float]) -> Found:
    """Judge tiers by the revenue after the last, and by how often customers moved; `protected` tells who may not fall on each day."""
    last = ranks[-1].reindex(revenue.index)
    seen, protected_falls = 0, 0
    moves: dict[object, list[int]] = {}
    for earlier, later, kept in zip(ranks[:-1], ranks[1:], protected[1:], strict=True):
        step = (later - earlier).dropna()
        seen += len(step)
        protected_falls += int(((step > 0) & kept.reindex(step.index)).sum())
        for customer, size in step[step != 0].items():
            moves.setdefault(customer, []).append(int(np.sign(size)))
    return Found(
        correlation=-float(last.corr(revenue, method="spearman")),
        captured=float(revenue[last <= 1].sum() / revenue.sum()),
        changes=sum(map(len, moves.values())) / seen if seen else float("nan"),
        flips=sum(any(a != b for a, b in pairwise(each)) for each in moves.values()) / len(last),
        protected_falls=protected_falls,
    )


def validity_table(found: dict[str, list[Found]]) -> list[str]:
    """Write means over the operators; the policy comes first. Without a second rating nothing is said of calm."""
    head = ["ranked by", "rank correlation", "top two tiers capture", "part that the policy captures"]
    head += ["change a month", "policy's moves beside these", "up and down in the year", "falls while protected"]
    middle = {name: {key: statistics.mean(getattr(one, key) for one in runs) for key in MEASURES} for name, runs in found.items()}
    policy = next(iter(middle.values()))
    calm = not any(np.isnan(one["changes"]) for one in middle.values())
    lines = [head, ["---", *["---:"] * 7]]
    for name, one in middle.items():
        falls = f"{sum(run.protected_falls for run in found[name]):,}"
        moved = [f"{one['changes']:.2%}", f"{policy['changes'] / one['changes']:.2f}", f"{one['flips']:.1%}", falls] if calm else []
        lines.append([name, f"{one['correlation']:.3f}", f"{one['captured']:.1%}", f"{policy['captured'] / one['captured']:.1%}", *moved])
    return [f"| {' | '.join(cells if calm else cells[:4])} |" for cells in lines]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[8, 9, 10])
    parser.add_argument("--policy", type=Path, default=ready_configs() / "tiers" / "consumer.yaml")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CUSTVALUE_DATA", PROJECT.parent / "shared" / "data")))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "custvalue-benchmark")
    chosen = parser.parse_args(arguments)
    lines = [f"Simulated operators, {len(chosen.seeds)} x {chosen.customers:,} customers:", ""]
    lines += validity(chosen.folder, chosen.seeds, chosen.customers, chosen.policy)
    if (chosen.data / "india_prepaid_panel").is_dir():
        lines += ["", "The prepaid panel of India, months 8 and 9 judge:", "", *india(chosen.data)]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
