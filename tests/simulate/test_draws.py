"""Luck belongs to the customer: more customers, or other things that happen, leave it as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from custvalue.simulate.draws import among, normals, poisson, uniforms, uniforms_by_month
from custvalue.simulate.timeline import Streams


@pytest.mark.parametrize("draw", [uniforms, normals])
@given(few=st.integers(0, 30), more=st.integers(0, 30), width=st.integers(1, 5))
def test_those_who_join_later_change_nobodys_luck(draw: object, few: int, more: int, width: int) -> None:
    streams = Streams(3, 0)
    assert callable(draw)
    np.testing.assert_array_equal(draw(streams, "x", 2, few + more, width)[:, :few], draw(streams, "x", 2, few, width))


@given(months=st.lists(st.integers(0, 4), max_size=20), later=st.lists(st.integers(5, 9), max_size=20))
def test_later_months_change_no_earlier_luck(months: list[int], later: list[int]) -> None:
    streams = Streams(3, 0)
    alone = uniforms_by_month(streams, "x", np.array(months, dtype=np.int64), 2)
    both = uniforms_by_month(streams, "x", np.array(months + later, dtype=np.int64), 2)
    np.testing.assert_array_equal(both[:, : len(months)], alone)


@given(luck=st.floats(1e-9, 1 - 1e-9), rate=st.floats(0, 30))
def test_small_counts_are_the_inverse_of_the_poisson_distribution(luck: float, rate: float) -> None:
    below = stats.poisson.cdf(stats.poisson.ppf(luck, rate) - 1, rate) if rate else 0.0
    expected = stats.poisson.ppf(luck, rate) if rate else 0
    # Where the luck lies on a step itself, rounding may put it on either side.
    if abs(luck - below) > 1e-12 and abs(luck - stats.poisson.cdf(expected, rate)) > 1e-12:
        assert poisson(np.array([luck]), np.array([rate]))[0] == expected


def test_large_counts_have_the_right_mean_and_spread() -> None:
    luck = np.random.default_rng(1).random(100_000)
    counts = poisson(luck, np.full(100_000, 400.0))
    assert counts.mean() == pytest.approx(400, rel=0.005)
    assert counts.std() == pytest.approx(20, rel=0.02)


def test_positions_follow_their_shares() -> None:
    luck = (np.arange(10_000) + 0.5) / 10_000
    np.testing.assert_allclose(np.bincount(among(luck, (0.2, 0.5, 0.3))) / 10_000, (0.2, 0.5, 0.3), atol=1e-4)
    assert among(np.array([1 - 1e-16]), (0.2, 0.5, 0.3))[0] == 2
