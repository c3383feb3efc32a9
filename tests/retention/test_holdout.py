"""Who is held out: shares as asked, draws that nothing but key, unit and campaign decides."""

import hashlib
import hmac
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.errors import ConfigError
from custvalue.retention.holdout import CONTACT, HELD_OUT, UNIVERSAL, arms, campaign_shares, draws, units_of

KEY = b"made up for these tests"
UNITS = pd.Series([f"household:{i}" for i in range(40_000)])


def drawn(campaign="spring", *, units=UNITS, share=0.1, universal=0.0, key=KEY):
    return arms(units, pd.Series(campaign, units.index, dtype="object"), np.full(len(units), share), universal=universal, key=key)


def within_chance(count, n, share):
    """A binomial count lies within five standard deviations of what is expected."""
    return abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))


def test_a_draw_is_the_keyed_hash_of_purpose_and_unit():
    found = draws(pd.Series(["customer:1", "customer:2", "customer:1"]), "universal", key=KEY)
    digest = hmac.new(KEY, b"universal|customer:1", hashlib.sha256).hexdigest()
    assert found[0] == found[2] == int(digest[:16], 16) // 2**11 / 2**53
    assert found[1] != found[0]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_shares_are_as_asked(share):
    assert within_chance((drawn(share=share) == HELD_OUT).sum(), len(UNITS), share)


def test_draws_are_uniform():
    found = np.sort(draws(UNITS, "campaign|spring", key=KEY))
    steps = np.arange(1, len(found) + 1) / len(found)
    assert np.abs(found - steps).max() < 1.95 / math.sqrt(len(found))  # Kolmogorov, one in a thousand


def test_campaigns_and_keys_draw_independently():
    spring, summer, other = (draws(UNITS, f"campaign|{name}", key=key) for name, key in (("a", KEY), ("b", KEY), ("a", KEY + b"!")))
    for second in (summer, other):
        assert abs(np.corrcoef(spring, second)[0, 1]) < 5 / math.sqrt(len(UNITS))
    held = drawn("a") == HELD_OUT
    assert within_chance((held & (drawn("b") == HELD_OUT)).sum(), len(UNITS), 0.01)


def test_the_universal_control_comes_first_and_is_the_same_in_every_campaign():
    spring, summer = (drawn(name, universal=0.02) for name in ("spring", "summer"))
    assert ((spring == UNIVERSAL) == (summer == UNIVERSAL)).all()
    assert within_chance((spring == UNIVERSAL).sum(), len(UNITS), 0.02)
    assert within_chance((spring == HELD_OUT).sum(), len(UNITS), 0.98 * 0.1)
    nowhere = arms(UNITS, pd.Series(None, UNITS.index, dtype="object"), np.full(len(UNITS), 0.1), universal=0.02, key=KEY)
    assert set(nowhere) == {CONTACT, UNIVERSAL}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.randoms())
def test_other_customers_and_their_order_never_matter(numbers, dice):
    units = pd.Series([f"customer:{number}" for number in numbers])
    together = drawn(units=units, universal=0.1, share=0.4)
    shuffled = list(range(len(units)))
    dice.shuffle(shuffled)
    assert (drawn(units=units.iloc[shuffled], universal=0.1, share=0.4) == together[shuffled]).all()
    assert drawn(units=units.iloc[:1], universal=0.1, share=0.4)[0] == together[0]


def test_whoever_is_held_out_of_a_small_share_is_held_out_of_a_larger_one():
    assert set(UNITS[drawn(share=0.05) == HELD_OUT]) <= set(UNITS[drawn(share=0.2) == HELD_OUT])


def test_a_short_key_is_refused():
    with pytest.raises(ConfigError, match="the key of the holdout has 4 bytes; give at least 16"):
        drawn(key=b"1234")


def test_units_are_accounts_then_households_then_customers():
    frame = pd.DataFrame(
        {
            "customer_id": ["1", "2", "3", "4", "5"],
            "segment": ["enterprise", "enterprise", "consumer", "consumer", None],
            "account_id": ["A", None, "A", None, "A"],
            "household_id": ["H", "H", "H", None, None],
        }
    )
    found = units_of(frame)
    assert found["unit"].tolist() == ["account:A", "household:H", "household:H", "customer:4", "customer:5"]
    assert found["account"].tolist()[0] == "A"
    assert found["account"].isna().tolist() == [False, True, True, True, True]
    assert units_of(frame[["customer_id"]])["unit"].tolist() == [f"customer:{i}" for i in range(1, 6)]


def test_a_household_of_two_tiers_is_held_out_together_whatever_each_tiers_share(make_policy, make_scores, decide_on):
    policy = make_policy(holdout={"share": 0.2, "universal": 0.02, "by_tier": {"gold": 0.45, "silver": 0.0}})
    n = 4_000
    homes = [f"H{i // 2}" if i < n // 2 else None for i in range(n)]
    frame = make_scores(customer_id=[f"c{i:05d}" for i in range(n)], tier=["gold", "silver"] * (n // 2), household_id=homes)
    decided = decide_on(frame, policy)
    assert (decided.groupby("unit")["arm"].nunique() == 1).all()
    share = (decided["arm"] == HELD_OUT).groupby(decided["stratum"]).mean().to_dict()
    assert share["silver/customer"] == 0
    assert share["gold/household"] == share["silver/household"]
    assert within_chance(share["gold/household"] * 1000, 1000, 0.98 * 0.2)
    assert within_chance(share["gold/customer"] * 1000, 1000, 0.98 * 0.45)


def test_a_campaigns_own_share_beats_tier_and_policy(make_policy):
    holdout = {"share": 0.05, "by_tier": {"gold": 0.1}}
    campaigns = {"own": {"when": ["arpu > 1"], "holdout": 0.2}, "usual": {}}
    kinds, tiers = pd.Series(["customer"] * 3), pd.Series(["gold", "gold", "silver"])
    found = campaign_shares(kinds, tiers, pd.Series(["own", "usual", "usual"]), make_policy(holdout=holdout, campaigns=campaigns))
    assert found.tolist() == [0.2, 0.1, 0.05]
