"""What each calibrator costs: log loss above the true probabilities' on slices whose truth is known, beside scikit-learn's.

Run ``python benchmarks/calibrators.py [--repeats N]``. A booster's log-odds are the true ones, distorted: not at all, by a level, by a
factor, bent at one point, or S-shaped. A calibrator is fitted on a slice and judged on 20,000 fresh rows by their true probabilities, so
that no luck of their outcomes enters. Figures are ten-thousandths of a nat, means over slices.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from custvalue.churn.calibration import SIMPLEST_FIRST, fit_calibrator

Floats = NDArray[np.float64]
Calibrate = Callable[[Floats, NDArray[np.int64], Floats], Floats]

SLICES = {500: 40, 2_000: 20, 10_000: 10, 50_000: 3}
"""Rows of a slice → slices a repeat."""
BASES = {"5 %": -3.4, "21 %": -1.6}
"""Churn rate → mean of the true log-odds, whose standard deviation is 1.1."""
DISTORTIONS: dict[str, Callable[[Floats], Floats]] = {
    "none": lambda truth: truth,
    "level": lambda truth: truth + 0.3,
    "factor": lambda truth: 1.4 * truth + 0.6,
    "bent": lambda truth: np.where(truth < -2, 1.5 * (truth + 2), 0.6 * (truth + 2)) - 2,
    "S-shaped": lambda truth: 4 * np.tanh((truth + 2.5) / 2) - 2.5,
}
FRESH = 20_000


def ours(kind: str) -> Calibrate:
    """Calibrate with one of custvalue's kinds."""
    return lambda raw, y, fresh: fit_calibrator(raw, y, kind=kind).log_odds(fresh)  # type: ignore[arg-type]


def their_sigmoid(raw: Floats, y: NDArray[np.int64], fresh: Floats) -> Floats:
    """Calibrate with scikit-learn's unpenalised logistic regression."""
    return np.asarray(LogisticRegression(C=np.inf).fit(raw[:, None], y).decision_function(fresh[:, None]))


def their_isotonic(raw: Floats, y: NDArray[np.int64], fresh: Floats) -> Floats:
    """Calibrate with scikit-learn's isotonic regression, its zeros and ones kept a millionth away."""
    p = IsotonicRegression(out_of_bounds="clip").fit(raw, y).predict(fresh).clip(1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


WAYS: dict[str, Calibrate] = {
    **{kind: ours(kind) for kind in SIMPLEST_FIRST},
    "scikit-learn sigmoid": their_sigmoid,
    "scikit-learn isotonic": their_isotonic,
}


def excess(truth: Floats, told: Floats) -> float:
    """Mean log loss of log-odds above that of the true ones, over outcomes drawn from these, in ten-thousandths of a nat."""
    p = expit(truth)
    loss = p * (np.logaddexp(0, -told) - np.logaddexp(0, -truth)) + (1 - p) * (np.logaddexp(0, told) - np.logaddexp(0, truth))
    return 1e4 * float(loss.mean())


def measured(rows: int, mean: float, distort: Callable[[Floats], Floats], *, slices: int) -> tuple[dict[str, float], Counter[str]]:
    """Give each way's mean cost, and how often each kind was chosen."""
    fresh = np.random.default_rng(10**6).normal(mean, 1.1, FRESH)
    costs: dict[str, list[float]] = {name: [] for name in ("auto", *WAYS)}
    chosen: Counter[str] = Counter()
    for seed in range(slices):
        random = np.random.default_rng(seed)
        truth = random.normal(mean, 1.1, rows)
        y = (random.random(rows) < expit(truth)).astype(np.int64)
        found = fit_calibrator(distort(truth), y)
        chosen[found.kind] += 1
        costs["auto"].append(excess(fresh, found.log_odds(distort(fresh))))
        for name, way in WAYS.items():
            costs[name].append(excess(fresh, way(distort(truth), y, distort(fresh))))
    return {name: float(np.mean(each)) for name, each in costs.items()}, chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=1, help="how many times as many slices (default: %(default)s)")
    repeats = parser.parse_args(arguments).repeats
    if repeats < 1:
        parser.error("--repeats must be at least 1")
    names = ["auto", *WAYS]
    print(f"| rate | rows | distortion | {' | '.join(names)} | auto chose |\n|---|---:|---|{'---:|' * len(names)}---|")
    for rate, mean in BASES.items():
        for rows, slices in SLICES.items():
            for told, distort in DISTORTIONS.items():
                print(f"{rate} {rows} {told} …", file=sys.stderr, flush=True)
                costs, chosen = measured(rows, mean, distort, slices=slices * repeats)
                often = ", ".join(f"{kind} {count}" for kind, count in chosen.most_common())
                print(f"| {rate} | {rows:,} | {told} | {' | '.join(f'{costs[name]:.1f}' for name in names)} | {often} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
