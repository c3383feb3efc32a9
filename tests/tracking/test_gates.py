import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss as sklearn_log_loss

from custvalue.churn.evaluation import Interval
from custvalue.churn.slices import SliceQuality
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.tracking.comparison import Comparison
from custvalue.tracking.gates import Gate, Verdict, champion_gates, leakage_gate, quality_gates, slice_gate

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


def test_the_ratio_tightens_the_gate_on_log_loss():
    limit = quality_gates(evaluation(), LIMITS)[2].limit
    assert quality_gates(evaluation(), PromotionConfig(max_log_loss_ratio=0.9))[2].limit == pytest.approx(0.9 * limit)


def comparison(**changes):
    even = Interval(0.0, -0.001, 0.001)
    told = {"overlap": 0.6, "log_loss": even, "auc_drop": even, "profit_drop": Interval(0.0, -900.0, 900.0), "slices": {"tier gold": even}}
    return Comparison(rows=1000, leavers=100, champion_profit=2000.0, **(told | changes))


def failing_against(found, limits=LIMITS):
    return [gate.gate for gate in champion_gates(found, limits) if not gate.passed]


def test_an_equal_challenger_passes_every_gate_against_the_champion():
    assert failing_against(comparison()) == []
    assert len(champion_gates(comparison(), LIMITS)) == 5
    assert len(champion_gates(comparison(profit_drop=None, slices={}), LIMITS)) == 3


@pytest.mark.parametrize(
    ("weakness", "gate"),
    [
        ({"log_loss": Interval(0.01, -0.01, 0.021)}, "log loss, rise"),  # not shown to be no worse
        ({"auc_drop": Interval(0.01, -0.01, 0.031)}, "AUC, fall"),
        ({"profit_drop": Interval(400.0, 201.0, 600.0)}, "profit at capacity"),
        ({"slices": {"tier gold": Interval(0.2, 0.051, 0.4), "tier basic": Interval(0.0, 0.0, 0.0)}}, "worst slice"),
        ({"overlap": 0.24}, "riskiest customers in common"),
    ],
)
def test_each_weakness_against_the_champion_fails_its_own_gate(weakness, gate):
    (failed,) = failing_against(comparison(**weakness))
    assert failed.startswith(gate)


def test_what_only_may_be_worse_is_let_pass_where_little_can_be_shown():
    unsure = {"profit_drop": Interval(900.0, 199.0, 2000.0), "slices": {"tier gold": Interval(0.5, 0.049, 2.0)}}
    assert failing_against(comparison(**unsure)) == []


def test_a_verdict_names_the_worst_slice_with_its_interval():
    gates = champion_gates(comparison(slices={"a x": Interval(0.3, 0.01, 0.9), "a y": Interval(0.2, 0.06, 0.3)}), LIMITS)
    assert gates[-1].note == "a y: +20.00 % [+6.00 to +30.00]; 2 slices judged"


def quality(value, ratio, dimension="tier"):
    return SliceQuality(dimension, value, 100, 100, 30, dict.fromkeys(("ratio", "observed", "predicted"), ratio))


@pytest.mark.parametrize(
    ("ratio", "off"),
    [((1.8, 1.6, 2.0), 1.6), ((0.5, 0.4, 0.625), 1.6), ((1.8, 0.9, 3.0), 1.0), ((0.3, 0.1, 1.1), 1.0)],
)
def test_a_slice_is_as_far_off_as_its_interval_shows(ratio, off):
    gate = slice_gate([quality("gold", Interval(*ratio)), quality("basic", Interval(1.0, 1.0, 1.0))], LIMITS)
    assert gate.value == pytest.approx(off)
    assert gate.passed == (off <= 1.5)


def test_slices_that_are_too_small_do_not_hold_a_model_up():
    gate = slice_gate([SliceQuality("tier", "gold", 10, 10, 2, {}), quality("all", Interval(9.0, 9.0, 9.0), dimension="all")], LIMITS)
    assert (gate.passed, gate.note) == (True, "no slice is large enough to be judged")


def test_leaks_and_a_run_without_a_leakage_report_fail():
    assert leakage_gate({"leakage_refused": 0.0, "leakage_checks": 12.0}).passed
    assert not leakage_gate({"leakage_refused": 1.0}).passed
    assert not leakage_gate({}).passed


def test_an_evaluation_without_its_numbers_cannot_be_judged():
    judged = evaluation()
    del judged["metrics"]["log_loss"]
    with pytest.raises(ModelError, match="log_loss"):
        quality_gates(judged, LIMITS)


@given(st.floats(), st.floats(allow_nan=False), st.sampled_from(["<", ">", "≤", "≥"]))
def test_a_gate_never_passes_on_the_wrong_side_or_on_what_is_no_number(value, limit, sign):
    passed = Gate("any", value, sign, limit).passed
    if not math.isfinite(value):
        assert not passed
    elif passed:
        assert value <= limit if sign in "<≤" else value >= limit


def test_a_verdict_reads_as_a_table_and_as_words():
    verdict = Verdict("telco", 2, None, (Gate("AUC", 0.48, ">", 0.5), Gate("log loss", None, "<", 0.3)), ("first",))
    assert verdict.rows == [("AUC", 0.48, "> 0.5", False, ""), ("log loss", None, "< 0.3", False, "")]
    assert str(verdict).splitlines() == [
        "version 2 of 'telco' failed 2 of 2 gates and does not become champion",
        "  ✗ AUC 0.48, must be > 0.5",
        "  ✗ log loss not measured, must be < 0.3",
        "  first",
    ]
