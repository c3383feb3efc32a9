"""Gini and Pareto of the bills, against formulas that the code does not use."""

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.tiers.measures.concentration import revenue_concentration

METRIC = "revenue_mean_3m"
BILLS = st.lists(st.integers(0, 50_000).map(lambda cents: cents / 100), min_size=1, max_size=60)


def mean_difference(bills):
    """Half the relative mean absolute difference of all pairs: the other definition of the Gini coefficient."""
    values = np.asarray(bills)
    return float(np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean()))


@given(BILLS.filter(lambda bills: sum(bills) > 0))
def test_gini_is_half_the_relative_mean_difference(make_features, bills):
    found = revenue_concentration(make_features(revenue_mean_3m=bills), metric=METRIC)
    assert found.gini == pytest.approx(mean_difference(bills), abs=1e-9)


@given(BILLS.filter(lambda bills: sum(bills) > 0))
def test_the_curve_lies_on_the_sorted_bills(make_features, bills):
    curve = revenue_concentration(make_features(revenue_mean_3m=bills), metric=METRIC).curve
    share = np.r_[0, np.arange(1, len(bills) + 1) / len(bills)]
    revenue = np.r_[0, np.cumsum(sorted(bills, reverse=True)) / sum(bills)]
    np.testing.assert_allclose(curve.revenue_share, np.interp(curve.customer_share, share, revenue), atol=1e-9)
    assert (curve.customer_share.iloc[0], curve.revenue_share.iloc[0]) == (0, 0)
    assert (curve.customer_share.iloc[-1], curve.revenue_share.iloc[-1]) == pytest.approx((1, 1))
    assert len(curve) <= 101


def test_hand_calculated():
    # bills 1, 2, 3, 4: sum(i x) = 30, G = 2 * 30 / (4 * 10) - 5 / 4 = 0.25; the top half pays 7 of 10
    found = revenue_concentration(ibis.memtable(pa.table({METRIC: [3.0, 1.0, 4.0, 2.0]})), metric=METRIC)
    assert found.gini == pytest.approx(0.25)
    assert found.curve.to_numpy().tolist() == [[0, 0], [0.25, 0.4], [0.5, 0.7], [0.75, 0.9], [1, 1]]


def test_missing_and_negative_bills_count_zero(make_features):
    found = revenue_concentration(make_features(revenue_mean_3m=[None, -50.0, float("nan"), 10.0]), metric=METRIC)
    assert found.gini == pytest.approx(mean_difference([0, 0, 0, 10]))


@pytest.mark.parametrize("bills", [[0.0, 0.0], [None, -3.0]])
def test_where_nobody_is_billed_there_is_no_measure(make_features, bills):
    found = revenue_concentration(make_features(revenue_mean_3m=bills), metric=METRIC)
    assert np.isnan(found.gini)
    assert found.curve.empty


def test_equal_bills_have_gini_zero_and_a_straight_curve(make_features):
    found = revenue_concentration(make_features(revenue_mean_3m=[7.0] * 500), metric=METRIC)
    assert found.gini == 0
    np.testing.assert_allclose(found.curve.customer_share, found.curve.revenue_share)


def test_both_engines_measure_alike(engine, tmp_path):
    bills = np.random.default_rng(1).lognormal(3.6, 0.7, 3000).round(2)
    pq.write_table(pa.table({METRIC: bills}), tmp_path / "bills.parquet")
    found = revenue_concentration(engine.read_parquet(tmp_path / "bills.parquet"), metric=METRIC)
    assert found.gini == pytest.approx(mean_difference(bills), abs=1e-9)
    assert len(found.curve) == 101
