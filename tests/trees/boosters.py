"""Random boosters and rows, and Shapley values by the book."""

from __future__ import annotations

from itertools import chain, combinations
from math import factorial, isnan
from typing import Any

import lightgbm
import numpy as np
from hypothesis import strategies as st

models = st.fixed_dictionaries(
    {
        "trees": st.integers(1, 12),
        "leaves": st.integers(2, 31),
        "seed": st.integers(0, 999),
        "params": st.sampled_from(
            [
                {},
                {"zero_as_missing": True},
                {"use_missing": False},
                {"max_bin": 5, "extra_trees": True},
                {"max_depth": 2},
                {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5},
                {"min_gain_to_split": 3.0},
            ]
        ),
    }
)


def odd_rows(X: np.ndarray) -> np.ndarray:
    """Values that training never saw: zero's neighbours, infinity, unseen, negative and broken category codes."""
    odd = np.array([0.0, -0.0, 1e-36, -1e-36, 2e-35, np.nan, np.inf, -np.inf, -0.5, -1.0, 2.7, 99.0, 1e6, 4e9])
    rng = np.random.default_rng(0)
    return np.vstack([X[:60], np.where(rng.random((60, X.shape[1])) < 0.5, rng.choice(odd, (60, X.shape[1])), X[:60])])


def rows_like(columns: int, rows: int, seed: int, *, missing: float = 0.1, categories: int = 0) -> np.ndarray:
    """Numbers on a coarse grid around zero, some missing; the first columns hold category codes."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(rows, columns)), 1)
    X[:, :categories] = rng.integers(0, 12, (rows, categories))
    X[rng.random(X.shape) < missing] = np.nan
    return X


def train(X: np.ndarray, trees: int, leaves: int, seed: int = 0, *, categories: int = 0, **params: Any) -> lightgbm.Booster:
    """A booster whose trees really branch: outcomes depend on all columns, leaves may be tiny."""
    rng = np.random.default_rng(seed)
    signal = np.nan_to_num(X, nan=0.7) @ rng.normal(size=X.shape[1]) + rng.normal(size=len(X))
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "min_data_in_leaf": 2,
        "min_sum_hessian_in_leaf": 0,
        "min_data_per_group": 1,
        "cat_smooth": 0,
        "max_cat_to_onehot": 1 + seed % 6,
        "learning_rate": 0.3,
        "seed": seed,
        "verbosity": -1,
        "num_threads": 1,
    }
    data = lightgbm.Dataset(X, (signal > np.median(signal)).astype(float), categorical_feature=[*range(categories)], free_raw_data=False)
    return lightgbm.train({**settings, **params}, data, trees)


def by_lightgbm(booster: lightgbm.Booster, X: np.ndarray) -> np.ndarray:
    return np.asarray(booster.predict(X, pred_contrib=True, num_threads=1))


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference, relative to max(1, |value|)."""
    return float((np.abs(found - wanted) / np.maximum(1, np.abs(wanted))).max())


def by_enumeration(booster: lightgbm.Booster, row: np.ndarray) -> np.ndarray:
    """Shapley values of one row from their definition: every coalition, numeric splits only."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    players = range(len(row))

    def worth(coalition: tuple[int, ...]) -> float:
        return sum(_mean(tree, row, set(coalition)) for tree in trees)

    values = []
    for player in players:
        others = [other for other in players if other != player]
        value = 0.0
        for coalition in chain.from_iterable(combinations(others, size) for size in range(len(others) + 1)):
            weight = factorial(len(coalition)) * factorial(len(others) - len(coalition)) / factorial(len(players))
            value += weight * (worth((*coalition, player)) - worth(coalition))
        values.append(value)
    return np.array([*values, worth(())])


def _mean(node: dict[str, Any], row: np.ndarray, known: set[int]) -> float:
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        value = row[node["split_feature"]]
        goes_left = node["default_left"] if isnan(value) and node["missing_type"] == "NaN" else np.nan_to_num(value) <= node["threshold"]
        return _mean(left if goes_left else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    return (counts[0] * _mean(left, row, known) + counts[1] * _mean(right, row, known)) / sum(counts)


def chain_text(columns: int) -> str:
    """A model of one tree that asks for one column after the other: its deepest leaves know all of them."""
    rng = np.random.default_rng(columns)
    nodes = columns
    rows = [int(1.3 ** (nodes - node)) + 2 * (nodes - node) + 5 for node in range(nodes + 1)]
    lines = {
        "num_leaves": nodes + 1,
        "num_cat": 0,
        "split_feature": " ".join(map(str, rng.permutation(columns))),
        "split_gain": " ".join(["1"] * nodes),
        "threshold": " ".join(f"{value:.17g}" for value in rng.normal(size=nodes)),
        "decision_type": " ".join(["2"] * nodes),
        "left_child": " ".join(str(-1 - node) for node in range(nodes)),
        "right_child": " ".join([*(str(node + 1) for node in range(nodes - 1)), str(-1 - nodes)]),
        "leaf_value": " ".join(f"{value:.17g}" for value in rng.normal(size=nodes + 1)),
        "leaf_weight": " ".join(["1"] * (nodes + 1)),
        "leaf_count": " ".join(str(value) for value in [*(rows[node] - rows[node + 1] for node in range(nodes)), rows[nodes]]),
        "internal_value": " ".join(["0"] * nodes),
        "internal_weight": " ".join(["1"] * nodes),
        "internal_count": " ".join(str(rows[node]) for node in range(nodes)),
        "is_linear": 0,
        "shrinkage": 1,
    }
    tree = "Tree=0\n" + "\n".join(f"{name}={value}" for name, value in lines.items()) + "\n\n\n"
    names = [f"c{place}" for place in range(columns)]
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={columns - 1}\nobjective=binary sigmoid:1\nfeature_names={' '.join(names)}\n"
        f"feature_infos={' '.join(['[-5:5]'] * columns)}\ntree_sizes={len(tree)}\n\n{tree}end of trees\n\n"
        "feature_importances:\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"
    )
