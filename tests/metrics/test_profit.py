import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.errors import ConfigError
from custvalue.metrics import best_contacted_share, bootstrap, contact_value, expected_profit, profit_curve

GAIN = np.array([50.0, -10.0, 30.0, -10.0, -10.0])
SCORE = np.array([0.9, 0.8, 0.7, 0.2, 0.1])


def mean_gain(y, p, gain):
    return float(gain.mean())


def test_curve_is_the_running_sum_a_customer():
    share, profit = profit_curve(GAIN, SCORE)
    assert share == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert profit == pytest.approx(np.array([0, 50, 40, 70, 60, 50]) / 5)
    assert best_contacted_share(GAIN, SCORE) == pytest.approx(0.6)


@pytest.mark.parametrize(("share", "profit"), [(0.2, 10), (0.3, 9), (0.6, 14), (1.0, 10), (0.01, 0.5)])
def test_profit_at_a_capacity_takes_its_part_of_a_row(share, profit):
    assert expected_profit(GAIN, SCORE, share) == pytest.approx(profit)


def test_equal_scores_are_contacted_at_random():
    tied = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]):
        # The first of all and half of three that sum up to 10: (50 + 5) / 5.
        assert expected_profit(GAIN[order], tied[order], 0.5) == pytest.approx(11)
        assert profit_curve(GAIN[order], tied[order]).share == pytest.approx([0, 0.2, 0.8, 1])


def test_where_no_contact_pays_nobody_is_contacted():
    assert best_contacted_share(-np.ones(4), np.arange(4.0)) == 0


def test_ranking_by_the_value_of_a_contact_beats_ranking_by_risk():
    """Ten times as likely to leave, but worth a hundredth: by risk the capacity goes to who is not worth it."""
    p, value = np.array([0.5, 0.05]), np.array([100.0, 10_000.0])
    terms = {"value": value, "offer": 0.0, "contact_cost": 1.0, "save": 0.3}
    earned = contact_value(p, **terms)  # what such customers earn on average
    assert earned == pytest.approx([14, 149])
    assert expected_profit(earned, p, 0.5) == pytest.approx(7)
    assert expected_profit(earned, contact_value(p, **terms), 0.5) == pytest.approx(74.5)


@given(st.lists(st.tuples(st.floats(-100, 100), st.sampled_from([0.1, 0.2, 0.3])), min_size=1, max_size=40), st.floats(0.01, 1))
def test_no_ranking_earns_more_than_knowing_the_gains_and_everybody_earns_their_sum(rows, share):
    gain, score = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    assert expected_profit(gain, score, share) <= expected_profit(gain, gain, share) + 1e-9
    assert expected_profit(gain, score, 1.0) == pytest.approx(gain.mean(), abs=1e-9)


def test_an_interval_of_the_profit_resamples_the_gains_with_their_rows():
    random = np.random.default_rng(0)
    y = (random.random(3_000) < 0.1).astype(int)
    gain = contact_value(y, value=100, offer=10, contact_cost=1, save=0.5)
    values = bootstrap(mean_gain, y, random.random(y.size), gain, resamples=400)
    assert values.std() == pytest.approx(gain.std() / np.sqrt(gain.size), rel=0.15)


def test_refuses_more_arrays_of_another_length():
    with pytest.raises(ConfigError, match=r"as long as the outcomes: \(3,\) and \(2,\)"):
        bootstrap(mean_gain, [0, 1], [0.1, 0.2], [1, 2, 3])


@pytest.mark.parametrize("share", [0, 1.5, float("nan")])
def test_refuses_an_impossible_share(share):
    with pytest.raises(ConfigError, match="share must lie"):
        expected_profit(GAIN, SCORE, share)


@pytest.mark.parametrize(
    ("gain", "score", "words"),
    [([1.0], [0.1, 0.2], "gains and scores must be 1-d and as long"), ([np.nan], [0.1], "gains must be finite"), ([], [], "no rows")],
)
def test_a_wrong_argument_is_told(gain, score, words):
    with pytest.raises(ConfigError, match=words):
        profit_curve(gain, score)
