"""A wrong command or config ends with exit 2 and tells what is wrong, where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from custvalue.app.cli import run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["train"], "--config"),
        (["train", "-c", "x.yaml"], "--as-of"),
        (["train", "-c", "x.yaml", "--as-of", "yesterday"], "--as-of"),
        (["train", "-c", "x.yaml", "--as-of", "2025-02-30"], "--as-of"),
        (["train", "-c", "x.yaml", "--as-of", "2025-01-01", "--trails", "3"], "--trails"),
        (["promote", "-c", "x.yaml", "--version", "last"], "--version"),
        (["simulate"], "OUT"),
        (["simulate", "out", "--customers", "3"], "--customers"),
        (["demo", "--lang", "fr"], "--lang"),
        (["demo", "--months", "6"], "--months"),
        (["init"], "DIR"),
    ],
)
def test_a_wrong_command_line(arguments, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert told in " ".join(said.err.replace("│", " ").split())
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def refusal(capsys) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["exit"]) == ("refused", 2)
    return event["text"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"churn": {"horizon_month": 2}}, "churn.horizon_month: unknown key; did you mean 'horizon_months'?"),
        ({"tierpolicy": "x"}, "tierpolicy: unknown key; did you mean 'tier_policy'?"),
        ({"sources": {"foldr": "x"}}, "sources.foldr: unknown key; did you mean 'folder'?"),
        ({"currency": "yuan"}, "currency: String should match pattern"),
        ({"time_zone": "Asia/Nowhere"}, "time_zone: unknown time zone 'Asia/Nowhere'"),
        ({"churn": {"kinds": ["bored"]}}, "churn.kinds.0: Input should be 'voluntary'"),
        ({"features": {"windows": [3, 1]}}, "features.windows: windows must ascend and start with 1"),
    ],
)
def test_a_typo_in_a_config_is_told_with_file_and_key(config, change, key, capsys):
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump(content | change), encoding="utf-8")
    assert run(["check", "-c", str(config)]) == 2
    told = refusal(capsys)
    assert str(config) in told
    assert key in told


def test_every_fault_is_told_at_once(config, capsys):
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump(content | {"curency": "CNY", "churn": {"gap_months": -1, "seeds": 3}}), encoding="utf-8")
    assert run(["check", "-c", str(config)]) == 2
    told = refusal(capsys)
    assert told.splitlines()[0] == f"{config}: 3 fault(s)"
    assert {line.split(": ")[1] for line in told.splitlines()[1:]} == {"curency", "churn.gap_months", "churn.seeds"}


@pytest.mark.parametrize("command", ["check", "nights"])
def test_a_config_that_is_not_there(command, tmp_path, capsys):
    assert run([command, "-c", str(tmp_path / "none.yaml")]) == 2
    assert f"{tmp_path / 'none.yaml'}: cannot be read (No such file or directory)" in refusal(capsys)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency: [", ":1: is not YAML"),
        ("- a list", ": must hold keys and values, not list"),
        ("currency: ${NO_SUCH}", ":1: currency: ${NO_SUCH} is not set"),
    ],
)
def test_a_config_that_is_none(tmp_path, text, told, capsys):
    path = tmp_path / "op.yaml"
    path.write_text(text, encoding="utf-8")
    assert run(["check", "-c", str(path)]) == 2
    assert f"{path}{told}" in refusal(capsys)


@pytest.mark.parametrize(("key", "fault"), [("tier_policy", "tiers"), ("retention_policy", "reach")])
def test_a_typo_in_a_policy_is_told_with_its_file(config, tmp_path, tables, key, fault, capsys):
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    policy = yaml.safe_load(Path(content[key]).read_text(encoding="utf-8"))
    del policy[fault]
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    config.write_text(yaml.safe_dump(content | {key: str(path)}), encoding="utf-8")
    assert run(["tiers", "-c", str(config), "--as-of", "2024-09-01"]) == 2
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert last["text"].startswith(f"{path}: ")
    assert f"{fault}: Field required" in last["text"]


def test_an_unknown_scenario_is_told_with_the_known_ones(tmp_path, capsys):
    assert run(["simulate", str(tmp_path / "out"), "--scenario", "martian"]) == 2
    assert "unknown scenario 'martian'; there are: " in refusal(capsys)
    assert list(tmp_path.iterdir()) == []
