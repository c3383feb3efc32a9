"""A fault names the line it stands in, counted by hand in the texts below; keys that stand twice are faults too."""

import re
from textwrap import dedent

import pytest
import yaml

from custvalue.config import load_config, load_mapping, load_retention_policy, load_tier_policy, ready_configs
from custvalue.config.documents import read_document
from custvalue.errors import ConfigError

POLICY = """\
# a comment
name: consumer
version: 1
source: illustrative
tiers: [gold, silver, basic]
rules:
  points:
    components:
      arpu: {metric: revenue_mean_3m, points_per_unit: 1.0}
      tenure:
        metric: tenure_months
        bands:
          12: 10
          24: 20
    cuts:
      kind: thresholds
      at_least:
        gold: 100
        silver: 50
"""


@pytest.fixture
def faults(tmp_path):
    """Lines and places that a loader tells of a text."""

    def told(text, load=load_tier_policy):
        path = tmp_path / "policy.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        with pytest.raises(ConfigError) as refused:
            load(path)
        first, *rest = str(refused.value).splitlines()
        assert first == f"{path}: {len(rest)} fault(s)"
        found = [re.match(r"  policy\.yaml:(\d+): ([^:]+): ", line) for line in rest]
        return [(int(match[1]), match[2]) for match in found]

    return told


@pytest.mark.parametrize(
    ("old", "new", "line", "place"),
    [
        ("version: 1", "version: one", 3, "version"),
        ("[gold, silver, basic]", "[gold, gold, basic]", 5, "tiers"),
        ("metric: tenure_months", "metrics: tenure_months", 11, "rules.points.components.tenure.metrics"),
        ("24: 20", "24: many", 14, "rules.points.components.tenure.bands.24"),
        ("24: 20", "6: 20", 14, "rules.points.components.tenure.bands.6"),
        ("24: 20", "long: 20", 14, "rules.points.components.tenure.bands.long"),
        ("24: 20", "24: 5", 12, "rules.points.components.tenure.bands"),
        ("kind: thresholds", "kind: quantiles", 15, "rules.points.cuts"),
        ("silver: 50", "silver: 500", 19, "rules.points.cuts.at_least.silver"),
        ("silver: 50", "silver: -0.5", 19, "rules.points.cuts.at_least.silver"),
    ],
)
def test_a_fault_is_told_with_its_line(faults, old, new, line, place):
    assert (line, place) in faults(POLICY.replace(old, new))


def test_a_missing_key_is_told_at_the_block_it_should_stand_in(faults):
    assert faults(POLICY.replace("        metric: tenure_months\n", "")) == [(10, "rules.points.components.tenure.metric")]
    assert faults(POLICY.replace("source: illustrative\n", "")) == [(2, "source")]


def test_a_rule_may_be_called_like_a_key_or_a_kind(faults):
    for name in ("cuts", "components", "matrix", "thresholds"):
        text = POLICY.replace("  points:\n", f"  {name}:\n").replace("silver: 50", "silver: 500")
        assert faults(text) == [(19, f"rules.{name}.cuts.at_least.silver")]


def test_faults_are_told_from_the_top_of_the_file_down(faults):
    found = faults(POLICY.replace("kind: thresholds", "kind: other").replace("version: 1", "version: 0") + "colour: red\n")
    assert found == [(3, "version"), (15, "rules.points.cuts"), (20, "colour")]


def test_several_faults_of_one_check_have_their_own_lines(faults):
    steps = "stability:\n  largest_step_up: 9\n  largest_step_down: 8\nservice:\n  bronze: {}\n"
    assert faults(POLICY + steps) == [(21, "stability.largest_step_up"), (22, "stability.largest_step_down"), (24, "service.bronze")]


def test_lists_are_told_with_the_line_of_their_entry(faults):
    adjustments = """\
adjustments:
  - name: debt
    when: [{metric: arrears_last, at_least: 1}]
    at_most: silver
  - name: loyal
    when:
      - {metric: tenure_months, at_least: 120}
      - {metric: plan}
    at_least: silver
"""
    assert faults(POLICY + adjustments) == [(27, "adjustments.1.when.1")]


@pytest.mark.parametrize(
    ("added", "line", "place"),
    [
        ("version: 2\n", 20, "version"),
        ("stability:\n  grace_months: 1\n  grace_months: 2\n", 22, "grace_months"),
        ("service: {gold: {}, gold: {}}\n", 20, "gold"),
        ("adjustments: [{name: a, name: b}]\n", 20, "name"),
    ],
)
def test_a_key_that_stands_twice_is_refused(faults, added, line, place):
    assert faults(POLICY + added) == [(line, place)]


def test_two_keys_that_are_one_number_are_refused(faults):
    assert faults(POLICY.replace("24: 20", "12.0: 20")) == [(14, "12.0")]


def test_the_same_key_in_two_blocks_is_fine_and_so_is_a_merge(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(
        "a: &common {x: 1, y: 2}\nb:\n  <<: *common\n  y: 3\nc: {x: 1}\nd: *common\n",
        encoding="utf-8",
    )
    document = read_document(path)
    assert document.data["b"] == {"x": 1, "y": 3}
    assert document.locate(("b", "y")) == (4, "b.y")
    assert document.locate(("b", "x")) == (1, "b.x")


def test_a_value_that_a_merge_brought_is_told_where_it_is_written(faults):
    merged = POLICY.replace("arpu: {", "arpu: &arpu {").replace("        bands:\n", "        <<: *arpu\n        bands:\n")
    assert faults(merged) == [(10, "rules.points.components.tenure")]


def test_every_kind_of_file_tells_lines(faults):
    assert (2, "reach") in faults("name: x\nreach: 2\n", load_retention_policy)
    assert (4, "tables.billing") in faults("inputs:\n  a: a.csv\ntables:\n  billing: {}\n", load_mapping)
    assert (2, "churn.gap_months") in faults("churn:\n  gap_months: -1\n", load_config)


def test_an_unset_variable_is_told_with_its_line(tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text("language: en\nsources:\n  folder: ${LAKE}/x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"operator\.yaml:3: sources\.folder: \$\{LAKE\} is not set"):
        load_config(path)


def test_text_that_is_not_yaml_is_told_with_its_line(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("name: a\nversion: b: c\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"policy\.yaml:2: is not YAML"):
        load_tier_policy(path)


def seen(node):
    """What a parser gives of a node: kind, tag, line, and what is inside."""
    inner = node.value
    if isinstance(node, yaml.MappingNode):
        inner = [(seen(key), seen(value)) for key, value in inner]
    elif isinstance(node, yaml.SequenceNode):
        inner = [seen(value) for value in inner]
    return type(node).__name__, node.tag, node.start_mark.line, inner


def test_the_parser_in_c_reads_every_ready_file_as_the_one_in_python_does(require_part):
    require_part("PyYAML with libyaml", yaml.__with_libyaml__)
    for path in ready_configs().rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert seen(yaml.compose(text, yaml.CSafeLoader)) == seen(yaml.compose(text, yaml.SafeLoader)), path.name


def test_a_day_that_does_not_exist_is_no_crash(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("name: 2020-13-45\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not YAML"):
        load_tier_policy(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tires: [a]\n", "tires: unknown key; did you mean 'tiers'? Known here: adjustments, eligibility, "),
        ("stability: {grace: 1}\n", "stability.grace: unknown key; did you mean 'grace_months'? Known here: "),
        ("stability: {zzz: 1}\n", "stability.zzz: unknown key; Known here: grace_months, "),
        ("rules: {points: {component: {}}}\n", "rules.points.component: unknown key; did you mean 'components'?"),
        (
            "rules: {p: {components: {a: {metrik: m}}}}\n",
            "rules.p.components.a.metrik: unknown key; did you mean 'metric'? Known here: bands, cap, ",
        ),
    ],
)
def test_a_misspelt_key_is_told_with_the_right_one(tmp_path, text, told):
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_tier_policy(path)
