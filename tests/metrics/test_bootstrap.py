import numpy as np
import pytest

from custvalue.errors import ConfigError
from custvalue.metrics import bootstrap, bootstrap_interval, roc_auc


def share_of_leavers(y, p):
    return float(y.mean())


def test_interval_of_a_share_is_the_textbook_one():
    y = np.r_[np.ones(400), np.zeros(1_600)]
    low, high = bootstrap_interval(share_of_leavers, y, np.linspace(0, 1, y.size), resamples=1_000)
    half = 1.96 * np.sqrt(0.2 * 0.8 / y.size)
    assert low == pytest.approx(0.2 - half, abs=0.15 * half)
    assert high == pytest.approx(0.2 + half, abs=0.15 * half)


def test_interval_covers_the_truth_about_95_times_in_100():
    covered = 0
    for seed in range(100):
        y = np.random.default_rng(seed).random(300) < 0.3
        low, high = bootstrap_interval(share_of_leavers, y, np.zeros(300), resamples=200, seed=seed)
        covered += low <= 0.3 <= high
    assert 88 <= covered <= 100


def test_repeated_rows_of_a_customer_add_no_certainty():
    random = np.random.default_rng(2)
    p = random.random(500)
    y = (random.random(500) < p).astype(int)
    customer = np.array([f"C{number:03d}" for number in range(500)], dtype=object)
    once = bootstrap_interval(roc_auc, y, p, groups=customer, resamples=100)
    four_times = [np.repeat(part, 4) for part in (y, p, customer)]
    assert bootstrap_interval(roc_auc, four_times[0], four_times[1], groups=four_times[2], resamples=100) == once
    low, high = bootstrap_interval(roc_auc, four_times[0], four_times[1], resamples=100)
    assert high - low < 0.7 * (once[1] - once[0])


def test_the_seed_fixes_the_interval():
    y, p = np.tile([0, 1, 0], 50), np.linspace(0, 1, 150)
    assert bootstrap_interval(roc_auc, y, p, seed=1) == bootstrap_interval(roc_auc, y, p, seed=1)
    assert bootstrap_interval(roc_auc, y, p, seed=1) != bootstrap_interval(roc_auc, y, p, seed=2)


def test_resamples_without_a_leaver_do_not_count():
    y = np.r_[1, np.zeros(9)]
    values = bootstrap(roc_auc, y, np.linspace(1, 0, 10), resamples=200)
    assert np.isnan(values).any()
    assert np.isfinite(bootstrap_interval(roc_auc, y, np.linspace(1, 0, 10), resamples=200)).all()


def test_refuses_groups_of_another_length():
    with pytest.raises(ConfigError, match="groups must be as long"):
        bootstrap_interval(roc_auc, [0, 1], [0.1, 0.2], groups=["a"])
