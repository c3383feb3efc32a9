import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from custvalue.tracking import Store

from .conftest import features, training


def log_one(models, bundle):
    store = Store.open(models, tracking_uri=None, name="telco", create=True)
    return store.log_training(**training(bundle))


def texts_holding(database, folder):
    with closing(sqlite3.connect(database)) as connection:
        dump = "\n".join(connection.iterdump())
    return [line for line in dump.splitlines() if str(folder) in line or folder.as_uri() in line]


@pytest.fixture(scope="module")
def original(tmp_path_factory, bundle, new_store):
    folder = tmp_path_factory.mktemp("original")
    log_one(new_store(folder / "models"), bundle)
    return folder


@pytest.fixture(params=["plain", "a 店 #1+"])
def moved(request, original, tmp_path):
    travelling = tmp_path / "before"
    shutil.copytree(original, travelling)
    Store.open(travelling / "models", tracking_uri=None, name="telco", create=False)
    target = tmp_path / request.param
    shutil.move(travelling, target)
    return travelling, target


def test_a_moved_store_loads_serves_and_records(mlflow, connect, moved, bundle):
    gone, here = moved
    models = here / "models"
    store = Store.open(models, tracking_uri=None, name="telco", create=False)
    np.testing.assert_array_equal(store.load("challenger").bundle.predict_proba(features()), bundle.predict_proba(features()))
    assert store.text("challenger", "report.md") == "# 报告\n"
    assert log_one(models, bundle).version == 2
    assert store.load("challenger").version == 2

    client = connect(models)
    for version in (1, 2):
        source = client.get_model_version_download_uri("telco", str(version))
        booster = mlflow.lightgbm.load_model(source)
        np.testing.assert_array_equal(booster.predict(bundle.encode(features()), raw_score=True), bundle.raw(features()))
    assert not gone.exists()
    assert texts_holding(models / "mlflow.db", gone) == []


def test_a_copied_store_leaves_its_original_alone(original, tmp_path, bundle):
    before = (original / "models" / "mlflow.db").read_bytes()
    shutil.copytree(original, tmp_path / "copy")
    copy = Store.open(tmp_path / "copy" / "models", tracking_uri=None, name="telco", create=False)
    assert copy.load("challenger").digest == bundle.digest
    assert texts_holding(tmp_path / "copy" / "models" / "mlflow.db", original) == []
    assert (original / "models" / "mlflow.db").read_bytes() == before


def test_opening_a_store_that_was_not_moved_writes_nothing(original):
    database = original / "models" / "mlflow.db"
    before = (database.read_bytes(), database.stat().st_mtime_ns)
    Store.open(original / "models", tracking_uri=None, name="telco", create=False)
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before
