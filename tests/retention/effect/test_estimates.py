"""Differences, errors and intervals against hand calculations, scipy, and what must hold of any data."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from custvalue.errors import DataError
from custvalue.retention.effect import Design, adjusted_difference, comparable, complier_effect, intention_to_treat


def two_strata():
    """Stratum a: 3 of 4 listed left 0, 0, 1; stratum b likewise other numbers: all worked out by hand below."""
    listed = [1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0]
    stratum = list("aaaaaabbbbb")
    left = [1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0]
    return listed, stratum, left


def test_strata_are_weighted_by_their_listed_and_the_error_is_neymans():
    listed, stratum, left = two_strata()
    found = intention_to_treat(Design.of(listed, stratum=stratum), left)
    # a: 1/4 − 1/2, weight 4/6; b: 1/2 − 2/3, weight 2/6
    assert found.value == pytest.approx(4 / 6 * (1 / 4 - 1 / 2) + 2 / 6 * (1 / 2 - 2 / 3))
    cells = {
        "a listed": (4 / 6) ** 2 * 0.25 / 4,
        "a held out": (4 / 6) ** 2 * 0.5 / 2,
        "b listed": (2 / 6) ** 2 * 0.5 / 2,
        "b held out": (2 / 6) ** 2 * (1 / 3) / 3,
    }
    variance = sum(cells.values())
    assert found.error == pytest.approx(math.sqrt(variance))
    degrees = variance**2 / sum(own**2 / free for own, free in zip(cells.values(), (3, 1, 1, 2), strict=True))
    assert found.degrees == pytest.approx(degrees)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t.ppf(0.975, degrees) * found.error)


def test_one_stratum_of_single_customers_is_welchs_test():
    random = np.random.default_rng(1)
    y, listed = random.gamma(2, 1, 120), np.arange(120) < 90
    found = intention_to_treat(Design.of(listed), y)
    peer = stats.ttest_ind(y[listed], y[~listed], equal_var=False)
    assert found.p_value == pytest.approx(peer.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(peer.confidence_interval()))


def test_households_that_act_as_one_count_as_one():
    random = np.random.default_rng(2)
    y, listed, unit = random.integers(0, 2, 60), np.arange(60) < 40, np.arange(60)
    single = intention_to_treat(Design.of(listed), y)
    thrice = intention_to_treat(Design.of(np.repeat(listed, 3), unit=np.repeat(unit, 3)), np.repeat(y, 3))
    assert (thrice.value, thrice.error) == pytest.approx((single.value, single.error))
    naive = intention_to_treat(Design.of(np.repeat(listed, 3)), np.repeat(y, 3))
    assert naive.error < 0.65 * thrice.error  # as if there were three times as many: the error falls by √3


def test_members_of_one_household_in_two_strata_are_not_taken_for_two_witnesses():
    random = np.random.default_rng(3)
    y, listed = random.random(80), np.arange(80) < 40
    both = np.r_[y, y], np.r_[listed, listed], np.repeat(["a", "b"], 80), np.tile(np.arange(80), 2)
    apart = intention_to_treat(Design.of(both[1], stratum=both[2]), both[0])
    together = intention_to_treat(Design.of(both[1], stratum=both[2], unit=both[3]), both[0])
    assert together.error == pytest.approx(intention_to_treat(Design.of(listed), y).error)
    assert together.error == pytest.approx(math.sqrt(2) * apart.error)


def test_what_was_paid_before_explains_what_is_paid_after():
    random = np.random.default_rng(4)
    before = random.lognormal(3.5, 0.7, 4000)
    listed = np.arange(4000) < 3500
    after = before + random.normal(0, 2, 4000) + 1.5 * listed
    design = Design.of(listed)
    plain, adjusted = adjusted_difference(design, after, resamples=200), adjusted_difference(design, after, before, resamples=200)
    assert adjusted.error < plain.error / 5
    assert adjusted.low < 1.5 < adjusted.high
    assert adjusted.value == pytest.approx(1.5, abs=0.4)


def test_the_slope_is_that_of_a_regression_within_cells():
    random = np.random.default_rng(5)
    listed, stratum = random.random(300) < 0.7, random.integers(3, size=300)
    x, y = random.normal(size=300), random.normal(size=300)
    frame = pd.DataFrame({"x": x, "y": y})
    within = frame - frame.groupby([stratum, listed]).transform("mean")
    design = Design.of(listed, stratum=stratum)
    assert design.slope(y, x) == pytest.approx(stats.linregress(within["x"], within["y"]).slope)
    assert design.slope(y, np.ones(300)) == 0


def test_the_bootstrap_gives_students_interval_where_nothing_is_skewed():
    random = np.random.default_rng(6)
    y, listed = random.normal(10, 2, 3000), np.arange(3000) < 2000
    found = adjusted_difference(Design.of(listed), y, resamples=2000)
    student = found.at(0.05)
    assert (found.low, found.high) == pytest.approx((student.low, student.high), abs=0.1 * (student.high - student.low))


def test_the_same_seed_gives_the_same_interval_and_another_another():
    random = np.random.default_rng(7)
    y, design = random.lognormal(size=200), Design.of(np.arange(200) < 150)
    ends = [adjusted_difference(design, y, resamples=99, seed=seed).low for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


def test_the_effect_on_those_reached_is_walds():
    listed = np.array([True] * 200 + [False] * 100)
    reached = np.arange(300) < 100
    left = np.zeros(300)
    left[:10], left[100:130], left[200:230] = 1, 1, 1  # of the listed 40 of 200, of the held-out 30 of 100
    found = complier_effect(Design.of(listed), left, reached)
    assert found.value == pytest.approx((0.2 - 0.3) / 0.5)
    # delta method with one-sided compliance: residuals left − effect · reached
    residual = left + 0.2 * reached
    error = math.sqrt(residual[listed].var(ddof=1) / 200 + residual[~listed].var(ddof=1) / 100) / 0.5
    assert found.error == pytest.approx(error)


def test_nobody_reached_gives_no_effect_on_those_reached():
    listed = np.arange(40) < 20
    assert not complier_effect(Design.of(listed), np.arange(40) % 2, np.zeros(40)).known


def test_small_strata_are_not_compared_and_missing_outcomes_are_refused():
    listed = np.array([True] * 9 + [False] * 6)
    stratum = np.array(["large"] * 6 + ["small"] * 3 + ["large"] * 5 + ["small"])
    assert comparable(listed, stratum=stratum).tolist() == (stratum == "large").tolist()
    with pytest.raises(DataError, match="two listed and two held-out"):
        Design.of([True, True, False])
    with pytest.raises(DataError, match="1 of 4 outcomes are missing"):
        intention_to_treat(Design.of([True, True, False, False]), [1, 0, np.nan, 0])


@given(st.data())
def test_neither_the_order_nor_the_scale_of_the_customers_matters(data):
    size = data.draw(st.integers(20, 60))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    unit = random.integers(size // 2, size=size)
    listed = (np.arange(size) % 2 == 0)[unit]  # a unit shares its arm
    stratum = random.integers(2, size=size)
    ok = comparable(listed, stratum=stratum, unit=unit)
    if not ok.any():
        return
    listed, stratum, unit, y = listed[ok], stratum[ok], unit[ok], random.normal(size=ok.sum())
    found = intention_to_treat(Design.of(listed, stratum=stratum, unit=unit), y)
    order = random.permutation(y.size)
    moved = intention_to_treat(Design.of(listed[order], stratum=stratum[order], unit=unit[order]), 5 - 3 * y[order])
    assert (moved.value, moved.error, moved.degrees) == pytest.approx((-3 * found.value, 3 * found.error, found.degrees))
