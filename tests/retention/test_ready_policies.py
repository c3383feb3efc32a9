"""The policies that ship are sound, and a contact pays at risks that occur."""

import pytest

from custvalue.config import load_retention_policy, ready_configs
from custvalue.retention import break_even, offer_cost, value_kept

FILES = sorted((ready_configs() / "retention").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_policy_is_named_after_its_file_and_has_a_channel_for_the_shipped_tiers(path):
    policy = load_retention_policy(path)
    assert policy.name == path.stem
    assert set(policy.channels) == {"diamond", "gold", "silver", "basic", "unrated"}
    assert policy.source


@pytest.mark.parametrize(
    ("name", "arpu", "percent"),
    [
        ("default", 36.0, 31),
        ("default", 100.0, 24),
        ("default", 190.0, 22),
        ("interconnect", 65.0, 42),
        ("india-prepaid", 280.0, 36),
    ],
)
def test_break_even_is_what_the_files_comment_says(name, arpu, percent):
    policy = load_retention_policy(ready_configs() / "retention" / f"{name}.yaml")
    at = break_even(
        value=float(value_kept(arpu, policy)),
        offer=float(offer_cost(arpu, policy)),
        contact_cost=policy.contact_cost,
        save=policy.save,
        take_up=policy.take_up,
        harm=policy.harm,
        reach=policy.reach,
    )
    assert round(100 * at) == percent
