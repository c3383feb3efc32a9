"""Few rows beside a logistic regression: samples of real churn sets, and a truth that is a linear function.

``python benchmarks/few_rows.py [--data FOLDER] [--rows 300 1000 3000] [--samples 6]`` prints a Markdown table of means over samples. Every
model learns from the same rows and is judged on up to 5,000 others. *No line* is custvalue without the logistic regression among its
candidates.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from quality_data import NAMED, Data, load
from quality_peers import logistic, ours

from custvalue import metrics
from custvalue.churn import boosting

JUDGED, COLUMNS = 5_000, 12
LINEAR = "linear truth"


def linear_truth(rows: int, seed: int) -> Data:
    """Draw a dozen columns, two of them correlated, and leavers whose log-odds are a weighted sum of these; some 20 % leave."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, COLUMNS))
    X[:, 1] += X[:, 0]
    chance = 1 / (1 + np.exp(1.8 - X @ random.normal(0, 0.5, COLUMNS)))
    return pd.DataFrame(X).add_prefix("x"), (random.random(rows) < chance).astype(np.int8)


def without_line(X: pd.DataFrame, y: NDArray[np.int8], later: pd.DataFrame, budget: float) -> NDArray[np.float64]:
    """Fit as custvalue does, with boosters alone."""
    usual = boosting.default_candidates
    boosting.default_candidates = lambda *sizes: tuple(candidate for candidate in usual(*sizes) if not candidate.linear)
    try:
        return ours(X, y, later, budget)
    finally:
        boosting.default_candidates = usual


WAYS = {"custvalue": ours, "no line": without_line, "logistic regression": logistic}


def judged(name: str, rows: int, samples: int, folder: Path) -> dict[str, tuple[float, float]]:
    """Mean AUC and log loss of each way."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for seed in range(samples):
        X, y = linear_truth(rows + JUDGED, seed) if name == LINEAR else load(name, folder)[1]
        order = np.random.default_rng(seed).permutation(len(y))
        learn, judge = order[:rows], order[rows : rows + JUDGED]
        for way, fit in WAYS.items():
            p = fit(X.iloc[learn].reset_index(drop=True), y[learn], X.iloc[judge].reset_index(drop=True), 0.0)
            found[way].append((metrics.roc_auc(y[judge], p), metrics.log_loss(y[judge], p)))
    return {way: (float(np.mean([auc for auc, _ in each])), float(np.mean([loss for _, loss in each]))) for way, each in found.items()}


def table(names: list[str], sizes: list[int], samples: int, folder: Path) -> Iterator[str]:
    """Write a row a data set and size."""
    yield f"| data | rows | {' | '.join(WAYS)} |"
    yield "|---|---:|" + "---:|" * len(WAYS)
    for name in names:
        for rows in sizes:
            if name != LINEAR and rows > len(load(name, folder)[1][1]) / 2:
                continue  # too few would be left to judge
            cells = [f"{auc:.3f} / {loss:.4f}" for auc, loss in judged(name, rows, samples, folder).values()]
            yield f"| {name} | {rows:,} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CUSTVALUE_DATA") or beside), help="folder of the data sets")
    parser.add_argument("--only", nargs="+", default=[LINEAR, *NAMED], help="data sets (default: %(default)s)")
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1_000, 3_000])
    parser.add_argument("--samples", type=int, default=6)
    chosen = parser.parse_args()
    print(f"AUC / log loss, means of {chosen.samples} samples.\n")
    for line in table(chosen.only, chosen.rows, chosen.samples, chosen.data):
        print(line, flush=True)


if __name__ == "__main__":
    main()
