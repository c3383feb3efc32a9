"""Intervals hold the truth about as often as they say: a short version of `benchmarks/effect_coverage.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scipy import stats

FOLDER = Path(__file__).parents[3] / "benchmarks"
REPETITIONS = 60


@pytest.fixture(scope="module")
def counted():
    sys.path.insert(0, str(FOLDER))
    import effect_coverage

    yield effect_coverage.count(REPETITIONS, 3000, 99)
    sys.path.remove(str(FOLDER))


def test_every_interval_holds_the_truth_as_often_as_it_says(counted):
    least = stats.binom.ppf(0.0005, REPETITIONS, 0.95) / REPETITIONS
    ours, _ = counted
    assert len(ours) == 7
    assert {name: own.coverage for name, own in ours.items() if own.coverage < least} == {}


def test_comparing_whom_calls_reached_with_whom_they_did_not_fails_visibly(counted):
    # the positive control: the same count finds an interval that does not hold the truth
    _, peers = counted
    naive = peers["leaving of those reached, single customers"]
    assert naive.coverage < 0.2
    assert naive.bias < -0.05


def test_what_was_paid_before_halves_the_interval_of_revenue(counted):
    ours, peers = counted
    for name in ("revenue, single customers", "revenue, households"):
        assert ours[name].width < 0.7 * peers[name].width
