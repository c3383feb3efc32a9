"""A tier policy whose cuts do not fit its tiers is refused with the reason."""

import pytest
import yaml

from custvalue.config import load_tier_policy
from custvalue.config.tiers import ShareOfBase, Thresholds
from custvalue.errors import ConfigError

GOOD = {
    "name": "consumer",
    "version": 3,
    "source": "illustrative",
    "tiers": ["gold", "silver", "basic"],
    "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
    "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}},
}


@pytest.fixture
def policy_file(tmp_path):
    def write(**changed):
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump(GOOD | changed, sort_keys=False), encoding="utf-8")
        return path

    return write


def test_a_policy_is_read(policy_file):
    policy = load_tier_policy(policy_file())
    assert policy.label == "consumer-v3"
    assert isinstance(policy.cuts, Thresholds)
    assert policy.cuts.at_least == {"gold": 100, "silver": 50}
    assert policy.protection.justified_within_days == 90


def test_the_kind_of_cuts_decides_what_they_are(policy_file):
    policy = load_tier_policy(policy_file(cuts={"kind": "share_of_base", "shares": {"gold": 0.1, "silver": 0.3}}))
    assert isinstance(policy.cuts, ShareOfBase)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"cuts": {"kind": "thresholds", "at_least": {"gold": 50, "silver": 50}}}, "cuts must fall from tier to tier"),
        ({"cuts": {"kind": "thresholds", "at_least": {"gold": 50, "silver": 70}}}, "cuts must fall from tier to tier"),
        ({"cuts": {"kind": "thresholds", "at_least": {"silver": 50, "gold": 100}}}, "cuts must name gold, silver in that order"),
        ({"cuts": {"kind": "thresholds", "at_least": {"gold": 100}}}, "they name gold"),
        ({"cuts": {"kind": "thresholds", "at_least": {"gold": 9, "silver": 5, "basic": 0}}}, "cuts must name gold, silver"),
        ({"cuts": {"kind": "thresholds", "shares": {"gold": 0.1, "silver": 0.2}}}, "cuts.thresholds.at_least: Field required"),
        ({"cuts": {"kind": "share_of_base", "shares": {"gold": 0.5, "silver": 0.5}}}, "leave something for 'basic'"),
        ({"cuts": {"kind": "share_of_base", "shares": {"gold": 0.0, "silver": 0.5}}}, "shares.gold: "),
        ({"cuts": {"kind": "share_of_base", "shares": {"gold": 5, "silver": 15}}}, "shares.gold: "),
        ({"cuts": {"kind": "quantiles", "shares": {}}}, "cuts: "),
        ({"cuts": {"at_least": {"gold": 100, "silver": 50}}}, "cuts: "),
        ({"tiers": ["gold", "gold", "basic"]}, "tiers must differ"),
        ({"tiers": ["gold", "silver", "unrated"]}, "none may be called 'unrated'"),
        ({"tiers": ["basic"]}, "tiers: "),
        ({"components": {}}, "components: "),
        ({"components": {"a": {"metric": "m", "points_per_unit": -1}}}, "components.a.points_per_unit: "),
        ({"components": {"a": {"metric": "m", "points_per_unit": 1, "cap": 0}}}, "components.a.cap: "),
        ({"name": "Consumer Policy"}, "name: "),
        ({"version": 0}, "version: "),
        ({"protection": {"justified_within_days": -1}}, "protection.justified_within_days: "),
        ({"protect": {}}, "protect: "),
    ],
)
def test_a_policy_that_cannot_work_is_refused(policy_file, changed, told):
    path = policy_file(**changed)
    with pytest.raises(ConfigError) as refused:
        load_tier_policy(path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


def test_cuts_that_are_not_numbers_one_can_compare_are_refused(policy_file):
    with pytest.raises(ConfigError, match="at_least"):
        load_tier_policy(policy_file(cuts={"kind": "thresholds", "at_least": {"gold": float("nan"), "silver": 50}}))
