"""Ratings reach MLflow once each; a store that is away costs nothing but the log."""

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from custvalue.app import rating_log
from custvalue.app.console import StepReporter
from custvalue.app.rating_log import StandingRating, log_comparison, log_ratings
from custvalue.config import load_config
from custvalue.pipeline.comparison import Migration, Stability, WhatIf
from custvalue.pipeline.rating_days import rate_days
from custvalue.pipeline.tier_replay import ReplayPlan
from custvalue.publish.locks import hold
from custvalue.sources import open_tables
from custvalue.tiers import TierPolicy, tier_table
from custvalue.tiers.measures.concentration import Concentration
from custvalue.tiers.measures.stability import FlipFlops
from custvalue.tracking import Store

REPOSITORY = Path(__file__).parents[2]
POLICY = """
name: grades
version: 1
source: made up
tiers: [gold, silver, basic]
eligibility: {min_tenure_months: 2}
rules:
  points:
    components: {arpu: {metric: revenue_mean_3m, points_per_unit: 1.0}}
    cuts: {kind: share_of_base, shares: {gold: 0.2, silver: 0.3}}
"""
SINCE, AS_OF = date(2024, 6, 5), date(2024, 8, 5)


@pytest.fixture(scope="module")
def made(tables, tmp_path_factory):
    """Two months' ratings, stored: the workspace and what was rated."""
    path = tmp_path_factory.mktemp("rated") / "small.yaml"
    (path.parent / "grades.yaml").write_text(POLICY, encoding="utf-8")
    content = {
        "time_zone": "Asia/Shanghai",
        "sources": {"folder": str(tables)},
        "features": {"windows": [1, 3]},
        "tier_policy": "grades.yaml",
        "retention_policy": str(REPOSITORY / "configs" / "retention" / "default.yaml"),
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    config = load_config(path, environ={})
    # MLflow's migrations take seconds, so they run once, and tests start from copies
    Store.open(config.workspace / "models", tracking_uri=None, name=config.name, create=True)
    opened = open_tables(config, log=lambda _: None)
    return path, list(rate_days(config, opened, AS_OF, since=SINCE, log=lambda _: None))


@pytest.fixture
def loaded(made, tmp_path):
    shutil.copytree(made[0].parent, tmp_path / "copy")
    return load_config(tmp_path / "copy" / made[0].name, environ={})


@pytest.fixture
def rated(made):
    return made[1]


@pytest.fixture
def standing(rated):
    return [StandingRating(found.policy, found.manifest) for found in rated]


def log(config, standing, **options):
    return log_ratings(config, standing, environ={"CUSTVALUE_ACTOR": "li.wei"}, reporter=StepReporter(human=False), **options)


def store_of(config):
    return Store.open(config.workspace / "models", tracking_uri=None, name=config.name, create=False)


def test_every_rating_is_logged_once(loaded, standing, rated, monkeypatch, capsys):
    logged = log(loaded, standing)
    assert [each.new for each in logged] == [True] * len(rated)
    assert len(rated) > 1
    store = store_of(loaded)
    label = rated[-1].policy.label
    assert store.load_policy("current") == rated[-1].policy
    assert [(entry["event"], entry["by"], entry["to_policy"]) for entry in store.policy_moves()] == [("current", "li.wei", label)]
    assert f"{label} is version 1 of {loaded.name}-tiers and is now current" in capsys.readouterr().err

    # a second time there is nothing to log, and MLflow is not even loaded
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert log(loaded, standing) == []
    assert capsys.readouterr().err == ""


def test_what_a_run_tells_is_what_the_rating_holds(loaded, rated):
    last = rated[-1]
    frame = last.table.select(["customer_id", "tier"]).to_pandas()
    facts = frame[["customer_id"]].assign(revenue_mean_3m=50.0)
    counted = tier_table(frame, facts, order=last.policy.tiers)
    logged = log(loaded, [StandingRating(found.policy, found.manifest) for found in rated[:-1]])
    logged += log(loaded, [StandingRating(last.policy, last.manifest, counted)])
    store = store_of(loaded)
    run = store._client.get_run(logged[-1].run_id)
    sizes = frame.tier.value_counts().to_dict()
    assert {tier: run.data.metrics[f"customers.{tier}"] for tier in sizes} == sizes
    assert run.data.metrics["customers"] == len(frame)
    assert run.data.metrics[f"arpu.{frame.tier.iloc[0]}"] == 50
    before = rated[-2].table.select(["customer_id", "tier"]).to_pandas().set_index("customer_id").tier
    both = frame.set_index("customer_id").tier.to_frame("now").join(before.rename("before"), how="inner")
    assert run.data.metrics["moves.stays"] == (both.now == both.before).sum()
    assert run.data.params["previous_rating"] == rated[-2].manifest.day.isoformat()
    files = {file.path for folder in (None, "plots") for file in store._client.list_artifacts(logged[-1].run_id, folder)}
    assert {"tiers.csv", "migration.csv", "plots/migration.png"} <= files


def test_a_store_that_is_held_is_told_and_the_next_run_logs_what_is_missing(loaded, standing, monkeypatch, capsys):
    opened = Store.open
    monkeypatch.setattr(Store, "open", lambda *given, **options: opened(*given, **options, patience=0.1))
    with hold(loaded.workspace / "models" / ".lock"):
        assert log(loaded, standing) == []
    assert f"{len(standing)} rating(s) stand, but MLflow has no record of them yet" in capsys.readouterr().err
    assert len(log(loaded, standing)) == len(standing)


def test_the_policy_of_an_older_version_is_logged_without_its_file(loaded, standing, tmp_path):
    changed = tmp_path / "policy.yaml"
    text = loaded.tier_policy.read_text(encoding="utf-8")
    version = standing[0].policy.config.version
    changed.write_text(text.replace(f"version: {version}\n", f"version: {version + 1}\n"), encoding="utf-8")
    kept = rating_log._policy_text(loaded.model_copy(update={"tier_policy": changed}), standing[0].policy)
    (tmp_path / "kept.yaml").write_text(kept, encoding="utf-8")
    assert TierPolicy.from_yaml(tmp_path / "kept.yaml").config == standing[0].policy.config
    assert rating_log._policy_text(loaded, standing[0].policy) == text


def compared(policy, against):
    """A comparison in which one of ten customers falls."""
    counts = ["customers", "known", "monthly_revenue"]
    table = pd.DataFrame([("gold", "gold", 9, 9, 900.0), ("gold", "silver", 1, 1, 60.0)], columns=["before", "after", *counts])
    none = pd.DataFrame(columns=counts)
    migration = Migration(table, none, none, none, none, none)
    changes = pd.DataFrame({"day": [AS_OF], "customers": [10], "up": [0], "down": [1], "protected_down": [0]})
    return WhatIf(
        as_of=AS_OF,
        currency="CNY",
        metric="revenue_mean_3m",
        policy=policy,
        against=against,
        against_replayed=against,
        plan=ReplayPlan((SINCE, AS_OF), 0, 1, 0),
        switch=migration,
        long_run=migration,
        tiers={},
        stability={"against": Stability(changes, FlipFlops(10, 0))},
        concentration=Concentration(0.4, none),
        contact_cost=1.0,
        notes=(),
    )


def test_a_comparison_proposes_its_policy_and_a_store_that_is_held_only_costs_the_log(loaded, standing, tmp_path, monkeypatch, capsys):
    policy = standing[-1].policy
    draft = tmp_path / "draft.yaml"
    draft.write_text(POLICY.replace("version: 1", "version: 2"), encoding="utf-8")
    against = replace(policy, config=TierPolicy.from_yaml(draft).config)
    given = {"figures": {}, "environ": {"CUSTVALUE_ACTOR": "li.wei"}, "reporter": StepReporter(human=False)}
    files = (loaded.tier_policy, draft)

    opened = Store.open
    monkeypatch.setattr(Store, "open", lambda *where, **options: opened(*where, **options, patience=0.1))
    with hold(loaded.workspace / "models" / ".lock"):
        assert log_comparison(loaded, compared(policy, against), files, **given) is None
    assert "MLflow has no record of this comparison" in capsys.readouterr().err

    logged = log_comparison(loaded, compared(policy, against), files, **given)
    assert (logged.new, logged.moved) == (True, True)
    assert "grades-v2 (version 2) is now proposed" in capsys.readouterr().err
    store = store_of(loaded)
    assert store.load_policy("proposed") == against
    assert store._client.get_run(logged.run_id).data.metrics["switch.down"] == 1
