import json
from datetime import UTC, datetime

import pytest

from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking import PromotionRefusedError, Store
from custvalue.tracking.promotion import append_line, last_promoted, read_log

from .conftest import evaluation, train_bundle, training

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def models(tmp_path_factory, new_store):
    return new_store(tmp_path_factory.mktemp("promotion") / "models")


@pytest.fixture
def store(models, request):
    return Store.open(models, tracking_uri=None, name=request.node.name[:60], create=True)


def promote(store, version=None):
    return store.promote(version, gates=PromotionConfig(), actor="li.wei", now=NOW)


def log(store):
    return [(entry["from"], entry["to"], entry["promoted"]) for entry in store.promotions()]


def test_the_first_challenger_is_judged_against_the_base_rate_alone(store, bundle, models):
    store.log_training(**training(bundle))
    verdict = promote(store)
    assert (verdict.passed, verdict.champion, verdict.already) == (True, None, False)
    assert [row[3] for row in verdict.rows] == [True] * 4
    assert verdict.notes == ("there is no champion yet: judged against the base rate alone",)
    assert store.load("champion").digest == bundle.digest
    (entry,) = store.promotions()
    assert (entry["at"], entry["by"], entry["from"], entry["to"]) == (NOW.isoformat(), "li.wei", None, 1)
    assert entry["digest"] == bundle.digest
    assert len(entry["gates"]) == 4
    assert (models / "promotions.jsonl").read_bytes().endswith(b"\n")


def test_a_champion_is_not_promoted_twice(store, bundle):
    store.log_training(**training(bundle))
    promote(store)
    again = promote(store)
    assert again.already
    assert "champion already" in str(again)
    assert log(store) == [(None, 1, True)]


def test_on_the_same_rows_a_challenger_must_beat_the_champion(store, bundle):
    store.log_training(**training(bundle))
    promote(store)
    store.log_training(**training(bundle, judged=evaluation(log_loss=0.31)))
    with pytest.raises(PromotionRefusedError, match=r"champion's 0\.31, must be < 0\.3") as refused:
        promote(store)
    assert refused.value.exit_code == 4
    assert [row[3] for row in refused.value.verdict.rows] == [True, True, True, False, True]
    assert store.find("champion").version == 1
    store.log_training(**training(bundle, judged=evaluation(log_loss=0.29)))
    assert promote(store).champion == 1
    assert store.find("champion").version == 3
    assert log(store) == [(None, 1, True), (1, 2, False), (1, 3, True)]


def test_on_other_rows_log_losses_are_not_compared(store, bundle):
    store.log_training(**training(bundle))
    promote(store)
    store.log_training(**training(bundle, judged=evaluation(log_loss=0.31), test="rows-2"))
    verdict = promote(store)
    assert verdict.passed
    assert "tested on other rows" in verdict.notes[0]


def test_an_older_version_can_be_named(store, bundle):
    store.log_training(**training(bundle))
    store.log_training(**training(train_bundle(seed=4)))
    assert promote(store, 1).version == 1
    assert store.load("champion").digest == bundle.digest


def test_a_model_that_reloads_differently_is_refused(store, bundle, models):
    store.log_training(**training(bundle))
    (check,) = (models / "artifacts" / store.name).rglob("check.json")
    content = json.loads(check.read_text())
    assert len(content["probabilities"]) == 50
    content["probabilities"][3] += 1e-6
    check.write_text(json.dumps(content))
    with pytest.raises(PromotionRefusedError, match="after reloading, largest difference 1e-06"):
        promote(store)
    assert store.find("champion") is None
    assert log(store) == [(None, 1, False)]


def test_a_model_changed_on_the_disk_is_refused_and_that_is_recorded(store, bundle, models):
    store.log_training(**training(bundle))
    (file,) = (models / "artifacts" / store.name).rglob("model.lgb")
    file.write_text(file.read_text() + "\n")
    with pytest.raises(PromotionRefusedError, match="SHA-256"):
        promote(store)
    assert log(store) == [(None, 1, False)]


def test_without_a_challenger_there_is_nothing_to_promote(store):
    with pytest.raises(ModelError, match=r"no challenger for .*custvalue train"):
        promote(store)
    assert store.promotions() == []


def test_a_version_without_evaluation_cannot_be_promoted(store, bundle):
    store.log_training(**training(bundle, texts={"report.md": "…"}))
    with pytest.raises(ModelError, match=r"evaluation\.json"):
        promote(store)


def test_a_promotion_cut_off_before_its_line_gets_the_line_later(store, bundle):
    store.log_training(**training(bundle))
    store._client.set_registered_model_alias(store.name, "champion", "1")
    assert promote(store).already
    assert promote(store).already
    assert [(entry["to"], entry["note"]) for entry in store.promotions()] == [(1, "found as champion without a record")]


def test_the_log_survives_a_line_cut_off_by_a_crash(tmp_path):
    path = tmp_path / "models" / "promotions.jsonl"
    append_line(path, {"model": "telco", "to": 1, "promoted": True, "by": "李伟"})
    with path.open("ab") as file:
        file.write(b'{"model": "telco", "to": 2, "prom')
    append_line(path, {"model": "telco", "to": 3, "promoted": False})
    assert [entry["to"] for entry in read_log(path)] == [1, 3]
    assert last_promoted(path, "telco") == 1
    assert last_promoted(path, "other") is None
