"""One column against the outcome, beside scikit-learn, textbook figures and what chance can do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from custvalue.churn.leakage.association import Sample, associate, wilson_low


def sample_of(y):
    return Sample(np.asarray(y, dtype=bool), 1.0, 1.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=60))
def test_auc_is_that_of_scikit_learn_in_the_better_direction(rows):
    values, y = np.array([value for value, _ in rows], dtype=float), np.array([left for _, left in rows])
    if 0 < y.sum() < y.size:
        known = roc_auc_score(y, values)
        assert associate(pd.Series(values), sample_of(y), doubt=0.01).auc == pytest.approx(max(known, 1 - known))


def test_missing_values_stand_at_the_end_that_tells_more():
    values, y = pd.Series([1.0, 2.0, 3.0, None, None]), [False, False, False, True, True]
    found = associate(values, sample_of(y), doubt=0.01)
    assert found.auc == 1.0
    assert found.split.words == "missing"
    assert (found.split.rows, found.split.leavers) == (2, 2)


def test_the_odds_ratio_is_that_of_the_two_by_two_table():
    values = pd.Series(["a"] * 40 + ["b"] * 160)
    y = [True] * 30 + [False] * 10 + [True] * 16 + [False] * 144
    split = associate(values, sample_of(y), doubt=0.025).split
    assert split.odds_ratio == pytest.approx(30.5 * 144.5 / (10.5 * 16.5))
    error = np.sqrt(1 / 30.5 + 1 / 144.5 + 1 / 10.5 + 1 / 16.5)
    assert split.low == pytest.approx(split.odds_ratio / np.exp(1.959964 * error), rel=1e-6)
    assert split.words in ("= 'a'", "not = 'b'")


def test_rows_of_the_same_customers_add_little_certainty():
    random = np.random.default_rng(0)
    values, y = random.normal(size=300), random.random(300) < 0.3
    customer = np.array([f"C{number}" for number in range(300)], dtype=object)
    once = associate(pd.Series(values), Sample.of(y.astype(np.int8), customer), doubt=0.01)
    again = associate(pd.Series(np.tile(values, 5)), Sample.of(np.tile(y, 5).astype(np.int8), np.tile(customer, 5)), doubt=0.01)
    assert again.auc == pytest.approx(once.auc)
    assert again.auc_low == pytest.approx(once.auc_low, abs=1e-3)


def test_levels_without_meaning_do_not_look_meaningful():
    random = np.random.default_rng(1)
    found = associate(pd.Series(random.integers(0, 500, 2_000).astype(str)), sample_of(random.random(2_000) < 0.1), doubt=0.01)
    assert found.auc_low < 0.5


def test_lower_ends_seldom_lie_above_the_truth():
    random = np.random.default_rng(2)
    wrong = sum(
        associate(pd.Series(random.normal(size=200)), sample_of(random.random(200) < 0.15), doubt=0.025).auc_low > 0.5 for _ in range(300)
    )
    assert wrong <= 30  # two directions, each in one of forty


def test_wilson_at_a_textbook_figure():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662
    assert wilson_low(81, 263, doubt=0.025) == pytest.approx(0.2553, abs=5e-5)
    assert wilson_low(0, 0, doubt=0.025) == 0.0
