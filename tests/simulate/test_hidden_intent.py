"""The chances ahead follow from the rules of intent, checked by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.simulate.intent import entry_log_odds, exit_chance, leaving_chances
from custvalue.simulate.scenarios import Intent

SETTINGS = Intent(exit=(0.1, 0.3, 0.5), recovery=0.2)


def test_chances_ahead_by_hand() -> None:
    entry = np.array([0.04, 0.04])
    ahead = leaving_chances(SETTINGS, entry, np.array([False, True]), np.array([0, 1]), ahead=2)
    calm = [0.04 * 0.1, 0.96 * 0.04 * 0.1 + 0.04 * 0.9 * (0.8 * 0.3 + 0.2 * 0.04 * 0.1)]
    intending = [0.3, 0.7 * (0.8 * 0.5 + 0.2 * 0.04 * 0.1)]
    np.testing.assert_allclose(ahead, np.array([calm, intending]).T, rtol=1e-12)


@given(
    entry=st.floats(0, 1),
    intent=st.booleans(),
    months=st.integers(0, 10),
    recovery=st.floats(0, 1),
    chances=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_chances_are_parts_of_one(entry: float, intent: bool, months: int, recovery: float, chances: list[float]) -> None:
    settings = Intent(exit=tuple(chances), recovery=recovery)
    ahead = leaving_chances(settings, np.array([entry]), np.array([intent]), np.array([months]), ahead=12)
    assert (ahead >= 0).all()
    assert ahead.sum() <= 1 + 1e-9
    if intent:
        assert ahead[0, 0] == pytest.approx(exit_chance(settings, np.array([True]), np.array([months]))[0])


def test_nobody_leaves_without_intent() -> None:
    assert exit_chance(SETTINGS, np.array([False, True, True]), np.array([0, 0, 9])).tolist() == [0, 0.1, 0.5]


def test_entry_log_odds_by_hand() -> None:
    """ln odds = base + 0.9 near expiry − 1.1 in contract + 3 × 0.55 (five complaints count as three) + 0.7 repeat + own."""
    yes, no = np.array([True]), np.array([False])
    odds = entry_log_odds(
        Intent(base=-3.0),
        near_expiry=yes, in_contract=yes, bundle=no, complaints=np.array([5]), repeat=yes,
        tenure_months=np.array([24]), price_rise=no, own_risk=np.array([0.25]),
    )  # fmt: skip
    assert odds[0] == pytest.approx(-3.0 + 0.9 - 1.1 + 1.65 + 0.7 + 0.25)
