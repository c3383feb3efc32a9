"""Retention policies that would do what nobody meant are refused with the line to mend."""

from datetime import date
from textwrap import indent

import pytest

from custvalue.config import load_retention_policy
from custvalue.errors import ConfigError

HEAD = """\
name: test
version: 1
source: illustrative
reach: 0.5
save: 0.2
take_up: 0.3
harm: 0.005
contact_cost: 2
channels: {gold: manager, silver: message}
"""
OFFER = "label: {en: gift, zh: 礼品}"
PLAIN = f"offers:\n  gift: {{{OFFER}}}\n"


@pytest.fixture
def load(tmp_path):
    def loaded(text, head=HEAD):
        path = tmp_path / "policy.yaml"
        path.write_text(head + text, encoding="utf-8")
        return load_retention_policy(path)

    return loaded


def gift(**keys):
    """A catalogue of one offer with some keys."""
    lines = "\n".join([OFFER, *(f"{key}: {value}" for key, value in keys.items())])
    return "offers:\n  gift:\n" + indent(lines, "    ") + "\n"


def test_a_policy_with_one_offer_and_nothing_else_is_one_campaign_of_its_own_name(load):
    policy = load(PLAIN)
    assert list(policy.campaigns_on(date(2026, 1, 1))) == ["test-v1"]
    assert (policy.holdout.share, policy.holdout.universal, policy.rules.cooldown_days, policy.rules.complaint) == (0, 0, 60, "wait")


def test_campaigns_run_from_their_first_day_to_their_last(load):
    policy = load(PLAIN + "campaigns:\n  spring: {starts_on: 2026-03-01, ends_on: 2026-03-31, when: [arpu > 1]}\n  always: {}\n")
    running = {day: list(policy.campaigns_on(day)) for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1))}
    assert list(running.values()) == [["always"], ["spring", "always"], ["spring", "always"], ["always"]]


@pytest.mark.parametrize(("written", "meant"), [("21:00", "21:00"), ('"21:00"', "21:00"), ("9:00", "09:00"), ("08:30", "08:30")])
def test_quiet_hours_are_read_as_hours_though_yaml_counts_unquoted_ones_in_sixties(load, written, meant):
    assert load(PLAIN + f"rules:\n  quiet_hours: {{from: {written}, until: '06:00'}}\n").rules.quiet_hours.begins == meant


LAST = HEAD.count("\n")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "offers: Field required"),
        ("offers: {}\n", LAST + 1, "offers: "),
        (
            PLAIN + "by_tier: {platinum: {reach: 0.6}}\n",
            LAST + 3,
            "by_tier.platinum: channels name no tier 'platinum'; they name gold, silver",
        ),
        (PLAIN + "holdout:\n  by_tier: {platinum: 0.1}\n", LAST + 4, "holdout.by_tier.platinum: channels name no tier"),
        (PLAIN + "holdout:\n  share: 0.5\n", LAST + 4, "holdout.share: Input should be less than 0.5"),
        (PLAIN + "holdout:\n  universal: -0.1\n", LAST + 4, "holdout.universal: Input should be greater than or equal to 0"),
        (PLAIN + "by_reason:\n  complaint: {save: 1.2}\n", LAST + 4, "by_reason.complaint.save: Input should be less than or equal to 1"),
        (PLAIN + "rules: {cooldown_days: 10}\n", LAST + 3, "rules.cooldown_days: Input should be greater than or equal to 30"),
        (PLAIN + "rules: {quiet_hours: {from: '25:00'}}\n", LAST + 3, "rules.quiet_hours.from: "),
        (PLAIN + "rules:\n  do_not_say: {en: [a, b], zh: [甲]}\n", LAST + 4, "2 lines in en, but 1 in zh"),
        (gift(tiers="[platinum]"), LAST + 4, "offers.gift.tiers.0: channels name no tier 'platinum'"),
        (
            gift(channel="self_service"),
            LAST + 4,
            "no tier that may take it (gold, silver) is served on channel 'self_service', so nobody may",
        ),
        (gift(channel="message", tiers="[gold]"), LAST + 4, "no tier that may take it (gold) is served on channel 'message'"),
        (
            gift(open_to_all="yes", tiers="[gold]"),
            LAST + 4,
            "offers.gift.open_to_all: an offer that is limited by tiers is not open to all",
        ),
        (gift(when="[age_years > 60]"), LAST + 4, "offers.gift.when.0: 'age_years' is on the list of sensitive attributes"),
        (gift(when="[arpu > 2 * gender_code]"), LAST + 4, "offers.gift.when.0: 'gender_code' is on the list of sensitive attributes"),
        (gift(when="[arpu >> 2]"), LAST + 4, "unknown operator '>>'"),
        (gift(reasons="[region]") + "sensitive: [region]\n", LAST + 4, "offers.gift.reasons.0: 'region' is on the list"),
        (PLAIN + "by_reason: {region: {save: 0.1}}\nsensitive: [region]\n", LAST + 3, "by_reason.region: 'region' is on the list"),
        (PLAIN + "campaigns:\n  old:\n    when: [birth_year < 1960]\n", LAST + 5, "campaigns.old.when.0: 'birth_year' is on the list"),
        (
            PLAIN + "campaigns:\n  spring: {offers: [cake]}\n",
            LAST + 4,
            "campaigns.spring.offers.0: no offer is called 'cake'; there are gift",
        ),
        (PLAIN + "campaigns:\n  Spring!: {}\n", LAST + 4, "must be written in small letters"),
        (PLAIN + "campaigns:\n  a: {starts_on: 2026-03-02, ends_on: 2026-03-01}\n", LAST + 4, "ends on 2026-03-01, before it starts"),
        (PLAIN + "campaigns:\n  a: {}\n  b: {}\n", LAST + 5, "campaigns.b: 'a' above has no conditions and claims every customer"),
        (PLAIN + "campaigns:\n  a: {}\n  a: {}\n", LAST + 5, "a: stands here a second time"),
        (
            f"offers:\n  gift: {{{OFFER}}}\n  cake: {{{OFFER}}}\ncampaigns:\n  a: {{offers: [gift]}}\n",
            LAST + 3,
            "offers.cake: no campaign makes this offer, so nobody may take it",
        ),
    ],
)
def test_what_nobody_can_mean_is_refused_with_its_line(load, text, line, words):
    with pytest.raises(ConfigError) as refused:
        load(text)
    told = str(refused.value).splitlines()[1:]
    assert any(each.startswith(f"  policy.yaml:{line}: ") and words in each for each in told), told


def test_a_campaign_without_conditions_may_stand_above_one_that_outlives_it(load):
    policy = load(PLAIN + "campaigns:\n  a: {ends_on: 2026-03-31}\n  b: {}\n")
    assert list(policy.campaigns_on(date(2026, 4, 1))) == ["b"]


def test_sensitive_attributes_are_the_operators_to_choose(load):
    assert load(gift(when="[age_years > 60]") + "sensitive: []\n").offers["gift"].when[0].fact == "age_years"
    assert load(PLAIN).is_sensitive("age")
    assert not load(PLAIN).is_sensitive("agent_calls")
