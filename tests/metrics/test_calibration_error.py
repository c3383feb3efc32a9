import numpy as np
import pytest

from custvalue.errors import ConfigError
from custvalue.metrics import calibration_excess, expected_calibration_error, perfect_calibration_error


def test_is_the_mean_gap_of_equal_count_bins():
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.8])
    y = np.array([0, 1, 0, 0, 1, 1])
    # Bins of two: |1/2 − 0.15|, |0 − 0.35| and |1 − 0.7|, a third of the rows each.
    assert expected_calibration_error(y, p, bins=3) == pytest.approx((0.35 + 0.35 + 0.3) / 3)


def test_weighs_uneven_bins_by_their_rows():
    p = np.array([0.1, 0.2, 0.3, 0.7, 0.9])
    y = np.array([0, 0, 1, 1, 1])
    # Two bins of five rows hold two and three: |0 − 0.15|·2 and |1 − 1.9/3|·3 over 5.
    assert expected_calibration_error(y, p, bins=2) == pytest.approx((2 * 0.15 + 3 * (1 - 1.9 / 3)) / 5)


def test_one_probability_for_all_is_judged_by_its_level_alone():
    y = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    for order in (slice(None), slice(None, None, -1)):
        assert expected_calibration_error(y[order], np.full(10, 0.3), bins=5) == pytest.approx(0.1)


def test_more_bins_than_rows_are_one_bin_a_row():
    assert expected_calibration_error([0, 1], [0.2, 0.6], bins=10) == pytest.approx((0.2 + 0.4) / 2)


def test_refuses_no_bins():
    with pytest.raises(ConfigError, match="at least one bin"):
        expected_calibration_error([0, 1], [0.2, 0.6], bins=0)


def test_excess_of_true_probabilities_is_zero_on_average():
    excesses = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        p = random.beta(1, 12, 1_500)
        y = random.random(p.size) < p
        excesses.append(calibration_excess(y, p, draws=50, seed=seed))
    standard_error = np.std(excesses) / np.sqrt(len(excesses))
    assert abs(np.mean(excesses)) < 4 * standard_error
    assert standard_error < 0.001


def test_excess_of_probabilities_twice_too_high_is_what_they_are_off():
    random = np.random.default_rng(3)
    truth = random.beta(2, 30, 20_000)
    y = random.random(truth.size) < truth
    p = 2 * truth
    assert calibration_excess(y, p) == pytest.approx(truth.mean() - perfect_calibration_error(p), abs=0.004)


def test_a_finite_slice_of_a_perfect_model_shows_an_error():
    """Rows of one probability: the mean distance of a binomial share from its probability, known in closed form."""
    from scipy.stats import binom

    rows, probability = 400, 0.1
    counts = np.arange(rows + 1)
    expected = float((binom.pmf(counts, rows, probability) * np.abs(counts / rows - probability)).sum())
    found = perfect_calibration_error(np.full(rows, probability), draws=2_000)
    assert found == pytest.approx(expected, rel=0.06)
