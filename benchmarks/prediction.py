"""Predictions for everyone, alone and with their reasons: custvalue's trees beside ``Booster.predict`` and ``shap.TreeExplainer``.

Run ``python benchmarks/prediction.py [--sizes 300x31 merged] [--rows 100000] [--champion 3000]``; it prints two Markdown
tables: predictions of a matrix, and a part of a night scored from its frame of features (encoded, predicted, explained, calibrated).

All ways work in one process, in turns, and the median of the turns counts. On one thread rows a second are those of processor time, so
that other work on the machine counts little; on two threads those of the clock, which other work spoils for all ways alike. Every
result is compared with LightGBM's, bit by bit. The naive way to score is what a notebook does, ``predict_proba`` (which is
``Booster.predict``) and ``shap.TreeExplainer``, which is given fewer rows; the matrix it needs costs it nothing here. A size is
trees x leaves with 60 columns; ``merged`` is a weighted sum of boosters of 1,000 stumps, 500 trees of 7 leaves and 300 of 31, ``wide``
the same with 300 columns. The champion is trained
on simulated customers as the demonstration trains its own; its rows are the active customers of a night, repeated as often as needed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from simulated_rows import open_operator
from threadpoolctl import threadpool_limits

from custvalue.churn import ModelBundle, train_model, training_frame
from custvalue.churn.calibration import Calibrator
from custvalue.churn.merging import merge_models
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.trees import prepare_predict

LEARNT_FROM, SLOW_ROWS, EXPLAINED_ROWS = 8_000, 10_000, 200
"""Rows that train; rows for ways that need tens of microseconds, or milliseconds, for each."""
NIGHT = date(2026, 1, 1)
PARTS = {"merged": 60, "wide": 300}


def rows_of(size: int, columns: int, seed: int) -> np.ndarray:
    """Draw numbers, a sixth of the columns small counts, one value in twenty missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(size, columns))
    counts = columns // 6
    X[:, :counts] = np.round(np.exp(X[:, :counts]) * 3)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X


def trained(trees: int, leaves: int, columns: int) -> str:
    """Train a booster on an outcome with main effects, an interaction and a wave."""
    rng = np.random.default_rng(0)
    X = rows_of(LEARNT_FROM, columns, seed=0)
    Z = np.nan_to_num(X)
    logit = -2 + 0.15 * Z @ (rng.normal(size=columns) * (rng.random(columns) < 0.4)) + 0.5 * Z[:, 51] * Z[:, 52] + np.sin(2 * Z[:, 53])
    y = rng.random(LEARNT_FROM) < 1 / (1 + np.exp(-logit))
    params = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "feature_fraction": 0.4, "verbosity": -1}
    params |= {"seed": 0, "num_threads": 1}
    return str(lightgbm.train(params, lightgbm.Dataset(X, y, params={"verbosity": -1}), trees).model_to_string())


def model_of(size: str) -> tuple[str, int]:
    """Give the model text of a size, and its number of columns."""
    columns = PARTS.get(size, 60)
    if size in PARTS:
        texts = [trained(trees, leaves, columns) for trees, leaves in ((1_000, 2), (500, 7), (300, 31))]
        return merge_models(texts, [0.4, 0.4, 0.2]), columns
    trees, leaves = size.split("x")
    return trained(int(trees), int(leaves), columns), columns


def bundle_of(text: str, columns: int) -> ModelBundle:
    """Wrap a model text of number columns as training would."""
    named = text.replace(" ".join(f"Column_{place}" for place in range(columns)), " ".join(names_of(columns)), 1)
    kinds = tuple((name, "number") for name in names_of(columns))
    return ModelBundle(named, kinds, {}, Calibrator("sigmoid", 1.1, -0.1), "none", {}, {}, {})


def names_of(columns: int) -> list[str]:
    """Names of made-up columns."""
    return [f"feature_{place}" for place in range(columns)]


def in_turns(ways: Mapping[str, tuple[Callable[[], Any], int]], turns: int) -> dict[str, float]:
    """Rows a second of each way, a median; the first turn warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, (work, _) in ways.items():
            clock = time.perf_counter if name.endswith(", 2") else time.process_time
            began = clock()
            work()
            if turn:
                seconds[name].append(clock() - began)
    return {name: rows / median(seconds[name]) for name, (_, rows) in ways.items()}


def predict(name: str, bundle: ModelBundle, X: pd.DataFrame, turns: int) -> Iterator[str]:
    """Predict a matrix in all ways; a table's lines."""
    matrix = bundle.encode(X)
    slow = np.ascontiguousarray(matrix[:SLOW_ROWS])
    prepare_predict(bundle.model_text).raw(matrix[:1])
    began = time.process_time()
    predictor = prepare_predict(bundle.model_text)
    prepared = time.process_time() - began
    booster = lightgbm.Booster(model_str=bundle.model_text)
    ways: dict[str, tuple[Callable[[], Any], int]] = {}
    for threads in (1, 2):
        theirs = partial(booster.predict, slow, raw_score=True, num_threads=threads)
        ways[f"LightGBM, {threads}"] = (theirs, len(slow))
        ways[f"custvalue, {threads}"] = (partial(predictor.raw, matrix, threads=threads), len(matrix))
    speed = in_turns(ways, turns)
    found, wanted = predictor.raw(matrix)[: len(slow)], np.asarray(booster.predict(slow, raw_score=True))
    same = "yes" if np.array_equal(found, wanted) else f"no: {np.abs(found - wanted).max():.0e}"
    one = speed["LightGBM, 1"]
    pays = prepared / (1 / one - 1 / speed["custvalue, 1"])
    yield (
        f"| {name} | {one:,.0f} | {speed['LightGBM, 2']:,.0f} | {speed['custvalue, 1']:,.0f} "
        f"| {speed['custvalue, 2']:,.0f} | {speed['custvalue, 1'] / one:,.1f} "
        f"| {speed['custvalue, 2'] / speed['LightGBM, 2']:,.1f} | {prepared:.2f} | {pays:,.0f} | {same} |"
    )


def score(name: str, bundle: ModelBundle, X: pd.DataFrame, turns: int) -> Iterator[str]:
    """Score a part of a night from its frame, and the naive way; a table's lines."""
    import shap

    matrix = bundle.encode(X)
    few = np.ascontiguousarray(matrix[:EXPLAINED_ROWS])
    slow = np.ascontiguousarray(matrix[:SLOW_ROWS])
    explainer = shap.TreeExplainer(bundle.booster)
    ways: dict[str, tuple[Callable[[], Any], int]] = {
        "encode": (partial(bundle.encode, X), len(X)),
        "predict": (partial(bundle.tree_predictor.raw, matrix), len(X)),
        "explain": (partial(bundle.tree_shap.values, matrix), len(X)),
        "together": (lambda: bundle.calibrator.apply(bundle.predict_and_explain(X)[0]), len(X)),
        "LightGBM": (partial(bundle.booster.predict, slow, num_threads=1), len(slow)),
        "TreeExplainer": (partial(explainer.shap_values, few), len(few)),
    }
    with threadpool_limits(1), warnings.catch_warnings(action="ignore", category=UserWarning):
        speed = in_turns(ways, turns)
    naive = 1 / (1 / speed["LightGBM"] + 1 / speed["TreeExplainer"])
    told = " | ".join(f"{speed[way]:,.0f}" for way in ("encode", "predict", "explain", "together", "TreeExplainer"))
    yield f"| {name} | {told} | {naive:,.0f} | {speed['together'] / naive:,.0f} |"


def champion(customers: int) -> tuple[ModelBundle, pd.DataFrame]:
    """Simulate the demonstration's operator, train on it as the demonstration does, and build a night's features."""
    with tempfile.TemporaryDirectory(prefix="custvalue-benchmark-") as made:
        folder = Path(made)
        simulate(folder, customers=customers, months=24, seed=7)
        tables, config = open_operator(folder, bootstrap=50)
        frame, columns, spec = training_frame(tables, NIGHT, config.churn, config.features)
        bundle = train_model(frame, columns, config.churn, as_of=NIGHT, feature_spec_hash=spec).bundle
        built = build_features(tables.known(NIGHT), tables.moment(NIGHT), config.features, delay_days=tables.delay_days)
        return bundle, built.table.to_pandas()


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", nargs="*", default=["300x31", "merged"], help="trees x leaves, merged, or wide")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--champion", type=int, metavar="CUSTOMERS", help="also a model trained on so many simulated customers")
    options = parser.parse_args(argv)
    models: dict[str, tuple[ModelBundle, pd.DataFrame]] = {}
    for size in options.sizes:
        print(f"{size}: training …", file=sys.stderr, flush=True)
        text, columns = model_of(size)
        models[size] = bundle_of(text, columns), pd.DataFrame(rows_of(options.rows, columns, seed=1), columns=names_of(columns))
    if options.champion:
        print("champion: training …", file=sys.stderr, flush=True)
        bundle, facts = champion(options.champion)
        models[f"champion, {len(bundle.columns)} columns"] = (
            bundle,
            pd.concat([facts] * (options.rows // len(facts) + 1), ignore_index=True).head(options.rows),
        )
    print("| model | LightGBM, 1 thread | 2 | custvalue, 1 thread | 2 | ratio, 1 thread | 2 | prepare, s | pays from rows | bits equal |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    for name, (bundle, X) in models.items():
        print("\n".join(predict(name, bundle, X, options.turns)), flush=True)
    print("\n| model | encode | predict | explain | all together | `TreeExplainer` | naive way | custvalue / naive |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (bundle, X) in models.items():
        print("\n".join(score(name, bundle, X.head(25_000), options.turns)), flush=True)


if __name__ == "__main__":
    main()
