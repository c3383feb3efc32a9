import json
import os
import platform
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version as version_of

import numpy as np
import pytest

from custvalue.churn.tuning import Trial
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking import Store
from custvalue.tracking.environment import environment

from .conftest import features, train_bundle, training


@pytest.fixture(scope="module")
def models(tmp_path_factory, new_store):
    return new_store(tmp_path_factory.mktemp("workspace") / "models")


@pytest.fixture(scope="module")
def store(models):
    return Store.open(models, tracking_uri=None, name="telco", create=True)


@pytest.fixture(scope="module")
def version(store, bundle):
    return store.log_training(**training(bundle), run_name="telco 2026-01-01")


@pytest.fixture(scope="module")
def client(models, version, connect):
    return connect(models)


@pytest.fixture(scope="module")
def downloaded(mlflow, client, version, tmp_path_factory):
    source = client.get_model_version_download_uri("telco", "1")
    return mlflow.artifacts.download_artifacts(source, dst_path=str(tmp_path_factory.mktemp("model")))


def test_a_run_tells_data_settings_quality_and_plots(client, version):
    run = client.get_run(version.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "telco 2026-01-01")
    assert run.data.params["horizon_months"] == "2"
    assert len(run.data.params) == 121
    assert run.data.metrics == {"auc": 0.7, "log_loss": 0.3, "leakage_checks": 12, "leakage_refused": 0}
    assert run.data.tags["as_of"] == "2026-01-01"
    datasets = {inputs.dataset.name: inputs.dataset.digest for inputs in run.inputs.dataset_inputs}
    assert datasets == {"billing": "b" * 36, "usage": "u" * 36, "test": "rows-1"}
    files = {file.path for folder in (None, "plots") for file in client.list_artifacts(version.run_id, folder)}
    assert {"plots/lift.png", "report.md", "evaluation.json", "digests.json", "differs.md", "judged.parquet", "judged.json"} <= files


def test_the_version_is_the_challenger_and_bears_the_bundle_digest(client, version, bundle):
    registered = client.get_model_version_by_alias("telco", "challenger")
    assert (registered.version, registered.run_id) == (version.version, version.run_id)
    assert registered.tags["bundle_digest"] == version.digest == bundle.digest
    assert registered.source.startswith("models:/m-")


def test_mlflow_reads_raw_columns_by_the_signature_and_the_native_booster_too(mlflow, downloaded, bundle):
    signature = mlflow.models.Model.load(downloaded).signature
    assert signature.inputs.input_names() == ["revenue_mean_3m", "plan"]
    assert [kind.name for kind in signature.inputs.input_types()] == ["double", "string"]
    assert signature.outputs.input_names() == ["probability"]
    booster = mlflow.lightgbm.load_model(downloaded)
    encoded = bundle.encode(features())
    np.testing.assert_array_equal(booster.predict(encoded, raw_score=True), bundle.raw(features()))
    served = mlflow.pyfunc.load_model(downloaded).predict(features())
    np.testing.assert_array_equal(served["probability"], bundle.predict_proba(features()))


def test_the_registered_model_is_self_contained_and_holds_no_pickle_and_no_machine_path(downloaded, models):
    files = {path.name: path for path in map(type(models), _walk(downloaded))}
    assert {"MLmodel", "model.lgb", "bundle.json", "check.json", "scoring_model.py"} <= set(files)
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib", ".skops"))]
    assert str(models) not in files["MLmodel"].read_text()


def test_the_challenger_loads_as_the_bundle_that_was_logged(store, version, bundle):
    loaded = store.load("challenger")
    assert (loaded.name, loaded.version, loaded.run_id, loaded.digest) == ("telco", 1, version.run_id, bundle.digest)
    np.testing.assert_array_equal(loaded.bundle.predict_proba(features()), bundle.predict_proba(features()))
    assert store.load(1).digest == store.load("1").digest == bundle.digest


def test_texts_come_back(store, version):
    assert store.text("challenger", "report.md") == "# 报告\n"
    assert json.loads(store.text(version.version, "digests.json"))["billing"] == "b" * 64
    with pytest.raises(ModelError, match=r"card\.md of version 1 of 'telco' cannot be found"):
        store.text(1, "card.md")


@pytest.mark.parametrize(
    ("wanted", "way_out"),
    [("champion", r"no champion for 'telco'.*custvalue promote"), (7, "no version 7 of 'telco'"), ("best", "no best for")],
)
def test_what_is_not_registered_is_told_with_the_way_out(store, version, wanted, way_out):
    assert store.find(wanted) is None
    with pytest.raises(ModelError, match=way_out) as absent:
        store.load(wanted)
    assert absent.value.exit_code == 4


def test_mlflow_stays_quiet_and_its_global_settings_stay_as_they_were(mlflow, models, bundle, monkeypatch, capfd, recwarn):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///elsewhere.db")
    before = mlflow.get_tracking_uri()
    store = Store.open(models, tracking_uri=None, name="quiet", create=True)
    store.log_training(**training(bundle))
    store.load("challenger")
    assert mlflow.get_tracking_uri() == before
    assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:///elsewhere.db"
    assert mlflow.active_run() is None
    assert capfd.readouterr() == ("", "")
    assert not [str(warning.message) for warning in recwarn]


def test_each_trial_of_a_search_is_a_child_run(models, client, bundle):
    store = Store.open(models, tracking_uri=None, name="searched", create=True)
    trials = (
        Trial(0, {"num_leaves": 7, "lambda_l2": 10.0}, 0.31, "complete", 2.5),
        Trial(1, {"num_leaves": 31, "lambda_l2": 1.0}, 0.35, "pruned", 0.5),
        Trial(2, {"num_leaves": 4, "lambda_l2": 1.0}, None, "fail", 0.1),
    )
    parent = store.log_training(**training(bundle, trials=trials)).run_id
    experiment = client.get_experiment_by_name("searched").experiment_id
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent}'")
    told = {
        run.data.tags["trial"]: (run.info.status, run.data.params["num_leaves"], run.data.metrics.get("inner_log_loss")) for run in children
    }
    assert told == {"0": ("FINISHED", "7", 0.31), "1": ("KILLED", "31", 0.35), "2": ("FAILED", "4", None)}
    assert {run.data.metrics["seconds"] for run in children} == {2.5, 0.5, 0.1}
    assert len(client.search_runs([experiment])) == 4


def test_a_training_tells_what_differs_from_the_champions(models, bundle):
    store = Store.open(models, tracking_uri=None, name="again", create=True)
    ran_on = {"python": "3.11.0", "packages": {"lightgbm": "4.6.0", "numpy": "2.4"}}
    first = training(bundle) | {"tags": {}}
    first["texts"] = {**first["texts"], "environment.json": json.dumps(ran_on)}
    store.log_training(**first)
    assert "There is no champion yet" in store.text("challenger", "differs.md")
    store.promote(None, gates=PromotionConfig(), actor="li.wei", now=datetime(2026, 1, 2, tzinfo=UTC))

    store.log_training(**first)
    same = store.text("challenger", "differs.md")
    assert "Data, settings and environment are the same.\n\nThe model is the same" in same

    changed = first | {"digests": {**first["digests"], "billing": "c" * 64}, "params": {**first["params"], "horizon_months": 3}}
    changed["texts"] = {**first["texts"], "environment.json": json.dumps(ran_on | {"packages": {"lightgbm": "4.7.0", "numpy": "2.4"}})}
    store.log_training(**changed)
    rows = [line for line in store.text("challenger", "differs.md").splitlines() if line.startswith("|")]
    assert rows[2:] == [
        f"| data | billing | {'b' * 12} | {'c' * 12} |",
        "| setting | horizon_months | 2 | 3 |",
        "| package | lightgbm | 4.6.0 | 4.7.0 |",
    ]

    store.log_training(**(first | {"bundle": train_bundle(seed=4)}))
    assert "The same input made another model" in store.text("challenger", "differs.md")


def test_the_environment_is_told_without_this_machines_name_or_paths():
    told = json.loads(environment(threads=3))
    assert told["threads"] == 3
    assert told["packages"]["lightgbm"] == version_of("lightgbm")
    assert {"custvalue", "mlflow", "numpy", "scikit-learn"} <= set(told["packages"])
    assert platform.node() not in json.dumps(told) or not platform.node()
    assert "/" not in json.dumps(told)


def failed_runs(client, name):
    experiment = client.get_experiment_by_name(name)
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]


def test_a_failure_before_registration_leaves_no_version(models, client, bundle):
    store = Store.open(models, tracking_uri=None, name="early", create=True)
    with pytest.raises(ModelError, match="sample has no rows"):
        store.log_training(**training(bundle, X_sample=features().head(0)))
    assert failed_runs(client, "early") == ["FAILED"]
    assert client.search_model_versions("name='early'") == []


def test_a_failure_after_registration_takes_the_version_back(models, client, bundle):
    store = Store.open(models, tracking_uri=None, name="late", create=True)
    store.log_training(**training(bundle))
    with closing(sqlite3.connect(models / "mlflow.db")) as database:
        database.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON model_version_tags WHEN NEW.name = 'late' "
            "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )
        database.execute(
            "CREATE TRIGGER broken_alias BEFORE UPDATE ON registered_model_aliases WHEN NEW.name = 'late' "
            "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )
        try:
            with pytest.raises(ModelError, match="Giving up after"):
                store.log_training(**training(bundle))
            database.execute("DROP TRIGGER broken")
            with pytest.raises(ModelError, match="broken on purpose"):
                store.log_training(**training(bundle))
        finally:
            database.execute("DROP TRIGGER IF EXISTS broken")
            database.execute("DROP TRIGGER broken_alias")
    assert sorted(failed_runs(client, "late")) == ["FAILED", "FAILED", "FINISHED"]
    assert [version.version for version in client.search_model_versions("name='late'")] == [1]
    assert store.load("challenger").version == 1


def test_a_changed_model_is_refused_before_lightgbm_reads_it(models, bundle):
    store = Store.open(models, tracking_uri=None, name="changed", create=True)
    store.log_training(**training(bundle))
    (file,) = (models / "artifacts" / "changed").rglob("model.lgb")
    text = file.read_text()
    file.write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(ModelError, match="SHA-256"):
        store.load("challenger")
    file.write_text(text)
    (other,) = (models / "artifacts" / "changed").rglob("bundle.json")
    other.write_text(other.read_text().replace('"slope":1.1', '"slope":2.2'))
    with pytest.raises(ModelError, match="digest"):
        store.load("challenger")
    file.unlink()
    with pytest.raises(ModelError):
        store.load("challenger")


def _walk(folder):
    return [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]  # noqa: PTH118
