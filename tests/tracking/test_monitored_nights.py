"""A model's reference travels with it, and a monitored night is one run."""

from datetime import date

import pytest

from custvalue.errors import ModelError
from custvalue.monitoring import Reference
from custvalue.pipeline.monitoring import model_reference
from custvalue.tracking import Store

from .conftest import features, training


@pytest.fixture(scope="module")
def models(tmp_path_factory, new_store):
    return new_store(tmp_path_factory.mktemp("workspace") / "models")


@pytest.fixture(scope="module")
def store(models):
    return Store.open(models, tracking_uri=None, name="telco", create=True)


def test_the_reference_is_registered_with_its_model_and_older_versions_have_none(store, bundle):
    X = features(400)
    reference = Reference.of(X, bundle.columns, bundle.predict_proba(X), vocabularies=bundle.vocabularies)
    old = store.log_training(**training(bundle))
    new = store.log_training(**training(bundle), reference=reference.to_dict())
    assert model_reference(store.load(old.version)) is None
    assert model_reference(store.load(new.version)).id == reference.id


def test_a_damaged_reference_is_told(store, bundle, connect, models):
    X = features(400)
    content = Reference.of(X, bundle.columns, bundle.predict_proba(X)).to_dict()
    version = store.log_training(**training(bundle), reference=content | {"customers": 1})
    with pytest.raises(ModelError, match="damaged"):
        model_reference(store.load(version.version))


def test_a_monitored_night_is_one_run_and_the_same_again_adds_none(store, connect, models):
    def log(auc):
        night, metrics = date(2026, 1, 1), {"estimated.auc": auc, "realised.tier.黄金.ratio": 1.1, "undefined": float("nan")}
        return store.log_monitoring(night, date(2026, 1, 2), run_id="run1", metrics=metrics, texts={"monitoring.json": "{}"})

    first, again, other = log(0.7), log(0.7), log(0.8)
    assert (first[1], again, other[1]) == (True, (first[0], False), True)
    client = connect(models)
    experiment = client.get_experiment_by_name("telco-monitoring").experiment_id
    assert len(client.search_runs([experiment])) == 2
    run = client.get_run(first[0])
    assert run.data.metrics == {"estimated.auc": 0.7, "realised.tier.黄金.ratio": 1.1}
    assert run.data.tags["night_run_id"] == "run1"
    assert [file.path for file in client.list_artifacts(first[0])] == ["monitoring.json"]
