"""Shows that a model which takes contacted customers as they ended underestimates those whom a call saves.

Run ``python benchmarks/treated_churn.py [--customers N] [--seeds …]``: operators who call much and save many, one model that keeps
contacted rows (``churn.treated: keep``) and one that leaves them out (``drop``), both judged on later nights against the simulator's
chance of leaving *if nobody calls*, which no table holds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from simulated_rows import open_operator

from custvalue.churn import train_model, training_frame
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.sources import add_months

START, ORIGIN, NIGHTS, MONTHS = date(2024, 1, 1), 18, (0, 1, 2), 24
WAYS = ("keep", "drop")
SCENARIO = {"contacts": {"share": 0.12, "treated": 0.8, "reach": 0.75, "persuadable": 0.5, "sleeping_dog": 0.03, "judgement": 0.5}}
WINDOW = {"gap_months": 0, "horizon_months": 3}
"""The simulator's potential outcomes look three months ahead, from the next day on."""


def judge_seed(folder: Path, customers: int, seed: int) -> Iterator[pd.DataFrame]:
    """Give the judged customers with both models' probabilities and the truth."""
    (folder / "calls.yaml").write_text(yaml.safe_dump(SCENARIO))
    simulate(folder / "data", customers=customers, months=MONTHS, seed=seed, start=START, scenario=folder / "calls.yaml")
    truth = pd.read_parquet(folder / "data" / "truth" / "states.parquet")
    as_of, bundles = add_months(START, ORIGIN), {}
    for way in WAYS:
        tables, config = open_operator(folder / "data", treated=way, bootstrap=50, **WINDOW)
        frame, columns, spec = training_frame(tables, as_of, config.churn, config.features)
        bundles[way] = train_model(frame, columns, config.churn, as_of=as_of, feature_spec_hash=spec).bundle
        print(f"seed {seed}, {way}: {frame.leavers:,} leavers, {frame.dropped}", file=sys.stderr, flush=True)
    for month in NIGHTS:
        night = add_months(as_of, month)
        built = build_features(tables.known(night), tables.moment(night), config.features, delay_days=tables.delay_days)
        known = truth[truth.month == add_months(night, -1)][["customer_id", "treatment", "chance_if_not_called", "chance_if_called"]]
        rows = built.table.to_pandas().merge(known, on="customer_id")
        chances = {way: bundle.predict_proba(rows) for way, bundle in bundles.items()}
        yield rows[["treatment", "chance_if_not_called", "chance_if_called"]].assign(**chances)


def saved_table(rows: pd.DataFrame) -> list[str]:
    """Expected over true chance of leaving if nobody calls, by group."""
    saves = rows.chance_if_not_called - rows.chance_if_called
    risky = rows.chance_if_not_called >= rows.chance_if_not_called.quantile(0.9)
    groups = {
        "all": np.ones(len(rows), dtype=bool),
        "a tenth most at risk": risky,
        "persuadable": rows.treatment == "persuadable",
        "persuadable, a tenth most at risk": risky & (rows.treatment == "persuadable"),
    }
    lines = [
        "| customers | rows | leave if nobody calls | a call saves | expected, kept | kept / truth | expected, dropped | dropped / truth |"
    ]
    lines.append("|---|" + "---:|" * 7)
    for name, mask in groups.items():
        true = float(rows.chance_if_not_called[mask].mean())
        means = {way: float(rows[way][mask].mean()) for way in WAYS}
        cells = [f"{mean:.2%} | {mean / true:.2f}" for mean in means.values()]
        lines.append(f"| {name} | {int(mask.sum()):,} | {true:.2%} | {saves[mask].mean():.2%} | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000, help="first customers of each operator (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    chosen = parser.parse_args(arguments)
    parts: list[pd.DataFrame] = []
    for seed in chosen.seeds:
        with tempfile.TemporaryDirectory() as folder:
            parts += judge_seed(Path(folder), chosen.customers, seed)
    print(f"{chosen.customers:,} customers an operator, seeds {chosen.seeds}, {len(NIGHTS)} nights after {ORIGIN} months.\n")
    print("\n".join(saved_table(pd.concat(parts, ignore_index=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
