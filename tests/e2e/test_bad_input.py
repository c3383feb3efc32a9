"""Bad input through the command line: the message, the exit code, and nothing half-written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from custvalue.publish import read_published

from .conftest import AS_OF, CONFIG, Workspace, write_configs, write_yaml

# What a refused night may leave: a lock file, the note for `custvalue nights`, and the key that tokens are made with.
TRACES = re.compile(r"output(/op(/token\.key|/refused(/as_of=\d{4}-\d\d-\d\d\.json)?)?)?")

# The copied workspace's store, whose paths are mended by the first command that opens it.
OPENED = {"models/mlflow.db"}


def rewrite(workspace: Workspace, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = workspace.data / f"{table}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def without_table(workspace: Workspace) -> None:
    (workspace.data / "billing.parquet").unlink()


def without_column(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: rows.drop(columns="revenue"))


def with_words_for_money(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: rows.assign(revenue=[*["n/a", "12,5"], *rows.revenue.astype(str)[2:]]))


def with_a_key_twice(workspace: Workspace) -> None:
    rewrite(workspace, "billing", lambda rows: pd.concat([rows, rows.head(2)]))


def with_a_day_that_is_none(workspace: Workspace) -> None:
    rewrite(workspace, "customers", lambda rows: rows.assign(joined_on=["2024-02-30", *rows.joined_on.astype(str)[1:]]))


FAULTS = {
    "missing table": (without_table, ["required table(s) missing: billing", "Add the file(s) or map them"]),
    "missing column": (without_column, ["table billing: required column(s) missing: revenue", "It has customer_id, month"]),
    "wrong type": (with_words_for_money, ["table billing, column revenue: 2 value(s) are not DECIMAL(18,4): '12,5', 'n/a'", "Mend"]),
    "duplicate key": (with_a_key_twice, ["billing.customer_id+month: key comes twice in 4 row(s), for example C0***01", "Keep one row"]),
    "unparseable date": (with_a_day_that_is_none, ["customers, column joined_on: 1 value(s) are not dates (YYYY-MM-DD): '2024-02-30'"]),
}


def traces(workspace: Workspace, before: dict) -> set[str]:
    """What a command added, changed or removed, but for the traces that a refused night may leave."""
    after = workspace.listing()
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and not TRACES.fullmatch(path)}


def refusal_note(workspace: Workspace, as_of: date = AS_OF) -> dict:
    return json.loads((workspace.output / "refused" / f"as_of={as_of}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_tables_are_refused_and_the_night_says_so(workspace, fault):
    spoil, sentences = FAULTS[fault]
    spoil(workspace)
    before = workspace.listing()
    for told in (workspace.say("check"), workspace.nightly()):
        assert told.code == 3
        assert all(sentence in told.refusal for sentence in sentences), told.refusal
        assert "C00000001" not in told.err
    assert traces(workspace, before) <= OPENED
    assert refusal_note(workspace) == {"as_of": AS_OF.isoformat(), "exit_code": 3, "message": told.refusal}


def test_every_command_that_reads_the_tables_refuses_bad_ones(workspace):
    without_column(workspace)
    before = workspace.listing()
    out = ("--out", workspace.folder / "out.parquet")
    for command, arguments in {"features": out, "tiers": out, "train": (), "score": (), "lists": (), "nightly": ()}.items():
        told = workspace.say(command, "--as-of", AS_OF, *arguments)
        assert told.code == 3
        assert "table billing: required column(s) missing: revenue" in told.refusal
    assert traces(workspace, before) <= OPENED


def test_an_as_of_before_any_data(workspace):
    before = workspace.listing()
    out = workspace.folder / "features.parquet"
    for command in (("check",), ("features", "--out", out), ("train",), ("nightly",)):
        told = workspace.say(command[0], "--as-of", "2019-03-01", *command[1:])
        assert told.code == 3
        assert "as_of 2019-03-01 lies before any data: the first customers are known from 2024-01-01. Take a later date." in told.refusal
    assert traces(workspace, before) <= OPENED
    assert "lies before any data" in " ".join(workspace.say("nights").out.split())


def test_a_feed_that_is_late(workspace):
    rewrite(workspace, "usage", lambda rows: rows[rows.month < date(2024, 12, 1)])
    before = workspace.listing()
    told = workspace.nightly()
    assert told.code == 3
    assert f"feed(s) late at {AS_OF}:" in told.refusal
    assert "usage: newest month 2024-11, expected 2024-12" in told.refusal
    assert "billing" not in told.refusal
    assert traces(workspace, before) <= OPENED


@pytest.fixture
def new_workspace(tmp_path) -> Workspace:
    """Configs alone: no tables, no store."""
    return write_configs(tmp_path / "new")


def test_a_mapping_that_names_an_absent_file(new_workspace):
    mapping = {"inputs": {"bills": "exports/bills_*.csv"}, "tables": {"billing": {"from": "bills", "rename": {"customer_id": "id"}}}}
    write_yaml(new_workspace.folder / "configs" / "sources" / "op.yaml", mapping)
    new_workspace.data.mkdir(parents=True)
    new_workspace.change(sources={"folder": "../data/op", "mapping": "sources/op.yaml"})
    before = new_workspace.listing()
    for command in ("check", "train"):
        told = new_workspace.say(command, "--as-of", AS_OF)
        assert told.code == 3
        assert f"op.yaml: input bills: no file exports/bills_*.csv in {new_workspace.data}" in told.refusal
        assert "Put the file there, or mend `path` or `sources.folder`" in told.refusal
    assert {path for path in new_workspace.listing().keys() - before.keys() if not path.startswith("models")} == set()


def test_a_mapping_file_that_is_absent(new_workspace):
    new_workspace.change(sources={"folder": "../data/op", "mapping": "sources/nowhere.yaml"})
    told = new_workspace.say("check")
    assert told.code == 2
    assert str(new_workspace.folder / "configs" / "sources" / "nowhere.yaml") in told.refusal
    assert "cannot be read (No such file or directory)" in told.refusal


def test_a_data_folder_that_is_absent(new_workspace):
    told = new_workspace.say("check")
    assert told.code == 3
    assert f"data folder {new_workspace.data} does not exist. Check `sources.folder`." in told.refusal
    assert not new_workspace.data.exists()


def runs_and_versions(workspace: Workspace) -> tuple[list[str], list[int]]:
    uri = f"sqlite:///{workspace.models}/mlflow.db"
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("op")
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    return [run.info.status for run in runs], [int(version.version) for version in client.search_model_versions("name = 'op'")]


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (lambda rows: rows[rows.left_on < date(1990, 1, 1)], "0 leavers (voluntary, port_out) are known at 2025-01-01; at least 15"),
        (lambda rows: rows[rows.left_on < date(2024, 7, 1)], "nobody left"),
    ],
    ids=["nobody ever left", "nobody left in the snapshots' windows"],
)
def test_no_churners_in_the_window(workspace, kept, sentence):
    rewrite(workspace, "departures", kept)
    workspace.change(churn=CONFIG["churn"] | {"snapshots": 1})
    before = workspace.listing()
    told = workspace.say("train", "--as-of", AS_OF)
    assert told.code == 4
    assert sentence in told.refusal
    assert traces(workspace, before) <= OPENED
    assert runs_and_versions(workspace) == (["FINISHED"], [1])


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


def test_the_last_good_night_stays_readable_after_a_refused_one(workspace):
    assert workspace.nightly().code == 0
    content = read_published(workspace.output)
    with_a_key_twice(workspace)
    assert workspace.nightly(as_of=date(2025, 1, 2)).code == 3
    pd.testing.assert_frame_equal(read_published(workspace.output), content)
    assert list((workspace.output / "nights").iterdir()) == [workspace.output / "nights" / content.run_id[0]]
    assert list((workspace.output / "staging").glob("*")) == []
    assert [path for path in workspace.folder.rglob(".*") if path.name != ".lock"] == []

    told = workspace.say("nights")
    assert told.code == 0
    good, refused, *_ = [line.split() for line in told.out.splitlines() if line.strip().startswith("2025-")]
    assert good == ["2025-01-01", "published", "1", content.run_id[0]]
    assert refused[:3] == ["2025-01-02", "refused", "3"]
    assert "key comes twice in 4 row(s)" in " ".join(told.out.split())


def test_a_damaged_night_is_refused_and_not_replaced_by_an_older_one(workspace):
    assert workspace.nightly().code == 0
    (night,) = (workspace.output / "nights").iterdir()
    (night / "scores.parquet").unlink()
    told = workspace.nightly()
    assert told.code == 3
    assert "1 of the night's" in told.refusal
    assert "damaged" in workspace.say("nights").out
    assert workspace.nightly("--force").code == 0
    assert len(read_published(workspace.output)) > 3500


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
