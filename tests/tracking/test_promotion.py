import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking import PromotionRefusedError, Rival, Store
from custvalue.tracking.promotion import append_line, last_promoted, read_log

from .conftest import evaluation, judged_rows, train_bundle, training

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
    assert [row[3] for row in verdict.rows] == [True] * 6
    assert verdict.notes == ("there is no champion yet: judged by itself alone",)
    assert store.load("champion").digest == bundle.digest
    (entry,) = store.promotions()
    assert (entry["at"], entry["by"], entry["from"], entry["to"]) == (NOW.isoformat(), "li.wei", None, 1)
    assert entry["digest"] == bundle.digest
    assert len(entry["gates"]) == 6
    assert (models / "promotions.jsonl").read_bytes().endswith(b"\n")


def test_a_champion_is_not_promoted_twice(store, bundle):
    store.log_training(**training(bundle))
    promote(store)
    again = promote(store)
    assert again.already
    assert "champion already" in str(again)
    assert log(store) == [(None, 1, True)]


def champion_and_rows(store, bundle, **how):
    """Promote a first version, and give rows on which it was scored beside the next one."""
    first = store.log_training(**training(bundle))
    promote(store)
    return judged_rows(rival=Rival(first.version, first.digest, date(2025, 6, 1)), **how)


def test_a_challenger_is_compared_with_the_champion_on_its_own_later_rows(store, bundle):
    store.log_training(**training(bundle, rows=champion_and_rows(store, bundle, noise=0.02)))
    verdict = promote(store)
    assert (verdict.passed, verdict.champion) == (True, 1)
    assert len(verdict.gates) == 11
    assert verdict.notes == ("compared on 1,800 rows later than all that version 1 learnt from",)
    assert log(store) == [(None, 1, True), (1, 2, True)]


def test_a_worse_challenger_is_refused_and_the_champion_stays(store, bundle):
    store.log_training(**training(bundle, rows=champion_and_rows(store, bundle, noise=2.0)))
    with pytest.raises(PromotionRefusedError, match=r"log loss, rise against the champion") as refused:
        promote(store)
    assert refused.value.exit_code == 4
    assert store.find("champion").version == 1
    assert log(store) == [(None, 1, True), (1, 2, False)]


def test_one_bad_slice_is_enough(store, bundle):
    store.log_training(**training(bundle, rows=champion_and_rows(store, bundle, slant=1.5)))
    with pytest.raises(PromotionRefusedError) as refused:
        promote(store)
    failed = {gate.gate: gate.note for gate in refused.value.verdict.gates if not gate.passed}
    assert failed["worst slice: factor between observed and predicted rate"].startswith("tier gold")
    assert failed["worst slice: log loss shown to rise by"].startswith("tier gold")


def rival_that_learnt_until(store, bundle, day):
    first = store.find("champion") or store.log_training(**training(bundle))
    return Rival(first.version, first.digest, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("learnt_until", "told"),
    [("2025-09-15", "compared on 900 of 1,800 rows, those later than all that version 1 learnt from"), ("2025-10-01", "may know some")],
)
def test_rows_that_the_champion_may_know_are_left_out_or_told(store, bundle, learnt_until, told):
    rival = rival_that_learnt_until(store, bundle, learnt_until)
    promote(store)
    store.log_training(**training(bundle, rows=judged_rows(rival=rival, noise=0.02)))
    assert told in promote(store).notes[0]


def test_a_champion_that_came_after_the_training_was_not_compared_with(store, bundle):
    rows = champion_and_rows(store, bundle, noise=0.02)
    store.log_training(**training(bundle, rows=rows))
    promote(store)
    store.log_training(**training(bundle, rows=rows))  # trained while version 1 was champion
    with pytest.raises(PromotionRefusedError, match=r"version 2 was not scored on this version's test rows.*train again"):
        promote(store)


def test_a_former_champion_comes_back_by_the_rows_of_the_one_that_followed(store, bundle):
    store.log_training(**training(bundle, rows=champion_and_rows(store, bundle, noise=0.02)))
    promote(store)
    verdict = promote(store, 1)
    assert verdict.passed
    assert verdict.notes[0] == "compared on the test rows of the champion, version 2, which followed this version"
    assert log(store) == [(None, 1, True), (1, 2, True), (2, 1, True)]


def test_a_champion_that_cannot_be_scored_any_more_holds_nobody_up(store, bundle):
    champion_and_rows(store, bundle)
    store.log_training(**training(bundle, rows=judged_rows(why_no_rival="it lacks a column")))
    assert promote(store).notes == ("not compared with the champion, version 1: it lacks a column",)


def test_a_run_without_test_rows_is_refused(store, bundle):
    store.log_training(**(training(bundle) | {"judged": None}))
    with pytest.raises(PromotionRefusedError, match="keeps no test rows"):
        promote(store)


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


def test_the_log_tells_who_was_champion_on_a_day_and_why(store, bundle):
    store.log_training(**training(bundle, rows=champion_and_rows(store, bundle, noise=0.02)))
    later = datetime(2026, 3, 5, 17, 30, tzinfo=UTC)
    store.promote(None, gates=PromotionConfig(), actor="zhang", now=later)
    store.log_training(**training(bundle, judged=evaluation(auc_low=0.4)))
    with pytest.raises(PromotionRefusedError):
        store.promote(None, gates=PromotionConfig(), actor="zhang", now=datetime(2026, 4, 1, tzinfo=UTC))
    first, second = store.champions()
    assert (first.version, first.since, first.until, first.by, first.before) == (1, NOW, later, "li.wei", None)
    assert (second.version, second.since, second.until, second.by, second.before) == (2, later, None, "zhang", 1)
    assert all(gate.passed for gate in second.gates)
    utc, shanghai = ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai")
    on = {
        day: store.champion_on(date.fromisoformat(day), utc)
        for day in ("2026-01-01", "2026-01-02", "2026-03-04", "2026-03-05", "2030-01-01")
    }
    assert [found and found.version for found in on.values()] == [None, 1, 1, 2, 2]
    # 17:30 UTC is past midnight there: on the 5th the first one was still champion when the day ended
    assert store.champion_on(date(2026, 3, 5), shanghai).version == 1
    assert store.champion_on(date(2026, 3, 6), shanghai).version == 2


def test_the_store_as_of_a_day_loads_what_was_champion_when_it_ended(store, bundle):
    zone = ZoneInfo("Asia/Shanghai")
    store.log_training(**training(bundle))
    promote(store)  # 2026-01-02 03:04 UTC
    other = train_bundle(seed=4)
    store.log_training(**training(other))
    append_line(
        store.models / "promotions.jsonl",
        {
            "at": "2026-02-01T20:00:00+00:00",
            "by": "li.wei",
            "model": store.name,
            "from": 1,
            "to": 2,
            "promoted": True,
            "run_id": store.find(2).run_id,
            "digest": other.digest,
        },
    )
    loaded = {day: store.as_of(day, zone).load("champion").version for day in (date(2026, 1, 2), date(2026, 2, 1), date(2026, 2, 2))}
    assert loaded == {date(2026, 1, 2): 1, date(2026, 2, 1): 1, date(2026, 2, 2): 2}  # in Shanghai it was the 2nd already
    before = store.as_of(date(2026, 1, 1), zone)
    assert before.find("champion") is None
    assert before.named(store.name).find("champion") is None
    with pytest.raises(ModelError, match=r"no champion for .* on 2026-01-01; the first one is champion since 2026-01-02"):
        before.load("champion")
    assert before.load(2).version == 2
