"""The registered model as MLflow's clients read it: raw columns in, the package's own probabilities out."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from custvalue.errors import ModelError
from custvalue.tracking.calm import calm
from custvalue.tracking.registry import load_bundle
from custvalue.tracking.saving import save_model

from .conftest import features, train_bundle


@pytest.fixture(scope="module")
def saved(bundle, mlflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    with calm("sqlite:///none"):
        save_model(bundle, features(), folder, run_id="r", model_id="m-1")
    return folder


@pytest.fixture(scope="module")
def served(mlflow, saved):
    return mlflow.pyfunc.load_model(str(saved))


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def test_raw_columns_give_the_packages_own_probabilities(served, bundle):
    X = features()
    np.testing.assert_array_equal(served.predict(X)["probability"], bundle.predict_proba(X))
    swapped = X[X.columns[::-1]].assign(customer="C1")
    np.testing.assert_array_equal(served.predict(swapped)["probability"], bundle.predict_proba(X))


def test_missing_values_are_allowed_in_every_column(served, bundle):
    X = pd.DataFrame({"plan": pd.Series([None, None], dtype=object), "revenue_mean_3m": [np.nan, 10.0]})
    np.testing.assert_array_equal(served.predict(X)["probability"], bundle.predict_proba(X))


def test_a_column_that_is_absent_or_of_another_kind_is_refused(served):
    for wrong in (features().drop(columns="plan"), features().assign(revenue_mean_3m="much")):
        with pytest.raises(MlflowException, match="enforce schema"):
            served.predict(wrong)


def test_contributions_come_on_request_and_add_up(served, bundle):
    X = features()
    found = served.predict(X, params={"contributions": True})
    assert list(found) == ["probability", "contribution_revenue_mean_3m", "contribution_plan", "contribution_base"]
    np.testing.assert_allclose(found.iloc[:, 1:].sum(axis=1), bundle.raw(X), rtol=0, atol=1e-10)


def test_the_folder_says_what_it_needs_and_nothing_of_this_machine(saved):
    needed = (saved / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in needed} == {"custvalue", "lightgbm", "mlflow", "numpy", "pandas"}
    card = (saved / "MLmodel").read_text()
    assert "/" not in card.partition("model_code_path:")[2].splitlines()[0]
    assert str(saved.parent) not in card


def with_another_slope(folder):
    text = (folder / "bundle.json").read_text()
    assert '"slope":1.1' in text
    (folder / "bundle.json").write_text(text.replace('"slope":1.1', '"slope":2.2'))


def with_another_leaf(folder):
    text = (folder / "model.lgb").read_text()
    (folder / "model.lgb").write_text(text.replace("leaf_value=", "leaf_value=9", 1))


def with_anothers_files(folder):
    other = train_bundle(seed=4)
    other.save(folder)
    (folder / "model.txt").replace(folder / "model.lgb")


def with_anothers_text(folder):
    (folder / "model.lgb").write_text(train_bundle(seed=4).model_text)


def with_a_link_to_anothers_files(folder):
    elsewhere = folder.parent / "elsewhere"
    train_bundle(seed=4).save(elsewhere)
    for name, target in (("bundle.json", "bundle.json"), ("model.lgb", "model.txt")):
        (folder / name).unlink()
        (folder / name).symlink_to(elsewhere / target)


def without_its_text(folder):
    (folder / "model.lgb").unlink()


TAMPERED = [with_another_slope, with_another_leaf, with_anothers_files, with_anothers_text, with_a_link_to_anothers_files, without_its_text]


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_a_tampered_or_foreign_bundle_is_refused_by_package_and_client(mlflow, folder, bundle, tamper):
    assert load_bundle(folder, bundle.digest).digest == bundle.digest
    tamper(folder)
    with pytest.raises(ModelError, match=r"SHA-256|is not the registered|cannot be read"):
        load_bundle(folder, bundle.digest)
    with pytest.raises(ModelError, match=r"SHA-256|is not the registered|cannot be read"):
        mlflow.pyfunc.load_model(str(folder))


def test_only_the_bytes_decide_and_nothing_beside_them_is_read(folder, bundle):
    real = folder.parent / "real.lgb"
    (folder / "model.lgb").replace(real)
    (folder / "model.lgb").symlink_to(real)
    for name in ("model.pkl", "model.txt", "python_model.pkl"):
        (folder / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert load_bundle(folder, bundle.digest).digest == bundle.digest


def test_a_bundle_whose_json_says_the_same_in_other_letters_is_the_same(folder, bundle):
    (folder / "bundle.json").write_text(json.dumps(json.loads((folder / "bundle.json").read_text()), indent=2))
    assert load_bundle(folder, bundle.digest).digest == bundle.digest
