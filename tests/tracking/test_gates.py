import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss

from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking.gates import Gate, Verdict, champion_gate, quality_gates

from .conftest import evaluation

LIMITS = PromotionConfig()


def failing(judged, limits=LIMITS):
    return [gate.gate.split(",")[0] for gate in quality_gates(judged, limits) if not gate.passed]


def test_a_good_model_passes_every_gate():
    assert failing(evaluation()) == []


@pytest.mark.parametrize(
    ("weakness", "gate"),
    [
        ({"auc_low": 0.5}, "AUC"),
        ({"auc_low": None}, "AUC"),
        ({"excess": 0.021}, "calibration error above a perfect model's"),
        ({"log_loss": 0.33}, "log loss"),
        ({"log_loss": None}, "log loss"),
    ],
)
def test_each_weakness_fails_its_own_gate(weakness, gate):
    judged = evaluation(**weakness)
    if "auc_low" in weakness:
        judged["metrics"]["auc"]["low"] = weakness["auc_low"]
    assert failing(judged) == [gate]


@pytest.mark.parametrize("leavers", [1, 17, 500])
def test_the_base_rate_scores_what_scikit_learn_says(leavers):
    outcomes = [1] * leavers + [0] * (1000 - leavers)
    expected = sklearn_log_loss(outcomes, [leavers / 1000] * 1000)
    gate = quality_gates(evaluation(base_rate=leavers / 1000), LIMITS)[2]
    assert gate.limit == pytest.approx(expected, abs=1e-12)


def test_the_ratio_tightens_both_log_loss_gates():
    limits = PromotionConfig(max_log_loss_ratio=0.9)
    gate = champion_gate(evaluation(log_loss=0.28), evaluation(log_loss=0.30), limits)
    assert gate.limit == pytest.approx(0.27)
    assert not gate.passed
    assert champion_gate(evaluation(log_loss=0.28), evaluation(log_loss=0.30), LIMITS).passed


def test_an_evaluation_without_its_numbers_cannot_be_judged():
    judged = evaluation()
    del judged["metrics"]["log_loss"]
    with pytest.raises(ModelError, match="log_loss"):
        quality_gates(judged, LIMITS)


@given(st.floats(), st.floats(allow_nan=False), st.sampled_from(["<", ">", "≤"]))
def test_a_gate_never_passes_on_the_wrong_side_or_on_what_is_no_number(value, limit, sign):
    passed = Gate("any", value, sign, limit).passed
    if not math.isfinite(value):
        assert not passed
    elif passed:
        assert value <= limit if sign in "<≤" else value >= limit


def test_a_verdict_reads_as_a_table_and_as_words():
    verdict = Verdict("telco", 2, None, (Gate("AUC", 0.48, ">", 0.5), Gate("log loss", None, "<", 0.3)), ("first",))
    assert verdict.rows == [("AUC", 0.48, "> 0.5", False), ("log loss", None, "< 0.3", False)]
    assert str(verdict).splitlines() == [
        "version 2 of 'telco' failed 2 of 2 gates and does not become champion",
        "  ✗ AUC 0.48, must be > 0.5",
        "  ✗ log loss not measured, must be < 0.3",
        "  first",
    ]
