import lightgbm
import numpy as np
import pytest

from custvalue.churn.merging import merge_models
from custvalue.errors import ModelError

WEIGHTS = [0.5, 0.3, 0.2]
SIZES = [{"num_leaves": 2}, {"num_leaves": 31, "min_data_in_leaf": 5, "extra_trees": True}, {"num_leaves": 7, "bagging_fraction": 0.6}]
BASE = {"objective": "binary", "verbosity": -1, "num_threads": 1, "bagging_freq": 1, "feature_pre_filter": False, "min_data_per_group": 20}


def make_data(rows=900):
    random = np.random.default_rng(3)
    X = random.normal(size=(rows, 4))
    X[:, 2] = random.integers(0, 12, rows)
    y = (X[:, 0] + np.where(X[:, 2] % 3 == 0, 1.2, -0.4) + random.normal(size=rows) > 0).astype(int)
    X[random.random(X.shape) < 0.15] = np.nan
    return X, y


@pytest.fixture(scope="module")
def boosters():
    X, y = make_data()
    data = lightgbm.Dataset(X, y, categorical_feature=[2], params=BASE)
    parts = [data.subset(list(range(start, start + 600))) for start in (0, 150, 300)]
    return [lightgbm.train(BASE | size, part, 40) for size, part in zip(SIZES, parts, strict=True)]


@pytest.fixture(scope="module")
def merged(boosters):
    return lightgbm.Booster(model_str=merge_models([booster.model_to_string() for booster in boosters], WEIGHTS, shift=-0.7))


def unseen():
    X, _ = make_data(1_200)
    X[:5, 2] = [-1, 99, 1e6, np.nan, 3.0]
    return X


def test_log_odds_are_the_weighted_sum(boosters, merged):
    X = unseen()
    expected = sum(weight * booster.predict(X, raw_score=True) for weight, booster in zip(WEIGHTS, boosters, strict=True)) - 0.7
    np.testing.assert_allclose(merged.predict(X, raw_score=True), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(merged.predict(X), 1 / (1 + np.exp(-expected)), rtol=0, atol=1e-12)


def test_shapley_values_are_the_weighted_sum_and_the_shift_is_base(boosters, merged):
    X = unseen()[:200]
    expected = sum(weight * booster.predict(X, pred_contrib=True) for weight, booster in zip(WEIGHTS, boosters, strict=True))
    expected[:, -1] -= 0.7
    np.testing.assert_allclose(merged.predict(X, pred_contrib=True), expected, rtol=0, atol=1e-9)


def test_it_covers_category_and_missing_splits(boosters):
    texts = [booster.model_to_string() for booster in boosters]
    assert any("cat_threshold" in text for text in texts)
    types = {int(kind) for text in texts for line in text.split("\n") if line.startswith("decision_type=") for kind in line[14:].split()}
    assert any(kind & 8 for kind in types), "no split has a path for NaN"


def test_lightgbm_reads_and_writes_it_again(boosters, merged):
    X = unseen()[:50]
    again = lightgbm.Booster(model_str=merged.model_to_string())
    assert again.num_trees() == sum(booster.num_trees() for booster in boosters)
    np.testing.assert_array_equal(again.predict(X, raw_score=True), merged.predict(X, raw_score=True))


def test_sizes_of_the_trees_are_those_of_the_text(boosters):
    text = merge_models([booster.model_to_string() for booster in boosters], WEIGHTS)
    (sizes,) = [line.partition("=")[2].split() for line in text.split("\n") if line.startswith("tree_sizes=")]
    body = text[text.index("Tree=0\n") : text.index("end of trees")]
    assert sum(map(int, sizes)) == len(body.encode())
    for number, size in enumerate(map(int, sizes)):
        assert body.startswith(f"Tree={number}\n")
        body = body[size:]


def test_a_booster_without_a_split_counts_as_its_constant():
    X, y = make_data(60)
    constant = lightgbm.train(BASE | {"min_data_in_leaf": 50}, lightgbm.Dataset(X, y, categorical_feature=[2], params=BASE), 3)
    merged = lightgbm.Booster(model_str=merge_models([constant.model_to_string()] * 2, [0.25, 0.75]))
    rate = np.log(y.mean() / (1 - y.mean()))
    np.testing.assert_allclose(merged.predict(X, raw_score=True), rate, atol=1e-9)


def test_parameters_that_differ_are_not_claimed(boosters):
    told = merge_models([booster.model_to_string() for booster in boosters], WEIGHTS).partition("\nparameters:\n")[2]
    assert "[objective: binary]" in told
    assert "num_leaves" not in told


def test_boosters_of_other_data_are_refused(boosters):
    X, y = make_data()
    other = lightgbm.train(BASE, lightgbm.Dataset(X * 2, y, params=BASE), 2)
    with pytest.raises(ModelError, match="feature_infos"):
        merge_models([boosters[0].model_to_string(), other.model_to_string()], [0.5, 0.5])


def test_linear_leaves_are_refused():
    X, y = make_data()
    linear = lightgbm.train(BASE | {"linear_tree": True}, lightgbm.Dataset(X, y, params=BASE | {"linear_tree": True}), 3)
    with pytest.raises(ModelError, match="linear"):
        merge_models([linear.model_to_string()], [1.0])


@pytest.mark.parametrize(("count", "weights"), [(0, []), (1, [0.5, 0.5]), (2, [1.0])])
def test_a_weight_for_each_booster_is_needed(boosters, count, weights):
    with pytest.raises(ModelError, match="one weight a booster"):
        merge_models([boosters[0].model_to_string()] * count, weights)
