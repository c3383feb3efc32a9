"""Many looks at one campaign: Holm's procedure by hand, and that looking does not make findings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.retention.effect.groups import _holm, effect_by_group


def frame(rates, size=2000, seed=1):
    """A campaign of one tier a pair of rates (listed, held out); leavers in the exact number."""
    parts = []
    for tier, (treated, control) in rates.items():
        left = np.r_[np.arange(size) < round(treated * size), np.arange(size) < round(control * size)]
        parts.append(pd.DataFrame({"tier": tier, "listed": np.arange(2 * size) < size, "left": left.astype(float)}))
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(unit=whole.index, stratum="all")


def test_holm_by_hand():
    levels, adjusted = _holm(np.array([0.01, 0.04, 0.03, np.nan, 0.005]), 0.05)
    # in order 0.005·4, 0.01·3, 0.03·2, 0.04·1, never falling
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, np.nan, 0.02], nan_ok=True)
    # two are rejected at α/4 and α/3; the rest is tested at α/2
    assert levels == pytest.approx([0.05 / 3, 0.025, 0.025, np.nan, 0.0125], nan_ok=True)


def test_a_group_is_called_where_its_interval_leaves_zero_out():
    found = effect_by_group(frame({"gold": (0.05, 0.12), "silver": (0.10, 0.105), "basic": (0.09, 0.06)}), ["tier"]).set_index("group")
    assert found["verdict"].to_dict() == {"gold": "works", "silver": "cannot_conclude", "basic": "harms"}
    assert found.loc["gold", ["left_listed", "left_held_out", "effect"]].tolist() == pytest.approx([0.05, 0.12, -0.07])
    assert found.loc["gold", "high"] < 0 < found.loc["basic", "low"]


def test_groups_with_too_few_leavers_are_told_and_not_tested():
    found = effect_by_group(frame({"gold": (0.05, 0.12), "tiny": (0.0, 0.004)}), ["tier"]).set_index("group")
    assert found.loc["tiny", "verdict"] == "cannot_conclude"
    assert np.isnan(found.loc["tiny", "effect"])
    assert found.loc["tiny", "held_out"] == 2000
    alone = effect_by_group(frame({"gold": (0.05, 0.12)}), ["tier"])
    assert found.loc["gold", "p_adjusted"] == pytest.approx(alone["p_adjusted"].iloc[0])  # the family has one member


@given(st.lists(st.floats(0.0001, 1.0), min_size=1, max_size=12))
def test_intervals_and_adjusted_p_values_agree(p_values):
    p = np.array(p_values)
    levels, adjusted = _holm(p, 0.05)
    assert ((p <= levels) == (adjusted <= 0.05)).all()
    assert (levels <= 0.05).all()


def test_looking_into_twenty_groups_finds_nothing_where_there_is_nothing():
    random = np.random.default_rng(3)
    any_found = any_naive = 0
    for _ in range(150):
        whole = pd.DataFrame({"listed": random.random(8000) < 0.5, "left": (random.random(8000) < 0.1).astype(float)})
        whole = whole.assign(offer=random.integers(20, size=8000), unit=whole.index, stratum="all")
        found = effect_by_group(whole, ["offer"])
        any_found += (found["verdict"] != "cannot_conclude").any()
        any_naive += (found["p_adjusted"] < 1.0).any()  # p below 1/20 unadjusted
    assert any_found / 150 < 0.11  # 5 % and three standard errors
    assert any_naive / 150 > 0.4  # without Holm most campaigns would have had a finding
