"""What came true and what is foretold, from counts by score bin, against measures over rows and against known probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue import metrics
from custvalue.monitoring import MEASURES, Outcomes, estimated, realised
from custvalue.monitoring.scores import count_scores

OVER_ROWS = {
    "auc": metrics.roc_auc,
    "lift_10pct": lambda y, p: metrics.lift_score(y, p, 0.1),
    "log_loss": metrics.log_loss,
    "ratio": lambda y, p: y.sum() / p.sum(),
}


def customers(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-random.normal(-3, 1.2, rows)))
    return (random.random(rows) < p).astype(float), p


@pytest.mark.parametrize("name", MEASURES)
def test_measures_and_their_intervals_are_those_over_rows(name: str) -> None:
    y, p = customers(8_000, 1)
    found = realised(Outcomes.of(y, p))[name]
    assert found.value == pytest.approx(OVER_ROWS[name](y, p), rel=2e-3)
    low, high = metrics.bootstrap_interval(OVER_ROWS[name], y, p)
    assert found.low == pytest.approx(low, rel=0.02)
    assert found.high == pytest.approx(high, rel=0.02)


def test_parts_of_the_outcomes_add_up() -> None:
    y, p = customers(3_000, 2)
    whole, added = Outcomes.of(y, p), Outcomes.of(y[:700], p[:700]) + Outcomes.of(y[700:], p[700:])
    assert (whole.rows == added.rows).all()
    assert (whole.left == added.left).all()
    assert whole.leavers == y.sum()
    assert realised(added)["auc"].value == pytest.approx(realised(whole)["auc"].value)


def test_the_estimate_is_that_of_known_probabilities() -> None:
    """Outcomes drawn from the very probabilities: the mean of what they show is what was estimated, and 95 % lie in the interval."""
    _, p = customers(6_000, 3)
    foretold, random = estimated(count_scores(p)), np.random.default_rng(9)
    shown = [(random.random(p.size) < p).astype(float) for _ in range(200)]
    for name, measure in OVER_ROWS.items():
        values = np.array([measure(y, p) for y in shown])
        told = foretold[name]
        assert told.value == pytest.approx(values.mean(), rel=0.01), name
        assert 0.88 <= np.mean((told.low <= values) & (values <= told.high)) <= 1, name


def test_where_behaviour_changed_the_estimate_is_not_what_comes_true() -> None:
    """A positive control: outcomes that no longer follow the scores lie outside what was foretold."""
    y, p = customers(20_000, 4)
    told, came = estimated(count_scores(p))["auc"], realised(Outcomes.of(np.random.default_rng(1).permutation(y), p))["auc"]
    assert came.high < told.low


def test_two_customers_worked_out_by_hand() -> None:
    """p = 0.5 and 0.2: expected pairs of a leaver above a stayer over expected pairs of both, ties counting half."""
    found = estimated(count_scores(np.array([0.5, 0.2])))
    by_hand = (0.5 * (0.8 + 0.5 / 2) + 0.2 * (0.8 / 2)) / (0.7 * 1.3)
    assert found["auc"].value == pytest.approx(by_hand, rel=0.01)
    assert found["ratio"].value == pytest.approx(1)


def test_without_leavers_nothing_is_measured() -> None:
    assert realised(Outcomes.of(np.zeros(50), np.full(50, 0.1))) == {}
    assert estimated(count_scores(np.array([]))) == {}
