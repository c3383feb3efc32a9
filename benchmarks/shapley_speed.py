"""Shapley values for everyone: custvalue's tables beside LightGBM's ``pred_contrib``, ``shap.TreeExplainer`` and woodelf-explainer.

Run ``python benchmarks/shapley_speed.py [--sizes 300x31 merged] [--rows 100000] [--peer-python PYTHON]``; it prints a Markdown table.
The peer woodelf-explainer needs a Python of its own with ``woodelf-explainer``, ``lightgbm``, ``numpy`` and ``pandas``; without one it
is left out, and the table says so.

Every way explains rows of one table with one model, in a process of its own, on one thread. Rows a second are those of processor time, so
that other work on the machine counts little; slow ways explain the first rows only. Memory is the peak beyond the loaded rows and
model, the result included. A size is trees x leaves; ``merged`` is a weighted sum of boosters of 1,000 stumps, 500 trees of 7 leaves
and 300 of 31.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

COLUMNS, TRAINED_ON, COMPARED = 60, 30_000, 200
SLOW_ROWS = 1_000
"""So many rows for ways that need milliseconds for each."""


def rows_of(size: int, seed: int) -> np.ndarray:
    """Draw numbers, a sixth of the columns small counts, one value in twenty missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(size, COLUMNS))
    X[:, :10] = np.round(np.exp(X[:, :10]) * 3)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X


def trained(trees: int, leaves: int, seed: int = 0) -> str:
    """Train a booster on an outcome with main effects, an interaction and a wave."""
    rng = np.random.default_rng(seed)
    X = rows_of(TRAINED_ON, seed=0)
    Z = np.nan_to_num(X)
    logit = -2 + 0.15 * Z @ (rng.normal(size=COLUMNS) * (rng.random(COLUMNS) < 0.4)) + 0.5 * Z[:, 11] * Z[:, 12] + np.sin(2 * Z[:, 13])
    y = rng.random(TRAINED_ON) < 1 / (1 + np.exp(-logit))
    params = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbosity": -1, "seed": seed}
    return str(lightgbm.train(params, lightgbm.Dataset(X, y, params={"verbosity": -1}), trees).model_to_string())


def model_of(size: str) -> str:
    """Give the model text of a size."""
    if size == "merged":
        from custvalue.churn.merging import merge_models

        return merge_models([trained(1_000, 2), trained(500, 7), trained(300, 31)], [0.4, 0.4, 0.2])
    trees, leaves = size.split("x")
    return trained(int(trees), int(leaves))


def custvalue_tables(text: str, dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    """Prepare custvalue's tables."""
    from custvalue.trees import prepare_shap

    return prepare_shap(text, dtype=dtype).values


def lightgbm_itself(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """Load the booster."""
    booster = lightgbm.Booster(model_str=text)
    return lambda X: np.asarray(booster.predict(X, pred_contrib=True, num_threads=1))


def tree_explainer(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """Build shap's explainer."""
    import shap

    explainer = shap.TreeExplainer(lightgbm.Booster(model_str=text))

    def explain(X: np.ndarray) -> np.ndarray:
        values = explainer(X)
        return np.column_stack([values.values, np.broadcast_to(values.base_values, len(X))])

    return explain


def woodelf(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """Build woodelf's explainer; it gives no base value."""
    import pandas as pd
    from woodelf import WoodelfExplainer

    booster = lightgbm.Booster(model_str=text)
    explainer = WoodelfExplainer(booster)
    names = booster.feature_name()
    return lambda X: np.column_stack([np.asarray(explainer.shap_values(pd.DataFrame(X, columns=names))), np.full(len(X), np.nan)])


WAYS: dict[str, tuple[bool, Callable[[str], Callable[[np.ndarray], np.ndarray]]]] = {
    "custvalue": (True, lambda text: custvalue_tables(text, "float64")),
    "custvalue, float32 tables": (True, lambda text: custvalue_tables(text, "float32")),
    "LightGBM pred_contrib": (False, lightgbm_itself),
    "shap.TreeExplainer": (False, tree_explainer),
    "woodelf-explainer": (True, woodelf),
}
"""Way → whether it is fast enough for all rows, and what prepares it."""


def run(way: str, folder: Path) -> dict[str, float]:
    """Explain the rows in this process; the first few values are written for comparison."""
    fast, prepare = WAYS[way]
    text, X = (folder / "model.txt").read_text(), np.load(folder / "rows.npy")
    X = X if fast else X[:SLOW_ROWS]
    prepare(text)(X[:COMPARED])  # compiles, where a way compiles
    before = resident()
    began = time.process_time()
    explain = prepare(text)
    prepared = time.process_time()
    values = explain(X)
    ended = time.process_time()
    np.save(folder / "values.npy", values[:COMPARED])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": len(X), "prepare": prepared - began, "explain": ended - prepared, "extra": max(0, peak - before)}


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def timed(way: str, folder: Path, python: str | None) -> dict[str, Any] | None:
    """Run a way in a process of its own; None where it is not installed."""
    interpreter = python if way == "woodelf-explainer" else sys.executable
    if interpreter is None:
        return None
    command = [interpreter, __file__, "--run", way, "--folder", str(folder)]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode:
        print(f"{way}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr, flush=True)
        return None
    return {**json.loads(done.stdout.splitlines()[-1]), "values": np.load(folder / "values.npy")}


def compare(size: str, rows: int, ways: Sequence[str], python: str | None) -> list[str]:
    """Time all ways on one model; a table's lines."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(f"{size}: training …", file=sys.stderr, flush=True)
        (folder / "model.txt").write_text(model_of(size))
        np.save(folder / "rows.npy", rows_of(rows, seed=1))
        found = {}
        for way in ways:
            found[way] = timed(way, folder, python)
            print(f"{size}: {way} done", file=sys.stderr, flush=True)
    exact, mine = found["LightGBM pred_contrib"], found["custvalue"]
    lines = []
    if exact is None or mine is None:
        raise SystemExit(f"{size}: custvalue or LightGBM failed, so there is nothing to compare with.")
    for way, one in found.items():
        if one is None:
            lines.append(f"| {size} | {way} | not installed, or failed | | | | | | |")
            continue
        speed = one["rows"] / one["explain"]
        ratio = (mine["rows"] / mine["explain"]) / speed
        apart = np.nanmax(np.abs(one["values"] - exact["values"]) / np.maximum(1, np.abs(exact["values"])))
        pays = f"{one['prepare'] * exact['rows'] / exact['explain']:,.0f}" if way.startswith("custvalue") else ""
        lines.append(
            f"| {size} | {way} | {one['rows']:,} | {speed:,.0f} | {ratio:,.1f} | {one['prepare']:.2f} | {pays} "
            f"| {one['extra'] / 1e6:,.0f} | {apart:.0e} |"
        )
    return lines


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["300x31"], help="trees x leaves, or merged")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--peer-python", help="the Python that has woodelf-explainer")
    parser.add_argument("--run", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.run:
        print(json.dumps(run(options.run, options.folder)))
        return
    print("| model | way | rows | rows a second | custvalue / this way | prepare, s | pays from rows | extra MB | largest difference |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for size in options.sizes:
        ways = [way for way in WAYS if way in {*options.ways, "custvalue", "LightGBM pred_contrib"}]
        print("\n".join(compare(size, options.rows, ways, options.peer_python)), flush=True)


if __name__ == "__main__":
    main()
