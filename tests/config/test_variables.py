"""``${NAME}`` and ``${NAME:-default}`` are filled from the mapping that is given, and from nowhere else."""

import pytest

from custvalue.config import load_config, load_mapping
from custvalue.errors import ConfigError

POLICIES = "tier_policy: tiers.yaml\nretention_policy: retention.yaml\n"


def folder_of(config_file, written, **environ):
    return load_config(config_file(text=f"sources:\n  folder: {written}\n{POLICIES}"), environ=environ).sources.folder


def test_a_variable_is_filled_in(config_file, tmp_path):
    assert folder_of(config_file, "${LAKE}/telco", LAKE="/lake") == (tmp_path / "/lake/telco").resolve()


@pytest.mark.parametrize("environ", [{}, {"LAKE": ""}])
def test_a_default_stands_in_for_an_unset_or_empty_variable(config_file, tmp_path, environ):
    assert folder_of(config_file, "${LAKE:-lake}", **environ) == tmp_path / "lake"


def test_the_variable_wins_over_its_default(config_file, tmp_path):
    assert folder_of(config_file, "${LAKE:-lake}", LAKE="sea") == tmp_path / "sea"


def test_the_process_environment_is_not_read(config_file, monkeypatch):
    monkeypatch.setenv("LAKE", "/from/the/environment")
    with pytest.raises(ConfigError, match="LAKE"):
        folder_of(config_file, "${LAKE}")


def test_an_unset_variable_is_named_with_its_file(config_file):
    path = config_file("# the folder of last year\n", text=f"sources:\n  folder: ${{LAKE}}/x\n{POLICIES}")
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert str(path) in str(refused.value)
    assert "${LAKE} is not set" in str(refused.value)
    assert "${LAKE:-default}" in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_variable_in_a_comment_need_not_be_set(config_file):
    assert load_config(config_file("# folder: ${LAKE}\n")).name == "operator"


@pytest.mark.parametrize("value", ["/lake #2/telco", "/lake: new", "/lake, old", "/la}ke"])
def test_a_value_is_taken_as_it_is_and_never_read_as_yaml(config_file, value):
    text = f"sources:\n  folder: ${{LAKE}}\n{POLICIES}"
    assert str(load_config(config_file(text=text), environ={"LAKE": value}).sources.folder) == value


def test_a_mapping_takes_variables_from_the_config_that_names_it_and_no_dump_shows_them(config_file, tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text("inputs: {bills: {backend: 'postgres://reader:${DB_PASSWORD}@host/db', table: bills}}\ntables: {}\n", encoding="utf-8")
    text = f"sources: {{folder: lake, mapping: {path}}}\n{POLICIES}"
    config = load_config(config_file(text=text), environ={"DB_PASSWORD": "s3cret"})
    mapping = load_mapping(config.sources.mapping, environ=config.sources.variables)
    assert mapping.inputs["bills"].backend == "postgres://reader:s3cret@host/db"
    assert "s3cret" not in f"{config!r} {config.model_dump_json()} {config.model_copy()!r}"
    assert config.sources.model_copy().variables == {"DB_PASSWORD": "s3cret"}
    with pytest.raises(ConfigError, match="DB_PASSWORD"):
        load_mapping(path)
