"""The JSON Schema that editors use is the model's, says something of every key, and lies where the ready policies point."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from custvalue.config import ready_configs
from custvalue.config.schema import tier_policy_schema

FOLDER = ready_configs() / "tiers"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_policy_names_its_schema_where_an_editor_finds_it(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert name != first
    assert (path.parent / name).is_file()


def test_the_schema_beside_the_policies_is_that_of_the_model():
    stored = (FOLDER / "tier-policy.schema.json").read_text(encoding="utf-8")
    assert json.loads(stored) == json.loads(tier_policy_schema()), (
        "write it anew: from custvalue.config.schema import tier_policy_schema; "
        "Path('configs/tiers/tier-policy.schema.json').write_text(tier_policy_schema(), encoding='utf-8')"
    )


def test_every_key_of_the_schema_is_described():
    schema = json.loads(tier_policy_schema())
    blocks = {"policy": schema, **schema["$defs"]}
    silent = [f"{name}.{key}" for name, block in blocks.items() for key, of in block["properties"].items() if not of.get("description")]
    assert silent == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_policy_fits_the_schema_and_a_misspelt_one_does_not(path):
    validator = Draft202012Validator(json.loads(tier_policy_schema()))
    content = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert list(validator.iter_errors(content)) == []
    assert list(validator.iter_errors(content | {"tires": []})) != []
    assert list(validator.iter_errors(content | {"rules": {"points": {"components": {}}}})) != []
