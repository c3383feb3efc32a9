"""Alert rules: the shipped ones hold together, and a rule is broken beyond its limit alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from custvalue.config import AlertRule, load_alert_rules, ready_configs
from custvalue.errors import ConfigError
from custvalue.monitoring import raise_alerts

RULE = AlertRule(
    name="high", metric="realised.tier.*.ratio_low", above=1.3, en="{metric} is {value}, above {limit}", zh="{metric}为{value}"
)


def test_a_rule_speaks_of_the_figures_beyond_its_limit() -> None:
    figures = {"realised.tier.gold.ratio_low": 1.5, "realised.tier.basic.ratio_low": 1.3, "realised.ratio_low": 9.0, "odd": math.nan}
    found = raise_alerts(figures, [RULE])
    assert [each.told("en") for each in found] == ["realised.tier.gold.ratio_low is 1.5, above 1.3"]
    assert found[0].told("zh") == "realised.tier.gold.ratio_low为1.5"
    below = RULE.model_copy(update={"metric": "*", "above": None, "below": 1.4})
    assert [each.metric for each in raise_alerts(figures, [below])] == ["realised.tier.basic.ratio_low"]


def test_the_shipped_rules_are_sound_and_speak_both_languages() -> None:
    rules = load_alert_rules(ready_configs() / "monitoring" / "alerts.yaml").rules
    assert len(rules) >= 5
    for rule in rules:
        assert rule.en != rule.zh


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{name: a, metric: m, en: x, zh: y}", "either above or below"),
        ("{name: a, metric: m, above: 1, below: 2, en: x, zh: y}", "either above or below"),
        ("{name: a, metric: m, above: 1, en: '{valeu}', zh: y}", "valeu"),
        ("{name: a, metric: m, above: 1, en: '{', zh: y}", "braces"),
        ("{name: a, metric: m, above: 1, en: x, zh: y}, {name: a, metric: m, above: 1, en: x, zh: y}", "two rules are called 'a'"),
    ],
)
def test_faulty_rules_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(f"version: 1\nrules: [{text}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        load_alert_rules(path)
