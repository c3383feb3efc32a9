"""The stability index and its noise, against hand calculation and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.monitoring import discoveries, stability
from custvalue.monitoring.psi import share_p_value


def test_the_index_of_two_bins_worked_out_by_hand() -> None:
    found = stability([6_000, 4_000], [5_000, 5_000])
    by_hand = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)  # 0.040547
    assert found.psi == pytest.approx(by_hand, rel=1e-3)
    assert found.noise == pytest.approx(1 / 10_000 + 1 / 10_000)
    assert found.p_value < 1e-40


@pytest.mark.parametrize(("n", "m"), [(2_000, 8_000), (10_000, 3_000)])
def test_where_nothing_drifts_mean_spread_and_false_alarms_are_those_foretold(n: int, m: int) -> None:
    random, shares = np.random.default_rng(5), np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05])
    found = [stability(random.multinomial(n, shares), random.multinomial(m, shares)) for _ in range(2_000)]
    psi = np.array([each.psi for each in found])
    assert {each.bins for each in found} == {8}
    assert psi.mean() == pytest.approx(found[0].noise, rel=0.06)
    assert psi.std() == pytest.approx(found[0].noise_sd, rel=0.1)
    false_alarms = np.mean([each.p_value <= 0.05 for each in found])
    assert 0.03 < false_alarms < 0.07


def test_edges_taken_from_the_sample_itself_keep_the_noise() -> None:
    """Training's own quantiles are the edges, so its counts are even by construction; the noise is the same as with fixed edges."""
    random, values = np.random.default_rng(3), []
    for _ in range(500):
        before, now = random.normal(size=4_000), random.normal(size=2_000)
        edges = np.quantile(before, np.arange(1, 10) / 10)
        counts = [np.bincount(np.searchsorted(edges, part), minlength=10) for part in (now, before)]
        values.append(stability(*counts).p_value <= 0.05)
    assert 0.025 < np.mean(values) < 0.085


def test_several_rows_of_one_customer_count_once() -> None:
    """A positive control: the same rows five times over look certain unless customers are counted."""
    random, shares = np.random.default_rng(8), np.full(10, 0.1)
    naive, careful = [], []
    for _ in range(400):
        now, before = random.multinomial(5_000, shares), 5 * random.multinomial(1_000, shares)
        naive.append(stability(now, before).p_value <= 0.05)
        careful.append(stability(now, before, independent=1_000).p_value <= 0.05)
    assert np.mean(naive) > 0.3
    assert 0.02 < np.mean(careful) < 0.09


def test_an_empty_bin_is_far_but_finite() -> None:
    found = stability([1_000, 0], [500, 500])
    assert math.isfinite(found.psi)
    assert found.excess > 3


def test_small_bins_are_joined_and_too_little_tells_nothing() -> None:
    assert stability([500, 3, 2, 500], [500, 2, 4, 500]).bins == 2
    assert stability([3, 500, 2, 500, 4], [2, 500, 4, 500, 5], ordered=False).bins == 2
    assert stability([5, 5], [5, 5]).p_value == 1
    assert stability([5_000], [5_000]).psi == 0


counts = st.lists(st.integers(0, 5_000), min_size=2, max_size=12)


@given(counts, st.randoms())
def test_either_side_may_come_first_and_the_order_of_categories_is_nothing(now: list[int], random: object) -> None:
    before = list(now)
    random.shuffle(before)  # type: ignore[attr-defined]
    there, back = stability(now, before, ordered=False), stability(before, now, ordered=False)
    assert there.psi == pytest.approx(back.psi)
    assert there.psi >= 0
    order = list(range(len(now)))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = stability([now[k] for k in order], [before[k] for k in order], ordered=False)
    assert turned.psi == pytest.approx(there.psi, abs=1e-9) or len(set(now)) < len(now)


def test_discoveries_are_those_of_scipy() -> None:
    from scipy.stats import false_discovery_control

    random = np.random.default_rng(1)
    for _ in range(50):
        p = np.r_[random.random(40), random.random(5) * 1e-3]
        assert (discoveries(p, 0.05) == (false_discovery_control(p) <= 0.05)).all()
    assert discoveries([], 0.05).size == 0


def test_the_test_of_shares_holds_its_level() -> None:
    random = np.random.default_rng(4)
    p = [share_p_value(int(random.binomial(3_000, 0.1)), 3_000, int(random.binomial(9_000, 0.1)), 9_000) for _ in range(2_000)]
    assert 0.035 < np.mean(np.array(p) <= 0.05) < 0.065
    assert share_p_value(0, 100, 0, 100) == 1
