"""The reader of model texts: what cannot be explained is refused when it is read."""

from __future__ import annotations

import re

import lightgbm
import numpy as np
import pytest

from custvalue.errors import ModelError
from custvalue.trees import prepare_shap
from custvalue.trees.text import read_forest

from .boosters import rows_like, train


@pytest.fixture(scope="module")
def text() -> str:
    return train(rows_like(4, 300, 1, categories=1), 3, 8, 1, categories=1).model_to_string()


def test_the_trees_are_those_of_lightgbm(text: str) -> None:
    forest = read_forest(text)
    told = lightgbm.Booster(model_str=text).trees_to_dataframe()
    nodes, leaves = told[told.split_feature.notna()], told[told.split_feature.isna()]
    assert len(forest.split_column) == len(nodes)
    assert sorted(forest.leaf_value) == pytest.approx(sorted(leaves.value))
    np.testing.assert_allclose(forest.share.sum(axis=1), 1)
    assert len(forest.categories) == (nodes.decision_type == "==").sum() > 0


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"objective": "regression"}, "objective 'regression'"),
        ({"sigmoid": 2.0}, "objective 'binary sigmoid:2'"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "need a boosted model"),
        ({"linear_tree": True}, "linear leaves"),
    ],
)
def test_other_models_are_refused(params: dict, told: str) -> None:
    booster = train(rows_like(3, 300, 2, missing=0.0), 3, 4, 2, **params)
    with pytest.raises(ModelError, match=told):
        prepare_shap(booster)


def test_what_is_no_booster_is_refused() -> None:
    with pytest.raises(ModelError, match="not LGBMClassifier; of a scikit-learn model give `booster_`"):
        prepare_shap(lightgbm.LGBMClassifier())
    with pytest.raises(ModelError, match="objective None"):
        prepare_shap("no model at all")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_text_that_is_cut_off_is_refused(text: str, share: float) -> None:
    body = text.index("end of trees")
    with pytest.raises(ModelError, match="cut off"):
        read_forest(text[: int(body * share)])


@pytest.mark.parametrize(
    ("line", "change", "told"),
    [
        ("leaf_value", lambda found: "nan " + found.split(" ", 1)[1], "leaf_value is not finite"),
        ("leaf_value", lambda found: "inf " + found.split(" ", 1)[1], "leaf_value is not finite"),
        ("leaf_value", lambda found: found.split(" ", 1)[1], "7 of 8 values in leaf_value"),
        ("leaf_value", lambda found: "x " + found.split(" ", 1)[1], "could not convert"),
        ("threshold", lambda found: "nan " + found.split(" ", 1)[1], "threshold is not a number"),
        ("threshold", lambda _: " ".join(["99"] * 7), "categorical split without its categories"),
        ("split_feature", lambda _: " ".join(["7"] * 7), "splits column 7 of 4"),
        ("left_child", lambda _: " ".join(["99"] * 7), "a child that is not there"),
        ("left_child", lambda _: " ".join(["0"] * 7), "do not form one tree"),
        ("internal_count", lambda _: " ".join(["0"] * 7), "share is not finite"),
        ("cat_boundaries", lambda found: found + "9", "cat_boundaries do not fit"),
        ("num_leaves", lambda _: "many", "invalid literal"),
        ("num_leaves", lambda _: "0", "damaged"),
    ],
)
def test_a_damaged_text_is_refused(text: str, line: str, change, told: str) -> None:
    damaged = re.sub(rf"^{line}=(.*)$", lambda found: f"{line}={change(found[1])}", text, flags=re.MULTILINE)
    assert damaged != text
    with pytest.raises(ModelError, match=told) as caught:
        prepare_shap(damaged)
    assert caught.value.exit_code == 4


def test_a_column_split_as_number_and_as_category_is_refused(text: str) -> None:
    first = re.search(r"^split_feature=(.*)$", text, flags=re.MULTILINE)
    assert first is not None
    mixed = re.sub(r"^split_feature=.*$", "split_feature=" + " ".join(["0"] * 7), text, flags=re.MULTILINE)
    with pytest.raises(ModelError, match="'Column_0' both as a number and as a category"):
        prepare_shap(mixed)
