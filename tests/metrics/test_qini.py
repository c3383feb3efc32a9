"""The Qini: areas worked out by hand, scores that say nothing, ties, and the interval."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.errors import ConfigError
from custvalue.metrics import auuc_score, qini_curve, qini_interval, qini_score

# Six customers, highest score first. Contacted: the 1st, 2nd and 5th; held out: the 3rd, 4th and 6th.
TREATMENT = [1, 1, 0, 0, 1, 0]
STAYED = [1, 1, 0, 1, 0, 1]
SCORE = [6, 5, 4, 3, 2, 1]
# By hand, t - c * T / C after each: 1, 2, 2 - 0 * 2/1 = 2, 2 - 1 * 2/2 = 1, 2 - 1 * 3/2 = 0.5, 2 - 2 * 3/3 = 0; over 3 contacted.
GAINS = np.array([0, 1, 2, 2, 1, 0.5, 0]) / 3


def test_the_curve_is_radcliffes_worked_out_by_hand() -> None:
    share, gain = qini_curve(STAYED, TREATMENT, SCORE)
    np.testing.assert_allclose(share, np.arange(7) / 6)
    np.testing.assert_allclose(gain, GAINS, atol=1e-12)


def test_areas_are_those_of_the_trapezoids() -> None:
    # (0 + 0) / 2 + 1 + 2 + 2 + 1 + 0.5 = 6.5 sixths of a third; contacting everybody gains nothing, so nothing is taken off.
    assert auuc_score(STAYED, TREATMENT, SCORE) == pytest.approx(6.5 / 18)
    assert qini_score(STAYED, TREATMENT, SCORE) == pytest.approx(6.5 / 18)
    # With the 4th customer (held out) gone astray the overall effect is 2/3 - 1/3, and half of it is what random contacts gain.
    y = [1, 1, 0, 0, 0, 1]
    gains = np.array([0, 1, 2, 2, 2, 2, 1]) / 3
    assert qini_score(y, TREATMENT, SCORE) == pytest.approx((gains[1:-1].sum() + gains[-1] / 2) / 6 - gains[-1] / 2)


def test_a_score_that_says_nothing_gains_nothing() -> None:
    assert qini_score(STAYED, TREATMENT, np.zeros(6)) == pytest.approx(0)
    generator = np.random.default_rng(0)
    found = [qini_score(generator.random(400) < 0.5, generator.random(400) < 0.5, generator.random(400)) for _ in range(300)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(300)


@given(st.randoms(use_true_random=False), st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=4, max_size=40))
def test_the_order_of_equal_scores_does_not_matter(random: Random, rows: list[tuple[bool, bool, int]]) -> None:
    rows = [*rows, (True, True, 1), (False, False, 1)]
    shuffled = rows.copy()
    random.shuffle(shuffled)
    values = [qini_score(*np.array(each, dtype=float).T) for each in (rows, shuffled)]
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_knowing_the_effect_beats_knowing_the_risk() -> None:
    """Those who leave anyway are at the greatest risk; those whom a contact keeps are at a middling one."""
    generator = np.random.default_rng(1)
    n = 20_000
    risk = generator.choice([0.05, 0.3, 0.6], n)
    treated = generator.random(n) < 0.5
    effect = np.where(risk == 0.3, 0.2, 0.0)
    stayed = generator.random(n) >= risk - effect * treated
    low, high = qini_interval(stayed, treated, effect)
    assert 0 < low < qini_score(stayed, treated, effect) < high
    assert qini_score(stayed, treated, risk) < low
    assert qini_score(stayed, treated, -effect) < 0


def test_the_interval_covers_what_many_campaigns_would_show() -> None:
    def campaign(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        effect, treated = generator.random(500) * 0.2, generator.random(500) < 0.5
        return (generator.random(500) >= 0.3 - effect * treated).astype(float), treated.astype(float), effect

    truth = np.mean([qini_score(*campaign(seed)) for seed in range(1_000, 1_400)])
    covered = [low <= truth <= high for low, high in (qini_interval(*campaign(seed), resamples=150) for seed in range(80))]
    assert 0.85 <= np.mean(covered) <= 1


@pytest.mark.parametrize(
    ("treatment", "told"),
    [([1, 1, 1], "3 of 3 customers were contacted"), ([0, 0, 0], "0 of 3"), ([0, 2, 1], "1 are not, for example 2"), ([1, 0], "as long")],
)
def test_strange_treatments_are_refused(treatment: list[int], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        qini_score([1, 0, 1], treatment, [1, 2, 3])
    with pytest.raises(ConfigError, match=told):
        qini_interval([1, 0, 1], treatment, [1, 2, 3])
