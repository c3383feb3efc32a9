"""How often the gates against the champion let a challenger pass: an equal one, a better one and a worse one.

Champion and challenger give the true log-odds with noise of their own, so which of them is better is known. Rows have the churn rate
and the spread of risk of a monthly panel; nobody is trained. The table shows, by leavers on the test slice, how many of the challengers
pass each gate with the limits of `PromotionConfig()`.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import PromotionConfig
from custvalue.tracking import JudgedRows
from custvalue.tracking.comparison import compare
from custvalue.tracking.gates import champion_gates

RATE, SPREAD = 0.02, 1.1
NOISE = {"equal": 0.5, "better": 0.2, "worse": 0.9, "much worse": 1.3}
CHAMPION = 0.5


def panel(rows: int, noise: float, seed: int) -> JudgedRows:
    """Draw one test slice on which both were scored; the mean probability of each is the true rate."""
    random = np.random.default_rng(seed)
    truth = random.normal(np.log(RATE / (1 - RATE)) - SPREAD**2 / 2, SPREAD, rows)

    def scored(noise: float) -> np.ndarray:
        # regression to the mean, as a calibrated model with that much noise shows it
        shrink = SPREAD**2 / (SPREAD**2 + noise**2)
        seen = truth.mean() + shrink * (truth + noise * random.normal(size=rows) - truth.mean())
        return 1 / (1 + np.exp(-seen - (1 - shrink) * SPREAD**2 / 2))

    frame = pd.DataFrame(
        {
            "snapshot": pd.Timestamp("2025-10-01"),
            "customer": np.arange(rows),
            "y": (random.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8),
            "probability": scored(noise),
            "rival": scored(CHAMPION),
            "worth_left": random.lognormal(4, 0.7, rows),
            "worth_stayed": -6.0,
            "slice_tier": random.choice(["diamond", "gold", "silver", "basic"], rows, p=[0.05, 0.15, 0.3, 0.5]),
        }
    )
    return JudgedRows(frame, 0.02, date(2025, 6, 1))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[4_000, 20_000, 80_000])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=150)
    told = parser.parse_args()
    header: list[str] = []
    for rows in told.rows:
        for name, noise in NOISE.items():
            passed, leavers = [], []
            for seed in range(told.repeats):
                judged = panel(rows, noise, seed)
                sides = {"challenger": "probability", "champion": "rival"}
                found = compare(judged.rows, judged.slices, **sides, capacity_share=judged.capacity_share, resamples=told.resamples)
                gates = champion_gates(found, PromotionConfig())
                passed.append([gate.passed for gate in gates])
                leavers.append(found.leavers)
            if not header:
                header = ["rows", "leavers", "challenger", *(gate.gate for gate in gates), "all"]
                print(f"| {' | '.join(header)} |\n|---:|---:|---|{'---:|' * (len(header) - 3)}")
            rates = [*np.mean([row[: len(header) - 4] for row in passed], axis=0), np.mean([all(row) for row in passed])]
            cells = " | ".join(f"{rate:.0%}" for rate in rates)
            print(f"| {rows:,} | {np.mean(leavers):.0f} | {name} | {cells} |", flush=True)
            print(f"{rows:,} rows, {name}: done", file=sys.stderr)


if __name__ == "__main__":
    main()
