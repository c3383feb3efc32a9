"""Trigger and care rules: where they are found, and what is told of faulty ones."""

import pytest

from custvalue.config import load_config, load_trigger_rules, ready_configs
from custvalue.errors import ConfigError

SHIPPED = ready_configs() / "triggers" / "default.yaml"
GOOD = """version: 1
source: a test
thresholds: {many: 3}
reserved: {red: 0.3}
triggers:
  noisy:
    when: [complaint_count_3m >= many, tier != 'basic']
    by_tier: {gold: [complaint_count_3m >= 2]}
    urgency: red
    within_hours: 24
    within_hours_by_tier: {gold: 12}
care:
  trial_ends:
    when: [trial_days_to_end <= 3]
    by: message
"""


@pytest.fixture
def load(tmp_path):
    def loaded(old="", new=""):
        path = tmp_path / "rules.yaml"
        assert old in GOOD
        path.write_text(GOOD.replace(old, new, 1) if old else GOOD, encoding="utf-8")
        return load_trigger_rules(path)

    return loaded


def test_a_config_takes_the_shipped_rules_the_ones_beside_it_or_those_it_names(config_file, tmp_path):
    assert load_config(config_file()).triggers == SHIPPED
    assert load_config(config_file("triggers: own/rules.yaml\n")).triggers == tmp_path / "own" / "rules.yaml"
    (tmp_path / "triggers").mkdir()
    (tmp_path / "triggers" / "default.yaml").write_text(GOOD, encoding="utf-8")
    assert load_config(config_file()).triggers == tmp_path / "triggers" / "default.yaml"


def test_thresholds_stand_in_conditions_by_name(load):
    rules = load()
    assert [condition.bound for condition in rules.triggers["noisy"].when] == [3.0, "basic"]
    assert rules.triggers["noisy"].facts == {"complaint_count_3m", "tier"}
    assert rules.label == "triggers-v1"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (">= many", ">= manny", r"rules\.yaml:7: triggers\.noisy\.when\.0: 'manny' is neither a number.*threshold \(many\)"),
        ("thresholds: {many: 3}", "thresholds: [many]", r"rules\.yaml:3: thresholds: Input should be a valid dictionary"),
        ("thresholds: {many: 3}", "thresholds: {many: }", r"rules\.yaml:3: thresholds\.many: Input should be a valid number"),
        ("when: [trial", "wehn: [trial", r"rules\.yaml:14: care\.trial_ends\.wehn: unknown key; did you mean 'when'\?"),
        ("urgency: red", "urgency: orange", r"rules\.yaml:9: triggers\.noisy\.urgency: Input should be 'red' or 'amber'"),
        ("reserved: {red: 0.3}", "reserved: {red: 0.7, amber: 0.4}", r"rules\.yaml:4: reserved: shares add up to 1\.1"),
        ("reserved: {red: 0.3}", "reserved: {blue: 0.3}", r"rules\.yaml:4: reserved\.blue: Input should be 'red' or 'amber'"),
        ("{gold: 12}", "{gold: 24}", r"rules\.yaml:11: triggers\.noisy\.within_hours_by_tier\.gold: 24 hours is what every tier has"),
        ("when: [complaint_count_3m >= many, tier != 'basic']", "when: []", r"rules\.yaml:7: triggers\.noisy\.when: .*at least 1 item"),
        (
            "[trial_days_to_end <= 3]",
            "[trial_days_to_end <= 3, trial_days_to_end > 3]",
            r"rules\.yaml:14: care\.trial_ends\.when\.1: 'trial_days_to_end > 3' and 'trial_days_to_end <= 3' never hold together",
        ),
        ("within_hours: 24", "within_hours: 0", r"rules\.yaml:10: triggers\.noisy\.within_hours: .*greater than or equal to 1"),
        ("by: message", "by: pigeon", r"rules\.yaml:15: care\.trial_ends\.by: Input should be 'person', 'message' or 'tier'"),
        ("  noisy:", "  Noisy one:", r"rules\.yaml:6: triggers\.Noisy one: String should match pattern"),
    ],
)
def test_a_fault_is_told_with_file_line_and_place(load, old, new, told):
    with pytest.raises(ConfigError, match=told):
        load(old, new)


@pytest.mark.parametrize("pair", ["x >= 3, x <= 3", "x > 3, x < 4", "x >= 5 * y, x <= 3", "x != 3, x == 3", "x >= 3, x >= 9"])
def test_limits_that_somebody_can_keep_are_let_pass(load, pair):
    assert load("trial_days_to_end <= 3", pair).care["trial_ends"].when
