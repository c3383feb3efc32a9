"""A config file becomes absolute paths and frozen values, or one error that names the file and the key."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from custvalue.config import load_config, load_mapping, load_retention_policy, load_tier_policy, ready_configs
from custvalue.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]


def refusal(load, path):
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert refused.value.exit_code == 2
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_paths_resolve_against_the_folder_of_the_config(config_file, tmp_path, monkeypatch):
    path = config_file(
        "wording: words\n", text="sources: {folder: ../data, mapping: m/a.yaml}\ntier_policy: t.yaml\nretention_policy: r.yaml\n"
    )
    monkeypatch.chdir("/")
    config = load_config(path)
    assert config.sources.folder == tmp_path.parent / "data"
    assert config.sources.mapping == tmp_path / "m" / "a.yaml"
    assert config.tier_policy == tmp_path / "t.yaml"
    assert config.retention_policy == tmp_path / "r.yaml"
    assert config.wording == tmp_path / "words"
    assert config.workspace == tmp_path


def test_output_lies_in_the_workspace_under_the_name_of_the_config(config_file, tmp_path):
    config = load_config(config_file("workspace: ws\n", name="north.yaml"))
    assert config.name == "north"
    assert config.output == tmp_path / "ws" / "output" / "north"


def test_name_and_output_can_be_given(config_file, tmp_path):
    config = load_config(config_file("name: south\noutput: out\n"))
    assert (config.name, config.output) == ("south", tmp_path / "out")


def test_a_config_is_frozen(config_file):
    config = load_config(config_file())
    with pytest.raises(ValidationError):
        config.churn.gap_months = 3


def test_defaults_are_those_of_the_design(config_file):
    config = load_config(config_file())
    assert config.features.windows == (1, 3, 6, 12)
    assert (config.churn.gap_months, config.churn.horizon_months) == (1, 2)
    assert config.churn.kinds == ("voluntary", "port_out")
    assert config.wording == ready_configs() / "wording"


def test_dates_are_read_as_dates(config_file):
    assert load_config(config_file("churn: {outcomes_recorded_after: 2019-09-01}\n")).churn.outcomes_recorded_after == date(2019, 9, 1)


@pytest.mark.parametrize(
    ("added", "key"),
    [
        ("churns: {}\n", "churns"),
        ("churn: {gap: 1}\n", "churn.gap"),
        ("churn: {gap_months: one}\n", "churn.gap_months"),
        ("churn: {gap_months: -1}\n", "churn.gap_months"),
        ("churn: {horizon_months: 0}\n", "churn.horizon_months"),
        ("churn: {kinds: [bored]}\n", "churn.kinds.0"),
        ("churn: {kinds: []}\n", "churn.kinds"),
        ("churn: {outcomes_recorded_after: soon}\n", "churn.outcomes_recorded_after"),
        ("features: {windows: [3, 6]}\n", "features.windows"),
        ("features: {windows: [1, 6, 3]}\n", "features.windows"),
        ("features: {windows: [1, 3, 3]}\n", "features.windows"),
        ("features: {windows: []}\n", "features.windows"),
        ("features: {windows: [1, 600]}\n", "features.windows.1"),
        ("currency: yuan\n", "currency"),
        ("language: de\n", "language"),
        ("time_zone: Mars/Olympus\n", "time_zone"),
        ("time_zone: ../../etc/passwd\n", "time_zone"),
        ("name: no/slash\n", "name"),
        ("name: 7\n", "name"),
        ("promotion: {min_auc: 2}\n", "promotion.min_auc"),
    ],
)
def test_a_fault_is_told_with_file_and_key(config_file, added, key):
    told = refusal(load_config, config_file(added))
    assert f"\n  operator.yaml:4: {key}: " in told
    assert "1 fault(s)" in told


def test_a_missing_key_is_named(config_file):
    told = refusal(load_config, config_file(text="sources: {folder: data}\ntier_policy: t.yaml\n"))
    assert "operator.yaml:1: retention_policy: Field required" in told


def test_sources_that_are_no_block_are_named(config_file):
    assert "\n  operator.yaml:1: sources: " in refusal(
        load_config, config_file(text="sources: data\ntier_policy: t\nretention_policy: r\n")
    )


def test_all_faults_are_told_at_once(config_file):
    told = refusal(load_config, config_file("churn: {gap_months: -1, seeds: 2}\ncurrency: x\n"))
    assert "3 fault(s)" in told


def test_a_faulty_time_zone_is_told_with_a_good_one(config_file):
    assert "unknown time zone 'Mars/Olympus'; use an IANA name such as Asia/Shanghai" in refusal(
        load_config, config_file("time_zone: Mars/Olympus\n")
    )


@pytest.mark.parametrize("load", [load_config, load_mapping, load_tier_policy, load_retention_policy])
def test_a_file_that_is_not_there(load, tmp_path):
    told = refusal(load, tmp_path / "absent.yaml")
    assert "No such file" in told


def test_a_folder_in_place_of_a_file(tmp_path):
    assert "cannot be read" in refusal(load_config, tmp_path)


@pytest.mark.parametrize("text", ["a: [1, 2\n", "a: b: c\n", "\tx: 1\n"])
def test_text_that_is_not_yaml(config_file, text):
    assert "is not YAML" in refusal(load_config, config_file(text=text))


@pytest.mark.parametrize(("text", "kind"), [("- a\n", "list"), ("", "NoneType"), ("just words\n", "str")])
def test_yaml_without_keys(config_file, text, kind):
    assert f"must hold keys and values, not {kind}" in refusal(load_config, config_file(text=text))


def test_bytes_that_are_not_utf8(config_file):
    path = config_file()
    path.write_bytes("name: 电信".encode("gbk"))
    assert "is not UTF-8" in refusal(load_config, path)


@pytest.mark.parametrize("key", ["workspace", "output", "wording", "tier_policy"])
def test_a_path_left_empty_is_a_fault_and_no_folder_called_none(config_file, key):
    text = "sources: {folder: data}\nretention_policy: r.yaml\n" + ("" if key == "tier_policy" else "tier_policy: t.yaml\n")
    told = refusal(load_config, config_file(f"{key}:\n", text=text))
    assert f"\n  operator.yaml:{text.count(chr(10)) + 1}: {key}: " in told


@pytest.mark.parametrize("path", sorted((REPOSITORY / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_ready_config_loads_with_all_that_it_names(path):
    config = load_config(path)
    assert load_tier_policy(config.tier_policy).tiers == ("diamond", "gold", "silver", "basic")
    assert set(load_retention_policy(config.retention_policy).channels) == {"diamond", "gold", "silver", "basic", "unrated"}
    assert config.wording.is_dir()
    if config.sources.mapping:
        assert load_mapping(config.sources.mapping).caveats
    assert config.workspace == REPOSITORY


def test_ready_configs_read_the_data_folder_from_the_variable():
    config = load_config(REPOSITORY / "configs" / "megaline.yaml", environ={"CUSTVALUE_DATA": "/lake"})
    assert config.sources.folder == Path("/lake")
