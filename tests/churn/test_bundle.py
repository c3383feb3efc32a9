import dataclasses
import hashlib
import json

import lightgbm
import numpy as np
import pandas as pd
import pytest

from custvalue.churn.bundle import FEW_PREDICTED, FEW_ROWS, ModelBundle
from custvalue.errors import ModelError


@pytest.fixture(scope="module")
def bundle(by_customer):
    return by_customer.bundle


@pytest.fixture(scope="module", name="X")
def features(by_customer):
    return by_customer.test_features


@pytest.fixture
def saved(bundle, tmp_path):
    bundle.save(tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder, **changed):
    """Change bundle.json, and keep its hash of the model text right: a forger's work."""
    content = json.loads((folder / "bundle.json").read_text()) | changed
    content["model_sha256"] = hashlib.sha256((folder / "model.txt").read_bytes()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(content))


def other_model(params, X, y):
    data = lightgbm.Dataset(X, y, feature_name=["revenue_drop_3m", "tenure_months"])
    return lightgbm.train({"verbosity": -1, "num_threads": 1} | params, data, num_boost_round=3).model_to_string()


def test_probability_is_the_calibrated_score_of_lightgbm_itself(bundle, X, saved):
    codes = {level: place for place, level in enumerate(bundle.vocabularies["plan"])}
    matrix = X[[name for name, _ in bundle.columns]].assign(plan=X["plan"].map(codes).astype(float))
    raw = lightgbm.Booster(model_file=saved / "model.txt").predict(matrix.to_numpy(dtype=float), raw_score=True)
    np.testing.assert_array_equal(bundle.raw(X), raw)
    expected = 1 / (1 + np.exp(-(bundle.calibrator.slope * raw + bundle.calibrator.intercept)))
    np.testing.assert_allclose(bundle.predict_proba(X), expected, rtol=1e-12)


def test_the_model_text_carries_the_columns_names(bundle):
    names = [name for name, _ in bundle.columns]
    assert lightgbm.Booster(model_str=bundle.model_text).feature_name() == names


def test_columns_are_found_by_name(bundle, X):
    swapped = X[X.columns[::-1]].assign(customer_id="C1")
    np.testing.assert_array_equal(bundle.predict_proba(swapped), bundle.predict_proba(X))


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_an_unseen_category_is_a_missing_one(bundle, X, kind):
    missing = bundle.raw(X.assign(plan=pd.Series([None] * len(X), index=X.index, dtype=object)))
    unseen = bundle.raw(X.assign(plan=pd.Series(["launched later"] * len(X), index=X.index).astype(kind)))
    np.testing.assert_array_equal(unseen, missing)
    assert (missing != bundle.raw(X)).any()


def test_text_of_any_pandas_kind_has_the_same_code(bundle, X):
    for kind in ("object", "str", "category", "string"):
        np.testing.assert_array_equal(bundle.raw(X.assign(plan=X["plan"].astype(kind))), bundle.raw(X))


def test_nullable_numbers_are_read(bundle, X):
    nullable = X.assign(tenure_months=X["tenure_months"].astype("Int64"), complaint_count_3m=X["complaint_count_3m"].astype("int32"))
    np.testing.assert_array_equal(bundle.raw(nullable), bundle.raw(X))


def test_contributions_add_up_to_the_log_odds(bundle, X):
    contributions = bundle.contributions(X)
    assert contributions.shape == (len(X), len(bundle.columns) + 1)
    np.testing.assert_allclose(contributions.sum(axis=1), bundle.raw(X), rtol=0, atol=1e-10)
    assert np.ptp(contributions[:, -1]) == 0


def test_few_rows_and_many_get_the_same_contributions(bundle, X):
    fresh = dataclasses.replace(bundle)
    few = fresh.contributions(X.head(10))
    assert "tree_shap" not in vars(fresh), "tables were prepared for ten rows"
    many = fresh.contributions(pd.concat([X.head(10)] * (FEW_ROWS // 10)))
    assert "tree_shap" in vars(fresh), "many rows went through LightGBM"
    np.testing.assert_allclose(many[-10:], few, rtol=1e-9, atol=1e-9)


def test_few_rows_and_many_get_the_same_prediction_to_the_last_bit(bundle, X):
    fresh = dataclasses.replace(bundle)
    few = fresh.raw(X)
    assert "tree_predictor" not in vars(fresh), "trees were prepared for few rows"
    many = fresh.raw(pd.concat([X] * (FEW_PREDICTED // len(X) + 1)), num_threads=2)
    assert "tree_predictor" in vars(fresh), "many rows went through LightGBM"
    np.testing.assert_array_equal(many.reshape(-1, len(X)), np.broadcast_to(few, (len(many) // len(X), len(X))))


def test_predicted_and_explained_at_once_is_the_same_in_any_part(bundle, X):
    raw, contributions = bundle.predict_and_explain(X)
    np.testing.assert_array_equal(raw, bundle.booster.predict(bundle.encode(X), raw_score=True))
    np.testing.assert_allclose(contributions.sum(axis=1), raw, rtol=0, atol=1e-10)
    np.testing.assert_allclose(contributions, bundle.booster.predict(bundle.encode(X), pred_contrib=True), rtol=1e-9, atol=1e-9)
    of_part = dataclasses.replace(bundle).predict_and_explain(X.iloc[-7:])
    np.testing.assert_array_equal(of_part[0], raw[-7:])
    np.testing.assert_array_equal(of_part[1], contributions[-7:])


def test_no_rows_give_no_predictions(bundle, X):
    assert bundle.predict_proba(X.head(0)).shape == (0,)
    assert bundle.contributions(X.head(0)).shape == (0, 6)
    assert [part.shape for part in bundle.predict_and_explain(X.head(0))] == [(0,), (0, 6)]


def test_saving_and_loading_keeps_every_bit(bundle, X, saved):
    loaded = ModelBundle.load(saved, digest=bundle.digest)
    np.testing.assert_array_equal(loaded.predict_proba(X), bundle.predict_proba(X))
    assert loaded.digest == bundle.digest
    assert loaded.model_text == bundle.model_text
    assert loaded.trained == bundle.trained
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.txt"]


def test_digest_is_the_hash_of_the_file(bundle, saved):
    assert bundle.digest == hashlib.sha256((saved / "bundle.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"noise": None}, r"1 of the model's 5 feature columns are missing, for example noise"),
        ({"noise": "much"}, r"'noise' must hold numbers"),
        ({"plan": 3}, r"'plan' must hold text; it holds int64"),
    ],
)
def test_refuses_features_that_do_not_fit(bundle, X, columns, words):
    changed = X.drop(columns=[name for name, value in columns.items() if value is None])
    changed = changed.assign(**{name: value for name, value in columns.items() if value is not None})
    with pytest.raises(ModelError, match=words):
        bundle.predict_proba(changed)


@pytest.mark.parametrize("name", ["model.txt", "bundle.json"])
def test_refuses_a_missing_file(saved, name):
    (saved / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: cannot be read"):
        ModelBundle.load(saved)


def test_refuses_a_changed_model_text(saved):
    text = (saved / "model.txt").read_text()
    (saved / "model.txt").write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(ModelError, match="SHA-256 does not match"):
        ModelBundle.load(saved)


def test_refuses_a_forged_pair_by_its_digest(bundle, saved):
    text = (saved / "model.txt").read_text()
    (saved / "model.txt").write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    rewrite(saved)
    ModelBundle.load(saved)
    with pytest.raises(ModelError, match="is not the registered"):
        ModelBundle.load(saved, digest=bundle.digest)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": NaN}', '{"format": 99}', '{"format": 1}'])
def test_refuses_a_damaged_bundle_file(saved, content):
    (saved / "bundle.json").write_text(content)
    with pytest.raises(ModelError):
        ModelBundle.load(saved)


def test_refuses_a_bundle_file_that_lacks_parts(saved):
    content = json.loads((saved / "bundle.json").read_text())
    del content["calibrator"]
    (saved / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="is incomplete"):
        ModelBundle.load(saved)


@pytest.mark.parametrize(
    "params",
    [{"objective": "regression"}, {"objective": "cross_entropy"}, {"objective": "binary", "sigmoid": 2.0}],
)
def test_refuses_a_foreign_objective(saved, X, params):
    y = (np.arange(len(X)) % 3 == 0).astype(float)
    text = other_model(params, X[["revenue_drop_3m", "tenure_months"]].to_numpy(), y)
    (saved / "model.txt").write_text(text)
    rewrite(saved, columns=[["revenue_drop_3m", "number"], ["tenure_months", "number"]], vocabularies={})
    with pytest.raises(ModelError, match="objective"):
        ModelBundle.load(saved)


def test_refuses_columns_in_another_order_than_the_booster(bundle):
    first, second, *rest = bundle.columns
    with pytest.raises(ModelError, match=f"{first[0]} / {second[0]}"):
        dataclasses.replace(bundle, columns=(second, first, *rest))


def test_refuses_a_category_column_without_vocabulary(bundle):
    with pytest.raises(ModelError, match="vocabularies do not match its category columns: plan"):
        dataclasses.replace(bundle, vocabularies={})
