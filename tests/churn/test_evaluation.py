import json

import numpy as np
import pytest
from sklearn import metrics as peer

from custvalue.churn.evaluation import evaluate
from custvalue.errors import ModelError


@pytest.fixture(scope="module")
def judged():
    random = np.random.default_rng(4)
    p = random.beta(1, 15, 3_000)
    y = (random.random(p.size) < p).astype(np.int8)
    groups = np.array([f"C{number:04d}" for number in np.arange(p.size) // 2], dtype=object)
    return y, p, evaluate(y, p, capacity_share=0.02, groups=groups, resamples=100)


def test_counts_rows_customers_and_leavers(judged):
    y, _, evaluation = judged
    assert (evaluation.rows, evaluation.customers, evaluation.leavers) == (3_000, 1_500, y.sum())
    assert evaluation.base_rate == pytest.approx(y.mean())


def test_values_are_those_of_scikit_learn_and_of_counting_by_hand(judged):
    y, p, evaluation = judged
    value = {name: interval.value for name, interval in evaluation.metrics.items()}
    by_risk = y[np.argsort(-p, kind="stable")]
    assert value["auc"] == pytest.approx(peer.roc_auc_score(y, p))
    assert value["pr_auc"] == pytest.approx(peer.average_precision_score(y, p))
    assert value["log_loss"] == pytest.approx(peer.log_loss(y, p))
    assert value["brier"] == pytest.approx(peer.brier_score_loss(y, p))
    for name, rows in (("lift_1pct", 30), ("lift_capacity", 60), ("lift_5pct", 150), ("lift_10pct", 300)):
        assert value[name] == pytest.approx(by_risk[:rows].mean() / y.mean())


def test_every_interval_holds_its_value(judged):
    for name, interval in judged[2].metrics.items():
        assert interval.low <= interval.value <= interval.high, name


def test_excess_interval_of_true_probabilities_holds_zero(judged):
    excess = judged[2].metrics["calibration_excess"]
    assert excess.low <= 0 <= excess.high


def test_excess_interval_of_wrong_probabilities_lies_above_zero(judged):
    y, p, _ = judged
    wrong = evaluate(y, np.minimum(3 * p, 1), capacity_share=0.02, resamples=100)
    assert wrong.metrics["calibration_excess"].low > 0.05


def test_profit_at_capacity_is_what_the_contacts_worth_most_earn():
    """Capacity is two of five rows. Expected: 0.4·50 − 0.6·5 = 17, 0.5·10 − 0.5·5 = 2.5 and below 0, so the first two are contacted."""
    y, p = [0, 1, 0, 1, 1], [0.4, 0.5, 0.1, 0.1, 0.3]
    worth = ([50.0, 10.0, 40.0, 1.0, 2.0], [-5.0] * 5)
    found = evaluate(y, p, capacity_share=0.4, worth=worth, resamples=50).metrics["profit_capacity"]
    assert found.value == pytest.approx((-5 + 10) / 5)
    assert evaluate(y, p, capacity_share=1.0, worth=worth, resamples=50).metrics["profit_capacity"].value == pytest.approx((-5 + 10) / 5)
    assert found.low <= found.value <= found.high


def test_goes_through_json(judged):
    told = json.loads(json.dumps(judged[2].to_dict(), allow_nan=False))
    assert told["metrics"]["auc"]["low"] == judged[2].metrics["auc"].low
    assert set(told["metrics"]) == {
        "auc", "pr_auc", "log_loss", "brier", "calibration_error", "calibration_excess",
        "lift_1pct", "lift_5pct", "lift_10pct", "lift_capacity", "empc",
    }  # fmt: skip


def test_an_interval_is_written_with_its_bounds(judged):
    auc = judged[2].metrics["auc"]
    assert f"{auc:.2f}" == f"{auc.value:.2f} [{auc.low:.2f}–{auc.high:.2f}]"


@pytest.mark.parametrize("outcome", [0, 1])
def test_refuses_one_outcome(outcome):
    with pytest.raises(ModelError, match="both leavers and stayers are needed"):
        evaluate(np.full(5, outcome), np.full(5, 0.5), capacity_share=0.1)
