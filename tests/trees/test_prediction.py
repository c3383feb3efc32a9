"""Predictions by moves: every bit is LightGBM's, for every kind of split, tree and row."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.churn.merging import merge_models
from custvalue.errors import ModelError
from custvalue.trees import prepare_predict, prepare_shap, shap_values
from custvalue.trees.prediction import BLOCK

from .boosters import chain_text, models, odd_rows, rows_like, train


def by_lightgbm(booster: lightgbm.Booster, X: np.ndarray) -> np.ndarray:
    return np.asarray(booster.predict(X, raw_score=True, num_threads=1))


@given(model=models, columns=st.integers(1, 6), categories=st.integers(0, 2))
@settings(max_examples=60)
def test_every_bit_is_that_of_lightgbm(model: dict, columns: int, categories: int) -> None:
    categories = min(categories, columns)
    X = rows_like(columns, 150, model["seed"], categories=categories)
    booster = train(X, model["trees"], model["leaves"], model["seed"], categories=categories, **model["params"])
    asked = odd_rows(X)
    np.testing.assert_array_equal(prepare_predict(booster).raw(asked), by_lightgbm(booster, asked))


def test_the_comparison_can_fail() -> None:
    X = rows_like(3, 100, 1)
    booster, other = train(X, 5, 8, 1), train(X, 6, 8, 1)
    assert (prepare_predict(booster).raw(X) != by_lightgbm(other, X)).any()


def test_values_on_both_sides_of_a_threshold_are_told_apart() -> None:
    X = rows_like(4, 400, 2, missing=0.0)
    booster = train(X, 10, 31, 2)
    nodes = booster.trees_to_dataframe().query("split_feature == 'Column_0'")
    at = nodes.threshold.astype(float).unique()
    asked = np.repeat(X[:1], 3 * len(at), axis=0)
    asked[:, 0] = np.concatenate([at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf)])
    found = prepare_predict(booster).raw(asked)
    np.testing.assert_array_equal(found, by_lightgbm(booster, asked))
    assert (found[: len(at)] != found[len(at) : 2 * len(at)]).any()
    single = asked.astype(np.float32)
    np.testing.assert_array_equal(prepare_predict(booster).raw(single), by_lightgbm(booster, single))


def test_categories_in_many_runs_are_looked_up() -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.integers(0, 120, 4_000).astype(float), rng.normal(size=4_000)])
    worth = rng.normal(size=120)[X[:, 0].astype(int)] + rng.normal(size=4_000)
    data = lightgbm.Dataset(X, (worth > 0).astype(float), categorical_feature=[0])
    odd = {"min_data_per_group": 1, "cat_smooth": 0, "max_cat_threshold": 120, "bagging_fraction": 0.3, "bagging_freq": 1}
    booster = lightgbm.train({"objective": "binary", "num_leaves": 8, "verbosity": -1, "num_threads": 1, **odd}, data, 30)
    prepared = prepare_predict(booster)
    assert len(prepared.moves.by_bin), "no split has enough runs for a look-up by bin"
    asked = np.vstack([X[:500], [[np.nan, 0.0], [-1.0, 0.0], [119.9, 0.0], [120.0, 0.0], [1e9, np.nan]]])
    np.testing.assert_array_equal(prepared.raw(asked), by_lightgbm(booster, asked))


@pytest.mark.parametrize("max_bin", [254, 255, 256, 257, 1_000])
def test_bins_and_leaves_beyond_a_byte(max_bin: int) -> None:
    X = np.random.default_rng(max_bin).normal(size=(2_000, 2))
    many_leaves = train(X, 4, 400, max_bin, max_bin=max_bin, min_data_in_bin=1)
    stumps = train(X[:, :1], 400, 2, max_bin, max_bin=max_bin, min_data_in_bin=1, extra_trees=True)
    for booster, rows in ((many_leaves, X), (stumps, X[:, :1])):
        np.testing.assert_array_equal(prepare_predict(booster).raw(rows), by_lightgbm(booster, rows))
    assert prepare_predict(many_leaves).moves.most_leaves > 256


@pytest.mark.parametrize("trees", [1, 2, 3, 4, 5])
def test_trees_that_fill_no_whole_batch(trees: int) -> None:
    X = rows_like(3, 200, 4)
    booster = train(X, trees, 6, 4)
    np.testing.assert_array_equal(prepare_predict(booster).raw(X), by_lightgbm(booster, X))


def test_trees_of_one_leaf() -> None:
    X = rows_like(3, 200, 9)
    nothing_learnt = train(X, 2, 6, 9, min_data_in_leaf=500)
    assert "num_leaves=1\n" in nothing_learnt.model_to_string()
    np.testing.assert_array_equal(prepare_predict(nothing_learnt).raw(X), by_lightgbm(nothing_learnt, X))


def test_a_path_of_more_columns_than_can_be_explained_is_predicted() -> None:
    text = chain_text(80)
    X = np.random.default_rng(7).normal(1.0, 1.0, size=(300, 80))
    np.testing.assert_array_equal(prepare_predict(text).raw(X), by_lightgbm(lightgbm.Booster(model_str=text), X))


def test_a_tree_of_too_many_leaves_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custvalue.trees.moves._MOST_LEAVES", 7)
    with pytest.raises(ModelError, match=r"has 8 leaves; at most 7 .*num_leaves"):
        prepare_predict(train(rows_like(4, 300, 5), 2, 8, 5))


def test_a_merged_model_of_small_and_large_trees() -> None:
    X = rows_like(6, 400, 15, categories=1)
    boosters = [train(X, trees, leaves, 15, categories=1) for trees, leaves in ((60, 2), (30, 4), (4, 300))]
    merged = merge_models([booster.model_to_string() for booster in boosters], [0.5, 0.2, 0.3], shift=0.25)
    asked = odd_rows(X)
    np.testing.assert_array_equal(prepare_predict(merged).raw(asked), by_lightgbm(lightgbm.Booster(model_str=merged), asked))


def test_order_of_rows_blocks_and_threads_do_not_matter() -> None:
    X = rows_like(5, 400, 11)
    prepared = prepare_predict(train(X, 20, 15, 11))
    many = np.tile(X, (BLOCK // 400 + 2, 1))[: BLOCK + 77]
    order = np.random.default_rng(0).permutation(len(many))
    found = prepared.raw(many)
    np.testing.assert_array_equal(found[:400], prepared.raw(X))
    np.testing.assert_array_equal(found[order], prepared.raw(many[order], threads=2))
    assert prepared.raw(X[:0]).shape == (0,)


def test_predicted_and_explained_at_once_is_the_same_as_one_by_one(tmp_path: Path) -> None:
    X = rows_like(16, 1_500, 14, categories=1)
    booster = train(X, 6, 120, 14, categories=1, extra_trees=True)
    for _ in range(2):  # the second time from the cache
        raw, values = prepare_shap(booster, cache=tmp_path).predict_and_explain(X, threads=2)
        np.testing.assert_array_equal(raw, by_lightgbm(booster, X))
        np.testing.assert_array_equal(values, shap_values(booster, X))
        np.testing.assert_allclose(values.sum(axis=1), raw, rtol=0, atol=1e-10)


def test_frames_are_read_by_name_and_rows_that_do_not_fit_are_refused() -> None:
    X = np.nan_to_num(rows_like(3, 200, 12) * 10)
    frame = pd.DataFrame(X, columns=["Column_0", "Column_1", "Column_2"])
    prepared = prepare_predict(train(X, 5, 8, 12))
    mixed = frame.astype({"Column_1": "Int64", "Column_2": "int32"})[["Column_2", "Column_0", "Column_1"]].assign(note="left out")
    np.testing.assert_array_equal(prepared.raw(mixed), prepared.raw(X))
    with pytest.raises(ModelError, match="1 of the model's 3 columns are missing, for example Column_1"):
        prepared.raw(frame.drop(columns="Column_1"))


def test_linear_leaves_and_other_objectives_are_refused() -> None:
    X = rows_like(3, 300, 2, missing=0.0)
    for params, told in (({"linear_tree": True}, "linear leaves"), ({"objective": "regression"}, "objective 'regression'")):
        with pytest.raises(ModelError, match=told):
            prepare_predict(train(X, 3, 4, 2, **params))
