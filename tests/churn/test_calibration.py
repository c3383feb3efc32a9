import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from custvalue.churn.calibration import Calibrator, fit_calibrator, sigmoid
from custvalue.errors import ModelError


def drawn(slope, intercept, rows=4_000, seed=0):
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1, rows)
    return raw, (random.random(rows) < expit(slope * raw + intercept)).astype(int)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.5, 1.5)])
def test_is_the_logistic_regression_on_smoothed_targets(slope, intercept):
    raw, y = drawn(slope, intercept)
    left, stayed = y.sum(), (1 - y).sum()
    target = np.where(y == 1, (left + 1) / (left + 2), 1 / (stayed + 2))
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(
        np.r_[raw, raw][:, None], np.r_[np.ones_like(y), np.zeros_like(y)], sample_weight=np.r_[target, 1 - target]
    )
    found = fit_calibrator(raw, y)
    assert found.kind == "sigmoid"
    assert found.slope == pytest.approx(peer.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-4, abs=1e-4)


def test_recovers_probabilities_that_a_booster_exaggerates():
    raw, y = drawn(0.5, -0.7, rows=40_000)
    found = fit_calibrator(raw, y)
    assert found.slope == pytest.approx(0.5, abs=0.06)
    assert found.intercept == pytest.approx(-0.7, abs=0.15)


@pytest.mark.parametrize("raw", [np.full(200, -1.0), -np.linspace(-3, 3, 200)])
def test_a_score_that_does_not_rank_gets_its_level_corrected_only(raw):
    y = (np.arange(200) >= 150).astype(int)
    found = fit_calibrator(raw, y)
    assert (found.kind, found.slope) == ("shift", 1.0)
    smoothed = (50 * 51 / 52 + 150 / 152) / 200
    assert found.apply(raw).mean() == pytest.approx(smoothed)


@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), max_size=80),
)
def test_never_turns_the_order_round_and_keeps_the_level(rows):
    raw = np.array([-1.0, 1.0, *(score for score, _ in rows)])
    y = np.array([0, 1, *(int(left) for _, left in rows)])
    found = fit_calibrator(raw, y)
    assert found.slope > 0
    p = found.apply(raw)
    assert ((p > 0) & (p < 1)).all()
    left, stayed = y.sum(), (1 - y).sum()
    smoothed = (left * (left + 1) / (left + 2) + stayed / (stayed + 2)) / y.size
    assert p.mean() == pytest.approx(smoothed, abs=1e-5)


@pytest.mark.parametrize("outcome", [0, 1])
def test_refuses_one_outcome(outcome):
    with pytest.raises(ModelError, match="needs leavers and stayers"):
        fit_calibrator([0.1, 0.2], [outcome, outcome])


def test_sigmoid_agrees_with_scipy_to_the_ends():
    x = np.array([-800.0, -745.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0])
    np.testing.assert_allclose(sigmoid(x), expit(x), rtol=1e-12, atol=1e-300)


def test_reads_what_it_writes():
    calibrator = Calibrator("sigmoid", 0.8, -0.25)
    assert Calibrator.from_dict(calibrator.to_dict()) == calibrator


@pytest.mark.parametrize(
    "given_parts",
    [
        {},
        {"kind": "isotonic", "slope": 1.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": -1.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": float("nan"), "intercept": 0.0},
        {"kind": "shift", "slope": 2.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": "steep", "intercept": 0.0},
    ],
)
def test_refuses_a_calibrator_that_cannot_be_used(given_parts):
    with pytest.raises(ModelError):
        Calibrator.from_dict(given_parts)
