"""Quality on flat data beside what a data scientist would pick instead: the same rows, the same five folds, one run.

``python benchmarks/quality.py [DATA…] [--data FOLDER] [--flaml-seconds S] [--only NAME,NAME]`` prints Markdown. DATA is ``ibm_telco``,
``iranian_churn``, ``mlc_churn``, ``tv_subscriptions`` (all of them if left out), or PATH:TARGET[:COLUMN,COLUMN] for a CSV or Parquet file,
its target and columns to drop. Peers that are not installed are named and left out; ``pip install catboost 'flaml[automl]'`` brings the
usual ones. Every model has its defaults; none is tuned to what this measures. One thread each.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from quality_data import NAMED, load
from quality_peers import PEERS, SEED, missing
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold

from custvalue import metrics

FOLDS = 5
LEAST_BUDGET = 10.0
RANKED = {"AUC": -1, "log loss": 1}


def main() -> None:
    """Print a table for each data set, and the mean ranks."""
    arguments = _arguments()
    absent = missing()
    names = [name for name in PEERS if name not in absent and (not arguments.only or name in arguments.only.split(","))]
    print("# Quality on flat data\n")
    print(
        f"{FOLDS} stratified folds, seed {SEED}; AUC ± standard deviation over folds; calibration excess of pooled out-of-fold predictions."
    )
    print(f"Not installed: {', '.join(absent) or 'none'}.")
    tables = {}
    for asked in arguments.data or list(NAMED):
        title, (X, y) = load(asked, arguments.folder)
        table = tables[title] = judge(X, y, names, arguments.flaml_seconds)
        print(f"\n## {title}: {len(y):,} rows, {X.shape[1]} columns, {y.mean():.2%} left\n\n{told(table)}", flush=True)
    ranks = {measure: np.mean([rankdata(sign * table[measure]) for table in tables.values()], axis=0) for measure, sign in RANKED.items()}
    ranking = pd.DataFrame(ranks, index=names).rename(columns=lambda name: f"mean rank {name}")
    print(f"\n## Mean rank over {len(tables)} data sets\n\n{told(ranking)}")


def judge(X: pd.DataFrame, y: NDArray[np.int8], names: Sequence[str], seconds: float | None) -> pd.DataFrame:
    """Fit each model on each fold and measure it, a row a model."""
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(X, y))
    budget = seconds or LEAST_BUDGET
    rows = {}
    for name in names:
        p, spent = np.empty(len(y)), []
        for number, (train, test) in enumerate(folds):
            began = time.perf_counter()
            p[test] = PEERS[name][0](X.iloc[train].reset_index(drop=True), y[train], X.iloc[test].reset_index(drop=True), budget)
            spent.append(time.perf_counter() - began)
            print(f"{name}: fold {number + 1} of {FOLDS}, {spent[-1]:.1f} s", file=sys.stderr, flush=True)
        rows[name] = measured(y, p, [test for _, test in folds]) | {"fit s": float(np.median(spent))}
        if name == "custvalue" and seconds is None:
            budget = max(LEAST_BUDGET, rows[name]["fit s"])
    return pd.DataFrame(rows).T


def measured(y: NDArray[np.int8], p: NDArray[np.float64], folds: Sequence[NDArray[np.intp]]) -> dict[str, float]:
    """Mean over folds; calibration over the pooled predictions."""
    each = {
        "AUC": metrics.roc_auc,
        "PR-AUC": metrics.average_precision,
        "log loss": metrics.log_loss,
        "Brier": metrics.brier_score,
        "lift@10 %": lambda y, p: metrics.lift_score(y, p, share=0.10),
        "EMPC": metrics.empc_score,
    }
    found = {name: float(np.mean([measure(y[fold], p[fold]) for fold in folds])) for name, measure in each.items()}
    spread = float(np.std([metrics.roc_auc(y[fold], p[fold]) for fold in folds]))
    excess = metrics.expected_calibration_error(y, p) - metrics.perfect_calibration_error(p, seed=SEED)
    return {"AUC": found.pop("AUC"), "±": spread, **found, "calibration excess": excess}


def told(table: pd.DataFrame) -> str:
    """Markdown, the best of each column in bold where there is a best."""
    digits = {"lift@10 %": 2, "EMPC": 3, "fit s": 1}
    lines = [f"| model | {' | '.join(table.columns)} |", f"|---|{'---:|' * len(table.columns)}"]
    for name, row in table.iterrows():
        cells = [f"{value:.{2 if str(column).startswith('mean rank') else digits.get(str(column), 4)}f}" for column, value in row.items()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help="names or PATH:TARGET[:COLUMN,COLUMN]")
    parser.add_argument("--data", dest="folder", type=Path, default=Path(os.environ.get("CUSTVALUE_DATA") or beside))
    parser.add_argument("--flaml-seconds", type=float, help="budget of AutoML a fold; our own fit time if left out, and 10 s at least")
    parser.add_argument("--only", help="models to run, comma-separated")
    return parser.parse_args()


if __name__ == "__main__":
    main()
