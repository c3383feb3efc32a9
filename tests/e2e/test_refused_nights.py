"""Nights that cannot be: no champion, another model's features, nowhere to write; and the good night that stays."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from custvalue.publish import read_published

from .conftest import AS_OF, OPENED, Workspace, refusal_note, traces, with_a_key_twice, write_yaml


def test_no_champion(workspace, new_workspace):
    for command in (("promote",), ("score", "--as-of", AS_OF), ("lists", "--as-of", AS_OF), ("nightly", "--as-of", AS_OF)):
        told = new_workspace.say(*command)
        assert told.code == 4
        assert "no champion for 'op'" in told.refusal
        assert "Run `custvalue train`, then `custvalue promote`." in told.refusal
    assert not (new_workspace.folder / "models").exists()
    assert not (new_workspace.folder / "output" / "op" / "nights").exists()

    uri = f"sqlite:///{workspace.models}/mlflow.db"
    workspace.say("promote")
    MlflowClient(uri, uri).delete_registered_model_alias("op", "champion")
    before = workspace.listing()
    told = workspace.nightly()
    assert told.code == 4
    assert "no champion for 'op'" in told.refusal
    assert traces(workspace, before) == set()
    assert refusal_note(workspace)["exit_code"] == 4
    assert "no champion" in " ".join(workspace.say("nights").out.split())


def test_a_champion_that_learnt_from_other_features(workspace):
    workspace.change(features={"windows": [1, 3, 6]})
    workspace.say("promote")
    before = workspace.listing()
    for told in (workspace.nightly(), workspace.say("score", "--as-of", AS_OF)):
        assert told.code == 4
        assert "op v1 was trained on other features than op builds now" in told.refusal
        added = re.search(r"added \[(.*)\]", told.refusal)
        assert added
        assert "_6m" in added[1]
        assert "Restore the configuration and tables, or train again" in told.refusal
    (workspace.data / "complaints.parquet").unlink()
    workspace.change(features={"windows": [1, 3]})
    told = workspace.nightly()
    assert told.code == 4
    assert re.search(r"missing \['\w*complaint", told.refusal)
    assert traces(workspace, before) <= {"configs/op.yaml", "data/op/complaints.parquet"}


@pytest.mark.parametrize(
    ("key", "code", "sentence"),
    [("short", 2, "CUSTVALUE_TOKEN_KEY: a token key needs at least 16 bytes, this one has 5"), ("", 2, "this one has 0")],
)
def test_a_token_key_that_protects_nothing(workspace, monkeypatch, key, code, sentence):
    monkeypatch.setenv("CUSTVALUE_TOKEN_KEY", key)
    told = workspace.nightly()
    assert told.code == code
    assert sentence in told.refusal
    assert not (workspace.output / "nights").exists()
    assert not (workspace.output / "token.key").exists()


@pytest.fixture
def blocked(workspace) -> Workspace:
    """An output folder that nobody can write to, whoever runs the tests: a file stands in its place."""
    workspace.say("promote")  # mends the copied store's paths
    workspace.change(output="../taken")
    (workspace.folder / "taken").write_text("a file\n", encoding="utf-8")
    return workspace


def test_an_output_that_cannot_be_written(blocked):
    before = blocked.listing()
    for command in ("nightly", "score", "lists", "tiers"):
        told = blocked.say(command, "--as-of", AS_OF)
        assert told.code == 75, command
        assert str(blocked.folder / "taken") in told.refusal
        assert "run the command again" in told.refusal
    assert blocked.listing() == before


def test_a_parquet_file_that_cannot_be_written(workspace):
    workspace.say("promote")
    before = workspace.listing()
    out = workspace.folder / "absent" / "features.parquet"
    told = workspace.say("features", "--as-of", AS_OF, "--out", out)
    assert told.code == 2
    assert f"{out}: name a Parquet file in a folder that exists" in told.refusal
    assert workspace.listing() == before


def test_the_last_good_night_stays_readable_after_a_refused_one(published):
    content = read_published(published.output)
    with_a_key_twice(published)
    assert published.nightly(as_of=date(2025, 1, 2)).code == 3
    pd.testing.assert_frame_equal(read_published(published.output), content)
    assert list((published.output / "nights").iterdir()) == [published.output / "nights" / content.run_id[0]]
    assert list((published.output / "staging").glob("*")) == []
    assert [path for path in published.folder.rglob(".*") if path.name != ".lock"] == []

    told = published.say("nights")
    assert told.code == 0
    good, refused, *_ = [line.split() for line in told.out.splitlines() if line.strip().startswith("2025-")]
    assert good == ["2025-01-01", "published", "1", content.run_id[0]]
    assert refused[:3] == ["2025-01-02", "refused", "3"]
    assert "key comes twice in 4 row(s)" in " ".join(told.out.split())


def test_a_damaged_night_is_refused_and_not_replaced_by_an_older_one(published):
    (night,) = (published.output / "nights").iterdir()
    (night / "scores.parquet" / "part-00000.parquet").unlink()
    told = published.nightly()
    assert told.code == 3
    assert "1 of the night's" in told.refusal
    assert "damaged" in published.say("nights").out
    assert published.nightly("--force").code == 0
    assert len(read_published(published.output)) > 3500


def test_a_config_of_an_operator_without_a_model_can_still_be_looked_at(new_workspace):
    told = new_workspace.say("nights")
    assert told.code == 0
    assert f"nothing published in {new_workspace.output} yet" in " ".join(told.out.split())
    assert not new_workspace.output.exists()


def test_a_policy_that_asks_for_a_feature_the_tables_do_not_give(workspace):
    path: Path = workspace.folder / "configs" / "retention" / "keen.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    write_yaml(path, policy | {"value": policy["value"] | {"metric": "revenue_mean_12m"}})
    before = workspace.listing()
    told = workspace.nightly()
    assert told.code == 2
    assert "value.metric 'revenue_mean_12m' is no feature here" in told.refusal
    assert traces(workspace, before) <= OPENED
