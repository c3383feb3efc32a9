"""Ratings and comparisons as runs, the aliases they move, and the record of the moves."""

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest

from custvalue.errors import TryAgainError
from custvalue.publish.locks import hold
from custvalue.tracking import Store, rating_is_logged
from custvalue.tracking.promotion import append_line

from .tier_runs import FEBRUARY, JANUARY, MARCH, NOW, SIGNED, comparison, figure, fitted, rating

MIGRATION = pd.DataFrame(
    [
        ("gold", "gold", 8),
        ("gold", "silver", 2),
        ("silver", "gold", 5),
        ("unrated", "basic", 4),
        ("basic", "unrated", 1),
        ("vip", "gold", 3),
    ],
    columns=["before", "after", "customers"],
)


@pytest.fixture(scope="module")
def models(tmp_path_factory, new_store):
    return new_store(tmp_path_factory.mktemp("ratings") / "models")


@pytest.fixture
def store(models, request):
    return Store.open(models, tracking_uri=None, name=request.node.originalname[-40:], create=True)


@pytest.fixture
def client(models, connect):
    return connect(models)


@pytest.fixture
def policy(tmp_path):
    return fitted(tmp_path)


@pytest.fixture
def successor(tmp_path):
    return fitted(tmp_path, version=2, gold=90)


def runs(client, store, kind):
    experiment = client.get_experiment_by_name(store.policies)
    return client.search_runs([experiment.experiment_id], f"tags.kind = '{kind}'")


def moves(store):
    return [(entry["event"], entry["from"], entry["to"]) for entry in store.policy_moves()]


def test_a_rating_tells_policy_sizes_moves_and_what_held(store, client, policy):
    told = rating(
        policy,
        day=FEBRUARY,
        previous=JANUARY,
        migration=MIGRATION,
        held={"within_validity": 3, "protected_open_complaint": 2},
        flip_rate=0.0125,
        figures={"migration": figure()},
        texts={"segments.json": "{}\n"},
    )
    logged = store.log_rating(told, **SIGNED)
    run = client.get_run(logged.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "consumer-v1 2026-02-01")
    assert run.data.params == {
        "policy": "consumer-v1",
        "policy_version": "1",
        "as_of": "2026-02-01",
        "rating_digest": "d" * 64,
        "previous_rating": "2026-01-01",
    }
    assert run.data.metrics == {
        "customers": 100,
        "customers.gold": 10,
        "customers.silver": 30,
        "customers.basic": 60,
        "customers.unrated": 0,
        "share.gold": 0.1,
        "share.silver": 0.3,
        "share.basic": 0.6,
        "share.unrated": 0,
        "revenue_share.gold": 0.4,
        "revenue_share.silver": 0.4,
        "revenue_share.basic": 0.2,
        "revenue_share.unrated": 0,
        "arpu.gold": 160,
        "arpu.silver": 53.5,
        "arpu.basic": 13.25,
        "moves.up": 9,
        "moves.down": 3,
        "moves.stays": 8,
        "moves.renamed": 3,
        "held": 5,
        "held.within_validity": 3,
        "held.protected_open_complaint": 2,
        "flip_rate": 0.0125,
    }
    files = {file.path for folder in (None, "plots") for file in client.list_artifacts(logged.run_id, folder)}
    assert files == {"tiers.csv", "migration.csv", "segments.json", "plots", "plots/migration.png"}


def test_the_same_rating_again_adds_nothing(store, client, policy):
    first = store.log_rating(rating(policy), **SIGNED)
    again = store.log_rating(rating(policy), by="wang.fang", now=NOW)
    assert (first.new, first.moved) == (True, True)
    assert (again.new, again.moved, again.run_id) == (False, False, first.run_id)
    assert len(runs(client, store, "rating")) == 1
    assert len(store.policy_moves()) == 1


def test_texts_that_come_later_are_put_beside_the_same_rating(store, client, policy):
    store.log_rating(rating(policy), **SIGNED)
    again = store.log_rating(rating(policy, texts={"report_tier.csv": "tier,customers\n"}), **SIGNED)
    assert not again.new
    assert {file.path for file in client.list_artifacts(again.run_id)} == {"tiers.csv", "report_tier.csv"}


@pytest.mark.parametrize("change", [{"digest": "e"}, {"day": FEBRUARY}])
def test_another_day_or_another_content_is_another_run(models, client, policy, change):
    store = Store.open(models, tracking_uri=None, name=f"other-{next(iter(change))}", create=True)
    store.log_rating(rating(policy), **SIGNED)
    assert store.log_rating(rating(policy, **change), **SIGNED).new
    assert len(runs(client, store, "rating")) == 2


def test_current_follows_the_policy_of_the_newest_rating_and_the_record_tells(store, policy, successor):
    store.log_rating(rating(policy), **SIGNED)
    store.log_rating(rating(policy, day=FEBRUARY), **SIGNED)
    logged = store.log_rating(rating(successor, day=MARCH), **SIGNED)
    assert logged.moved
    assert store.load_policy("current").label == "consumer-v2"
    assert moves(store) == [("current", None, 1), ("current", 1, 2)]
    assert store.policy_moves()[-1] == {
        "at": NOW.isoformat(),
        "by": "li.wei",
        "policies": store.policies,
        "event": "current",
        "from": 1,
        "from_policy": "consumer-v1",
        "to": 2,
        "to_policy": "consumer-v2",
        "rating": "2026-03-01",
        "run_id": logged.run_id,
    }


def test_an_old_month_rated_again_puts_no_policy_in_force(store, policy, successor):
    store.log_rating(rating(policy), **SIGNED)
    store.log_rating(rating(successor, day=MARCH), **SIGNED)
    assert not store.log_rating(rating(policy, day=FEBRUARY), **SIGNED).moved
    assert store.find_policy("current").label == "consumer-v2"
    assert store.log_rating(rating(policy, day=MARCH, digest="f"), **SIGNED).moved
    assert store.find_policy("current").label == "consumer-v1"


def test_a_move_cut_off_before_its_line_gets_the_line_later(store, policy, successor, client):
    store.log_rating(rating(policy), **SIGNED)
    store.log_rating(rating(successor, day=FEBRUARY), **SIGNED)
    client.set_registered_model_alias(store.policies, "current", "1")
    assert not store.log_rating(rating(policy, day=MARCH), **SIGNED).moved
    store.log_rating(rating(policy, day=MARCH), **SIGNED)
    assert moves(store)[-1] == ("current", 2, 1)
    assert [entry.get("note") for entry in store.policy_moves()] == [None, None, "found as current without a record"]


def test_a_comparison_proposes_its_second_policy(store, client, policy, successor):
    store.log_rating(rating(policy), **SIGNED)
    logged = store.log_what_if(comparison(policy, successor), **SIGNED)
    assert (logged.version.label, logged.moved, logged.new) == ("consumer-v2", True, True)
    assert store.load_policy("proposed") == successor[0]
    assert store.load_policy("current") == policy[0]
    run = client.get_run(logged.run_id)
    assert run.data.metrics == {"change.up": 0.02}
    assert (run.data.params["policy"], run.data.params["against"], run.data.params["months"]) == ("consumer-v1", "consumer-v2", "12")
    files = {file.path for folder in (None, "plots") for file in client.list_artifacts(logged.run_id, folder)}
    assert files == {"migration.csv", "plots", "plots/migration.png"}
    assert moves(store)[-1] == ("proposed", None, 2)


def test_the_same_comparison_again_adds_nothing(store, client, policy, successor):
    first = store.log_what_if(comparison(policy, successor), **SIGNED)
    again = store.log_what_if(comparison(policy, successor), **SIGNED)
    assert (again.new, again.moved, again.run_id) == (False, False, first.run_id)
    assert store.log_what_if(comparison(policy, successor, months=6), **SIGNED).new
    assert len(runs(client, store, "what-if")) == 2


def test_a_policy_compared_with_itself_is_not_proposed(store, policy):
    logged = store.log_what_if(comparison(policy, policy), **SIGNED)
    assert not logged.moved
    assert store.find_policy("proposed") is None


def test_what_was_logged_is_known_without_mlflow(store, models, policy, monkeypatch, tmp_path):
    def known(day=JANUARY, digest="d" * 64, *, uri=None, name=store.name, models=models):
        return rating_is_logged(models, uri, name, day, digest)

    assert not known()
    store.log_rating(rating(policy), **SIGNED)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert known()
    assert not any([known(FEBRUARY), known(digest="e"), known(name="other"), known(uri="https://mlflow.example")])
    assert known(uri=f"sqlite:///{models}/mlflow.db")
    # a record whose store was deleted says nothing about the next one
    (tmp_path / "policies.jsonl").write_bytes((models / "policies.jsonl").read_bytes())
    assert not known(models=tmp_path)


def test_a_locked_store_asks_to_try_again_and_the_rating_can_be_logged_later(models, policy, client):
    store = Store.open(models, tracking_uri=None, name="locked", create=True, patience=0.2)
    with hold(models / ".lock"), pytest.raises(TryAgainError, match="locked by process"):
        store.log_rating(rating(policy), **SIGNED)
    assert not rating_is_logged(models, None, "locked", JANUARY, "d" * 64)
    assert store.log_rating(rating(policy), **SIGNED).new


def test_a_run_that_failed_is_no_logged_rating(store, client, policy):
    broken = replace(rating(policy), texts={"no/such/folder.csv": ""})
    with pytest.raises(OSError, match="folder"):
        store.log_rating(broken, **SIGNED)
    assert [run.info.status for run in runs(client, store, "rating")] == ["FAILED"]
    assert store.find_policy("current") is None
    assert store.log_rating(rating(policy), **SIGNED).new


def test_tiers_named_in_any_script_are_logged(store, client, policy):
    named = rating(policy)
    named.by_tier["tier"] = ["钻石", "VIP+", "1A", "unrated"]
    run = client.get_run(store.log_rating(named, **SIGNED).run_id)
    assert {"customers.钻石", "customers.VIP_", "customers.1A"} <= set(run.data.metrics)


def test_the_record_of_promotions_and_of_policies_stay_apart(store, policy):
    append_line(store.models / "promotions.jsonl", {"model": store.policies, "to": 9, "promoted": True})
    store.log_rating(rating(policy), **SIGNED)
    assert moves(store) == [("current", None, 1)]
    lines = (store.models / "policies.jsonl").read_text().splitlines()
    assert all(json.loads(line)["policies"] for line in lines)
