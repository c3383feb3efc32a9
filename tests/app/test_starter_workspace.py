"""``custvalue init`` makes a workspace that works, or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from custvalue.app.cli import run
from custvalue.config import load_config, load_mapping, load_retention_policy, load_tier_policy
from custvalue.wording import load_catalogue

from .conftest import REPOSITORY


@pytest.fixture
def starter(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CUSTVALUE_DATA", str(tmp_path / "elsewhere"))
    assert run(["init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def test_it_holds_the_ready_configs_and_the_folders_that_they_name(starter):
    assert {path.name for path in starter.iterdir()} == {"configs", "data", "models", "output", "README.md"}
    ready = {path.relative_to(REPOSITORY / "configs"): path.read_bytes() for path in (REPOSITORY / "configs").rglob("*.yaml")}
    assert {path.relative_to(starter / "configs"): path.read_bytes() for path in (starter / "configs").rglob("*.yaml")} == ready
    assert (starter / "README.md").read_text(encoding="utf-8").startswith("# ")


def test_every_config_in_it_loads(starter, tmp_path):
    paths = sorted((starter / "configs").glob("*.yaml"))
    assert {"demo.yaml", "interconnect.yaml", "india-prepaid.yaml", "megaline.yaml"} <= {path.name for path in paths}
    for path in paths:
        config = load_config(path, environ=os.environ)
        assert config.name == path.stem
        assert config.workspace == starter
        assert config.output == starter / "output" / path.stem
        load_tier_policy(config.tier_policy)
        load_retention_policy(config.retention_policy)
        load_catalogue(config.wording)
        if config.sources.mapping:
            load_mapping(config.sources.mapping)
            assert config.sources.folder == tmp_path / "elsewhere"


def test_its_policies_and_mappings_are_valid_even_where_no_config_names_them(starter):
    for folder, load in (("tiers", load_tier_policy), ("retention", load_retention_policy), ("sources", load_mapping)):
        for path in (starter / "configs" / folder).glob("*.yaml"):
            load(path)


def test_what_it_tells_to_do_next_works(starter, capsys):
    assert "data" in (starter / "README.md").read_text(encoding="utf-8")
    config = starter / "configs" / "demo.yaml"
    assert run(["check", "-c", str(config)]) == 3
    assert "demo does not exist" in capsys.readouterr().err
    assert run(["simulate", str(starter / "data" / "demo"), "--customers", "200", "--months", "4"]) == 0
    assert run(["check", "-c", str(config), "--as-of", "2024-05-01"]) == 0


@pytest.mark.parametrize("occupied", ["a file inside", "a hidden file inside", "a file in its place"])
def test_an_occupied_folder_is_refused_and_left_as_it_is(tmp_path, occupied, capsys):
    folder = tmp_path / "mine"
    path = {"a file inside": folder / "notes.txt", "a hidden file inside": folder / ".git", "a file in its place": folder}[occupied]
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    before = {found: found.stat().st_mtime_ns for found in tmp_path.rglob("*")}
    assert run(["init", str(folder)]) == 2
    assert json.loads(capsys.readouterr().err)["text"] == f"{folder} is not an empty folder. Name a new one; nothing was written."
    assert {found: found.stat().st_mtime_ns for found in tmp_path.rglob("*")} == before
    assert path.read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_is_taken(tmp_path, capsys):
    assert run(["init", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("configs", "data", "models", "output"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert run(["init", str(tmp_path / "file" / "shop")]) == 2
    assert f"{tmp_path / 'file' / 'shop'}" in json.loads(capsys.readouterr().err)["text"]


def test_the_workspace_s_yaml_keeps_its_comments(starter):
    text = (starter / "configs" / "demo.yaml").read_text(encoding="utf-8")
    assert text.startswith("#")
    assert yaml.safe_load(text)["currency"] == "CNY"
