"""Shapley values by table: what LightGBM and the definition give, for every kind of split, tree and row."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custvalue
from custvalue.churn.merging import merge_models
from custvalue.errors import ModelError
from custvalue.trees import prepare_shap, shap_values
from custvalue.trees.prediction import BLOCK

from .boosters import apart, by_enumeration, by_lightgbm, chain_text, models, odd_rows, rows_like, train

EXACT, SINGLE = 1e-9, 1e-5


@given(model=models, columns=st.integers(1, 6), categories=st.integers(0, 2))
@settings(max_examples=60)
def test_equal_to_lightgbm(model: dict, columns: int, categories: int) -> None:
    categories = min(categories, columns)
    X = rows_like(columns, 150, model["seed"], categories=categories)
    booster = train(X, model["trees"], model["leaves"], model["seed"], categories=categories, **model["params"])
    asked = odd_rows(X)
    wanted = by_lightgbm(booster, asked)
    assert apart(shap_values(booster, asked), wanted) < EXACT
    assert apart(shap_values(booster, asked, dtype=np.float32), wanted) < SINGLE


@given(seed=st.integers(0, 999), leaves=st.integers(2, 12))
@settings(max_examples=10)
def test_equal_to_the_definition(seed: int, leaves: int) -> None:
    X = rows_like(4, 80, seed)
    booster = train(X, 3, leaves, seed)
    found = shap_values(booster, X[:3])
    assert apart(found, np.array([by_enumeration(booster, row) for row in X[:3]])) < EXACT


def test_the_comparison_can_fail() -> None:
    X = rows_like(3, 100, 1)
    booster, other = train(X, 5, 8, 1), train(X, 6, 8, 1)
    assert apart(shap_values(booster, X), by_lightgbm(other, X)) > SINGLE


def test_many_stumps_share_tables_across_trees() -> None:
    X = rows_like(3, 600, 5, missing=0.05)
    booster = train(X, 400, 2, 5, learning_rate=0.05, extra_trees=True)
    prepared = prepare_shap(booster)
    assert sum(len(tables.entries) for tables in prepared.tables) <= 3
    assert any(len(tables.by_bin) for tables in prepared.tables), "no column has enough states for a look-up by bin"
    assert apart(prepared.values(X), by_lightgbm(booster, X)) < EXACT


def test_deep_trees_are_explained_without_tables() -> None:
    X = rows_like(30, 2_000, 6)
    booster = train(X, 3, 300, 6, extra_trees=True, max_depth=20, feature_fraction_bynode=0.2)
    prepared = prepare_shap(booster)
    assert sum(len(games.value) for games in prepared.wide) > 10
    asked = odd_rows(X)
    assert apart(prepared.values(asked), by_lightgbm(booster, asked)) < EXACT


@pytest.mark.parametrize("columns", [13, 20, 33])
def test_a_path_of_many_columns(columns: int) -> None:
    text = chain_text(columns)
    X = np.random.default_rng(7).normal(1.0, 1.0, size=(300, columns))
    assert apart(shap_values(text, X), by_lightgbm(lightgbm.Booster(model_str=text), X)) < EXACT


def test_a_path_of_too_many_columns_is_refused() -> None:
    with pytest.raises(ModelError, match=r"asks for 65 columns; at most 64 .* max_depth"):
        prepare_shap(chain_text(65))


def test_a_model_too_large_for_its_memory_is_explained_with_smaller_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    X = rows_like(12, 800, 8)
    booster = train(X, 20, 31, 8)
    whole = prepare_shap(booster)
    monkeypatch.setattr("custvalue.trees.preparing.TABLE_BYTES", 100_000)
    monkeypatch.setattr("custvalue.trees.preparing._BATCH", 5_000)
    small = prepare_shap(booster)
    assert sum(tables.value.nbytes for tables in small.tables) <= 100_000 < sum(tables.value.nbytes for tables in whole.tables)
    assert len(small.tables) > 1
    assert apart(small.values(X), by_lightgbm(booster, X)) < EXACT


def test_trees_of_one_leaf_and_constant_columns() -> None:
    X = rows_like(3, 200, 9)
    X[:, 1] = 4.0
    nothing_learnt = train(X, 2, 6, 9, min_data_in_leaf=500)
    assert "num_leaves=1\n" in nothing_learnt.model_to_string()
    assert apart(shap_values(nothing_learnt, X), by_lightgbm(nothing_learnt, X)) < EXACT
    found = shap_values(train(X, 6, 6, 9), X)
    assert (found[:, 1] == 0).all()
    assert np.ptp(found[:, 0]) > 0


def test_a_merged_model_is_the_weighted_sum_of_its_boosters() -> None:
    X = rows_like(6, 400, 15, categories=1)
    boosters = [train(X, trees, leaves, 15, categories=1) for trees, leaves in ((60, 2), (30, 4), (8, 31))]
    weights = [0.5, 0.2, 0.3]
    merged = merge_models([booster.model_to_string() for booster in boosters], weights, shift=0.25)
    asked = odd_rows(X)
    wanted = sum(weight * by_lightgbm(booster, asked) for weight, booster in zip(weights, boosters, strict=True))
    wanted[:, -1] += 0.25
    assert apart(shap_values(merged, asked), wanted) < EXACT
    assert apart(shap_values(merged, asked, dtype=np.float32), wanted) < SINGLE
    assert apart(shap_values(merged, asked), by_lightgbm(lightgbm.Booster(model_str=merged), asked)) < EXACT


def test_values_add_up_to_the_raw_prediction() -> None:
    X = rows_like(8, 500, 10, categories=2)
    booster = train(X, 40, 15, 10, categories=2)
    assert apart(shap_values(booster, X).sum(axis=1), booster.predict(X, raw_score=True)) < EXACT


def test_order_of_rows_blocks_and_threads_do_not_matter() -> None:
    X = rows_like(5, 400, 11)
    prepared = prepare_shap(train(X, 20, 15, 11))
    many = np.tile(X, (BLOCK // 400 + 2, 1))[: BLOCK + 77]
    order = np.random.default_rng(0).permutation(len(many))
    found = prepared.values(many)
    np.testing.assert_array_equal(found[:400], prepared.values(X))
    np.testing.assert_array_equal(found[BLOCK:], prepared.values(many[BLOCK:]))
    np.testing.assert_array_equal(found[order], prepared.values(many[order], threads=2))


def test_frames_are_read_by_name_and_arrays_of_any_kind() -> None:
    X = np.nan_to_num(rows_like(3, 200, 12) * 10)
    frame = pd.DataFrame(X, columns=["a b", "c", "d"])
    booster = train(X, 5, 8, 12)
    booster = lightgbm.Booster(model_str=booster.model_to_string().replace("Column_0 Column_1 Column_2", "a_b c d"))
    wanted = shap_values(booster, X)
    mixed = frame.astype({"c": "Int64", "d": "float64"})[["d", "a b", "c"]].assign(note="left out")
    np.testing.assert_array_equal(shap_values(booster, mixed), wanted)
    np.testing.assert_array_equal(shap_values(booster, np.asfortranarray(X)), wanted)
    np.testing.assert_array_equal(shap_values(booster, X.astype(int).tolist()), wanted)
    mixed.loc[0, "c"] = pd.NA
    X[0, 1] = np.nan
    assert apart(shap_values(booster, mixed), by_lightgbm(booster, X)) < EXACT
    assert shap_values(booster, X[:0]).shape == (0, 4)


def test_rows_that_do_not_fit_are_refused() -> None:
    X = rows_like(3, 100, 13)
    prepared = prepare_shap(train(X, 2, 4, 13))
    frame = pd.DataFrame(X, columns=["Column_0", "Column_1", "Column_2"])
    with pytest.raises(ModelError, match=r"shape \(100, 2\); the model has 3 columns"):
        prepared.values(X[:, :2])
    with pytest.raises(ModelError, match=r"shape \(3,\)"):
        prepared.values(X[0])
    with pytest.raises(ModelError, match="1 of the model's 3 columns are missing, for example Column_1"):
        prepared.values(frame.drop(columns="Column_1"))
    with pytest.raises(ModelError, match=r"Column_0 \(category\).*codes"):
        prepared.values(frame.assign(Column_0=pd.Categorical(["red"] * 100)))
    with pytest.raises(ModelError, match="must be numbers"):
        prepared.values(X.astype(object))
    with pytest.raises(ModelError, match="do not form a matrix"):
        prepared.values([[1, 2, 3], [4]])


def test_prepared_tables_are_kept_and_mended(tmp_path: Path) -> None:
    X = rows_like(16, 1_500, 14, categories=1)
    booster = train(X, 6, 120, 14, categories=1, extra_trees=True)
    wanted = shap_values(booster, X)
    for dtype in (np.float32, np.float64):
        first = prepare_shap(booster, dtype=dtype, cache=tmp_path).values(X)
        np.testing.assert_array_equal(prepare_shap(booster, dtype=dtype, cache=tmp_path).values(X), first)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    written = files[1].stat().st_mtime_ns
    assert shap_values(booster, X[:1], cache=tmp_path).shape == (1, 17)
    assert files[1].stat().st_mtime_ns == written, "a second process prepared the tables again"
    files[1].write_bytes(files[1].read_bytes()[:-100])
    np.testing.assert_array_equal(shap_values(booster, X, cache=tmp_path), wanted)
    assert files[1].stat().st_mtime_ns != written


def test_it_is_a_public_name() -> None:
    assert custvalue.shap_values is shap_values
