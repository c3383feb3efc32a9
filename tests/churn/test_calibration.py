import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from custvalue.churn.calibration import SIMPLEST_FIRST, Calibrator, fit_calibrator, sigmoid
from custvalue.errors import ConfigError, ModelError

FITTED = [kind for kind in SIMPLEST_FIRST if kind != "none"]
SLICES = st.lists(st.tuples(st.floats(-8, 8), st.booleans()), max_size=80).map(
    lambda rows: (np.array([-1.0, 1.0, *(score for score, _ in rows)]), np.array([0, 1, *(int(left) for _, left in rows)]))
)


def drawn(slope, intercept, rows=4_000, seed=0):
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1, rows)
    return raw, (random.random(rows) < expit(slope * raw + intercept)).astype(int)


def smoothed(y):
    left, stayed = y.sum(), (1 - y).sum()
    return np.where(y == 1, (left + 1) / (left + 2), 1 / (stayed + 2))


def logistic(design, y):
    """scikit-learn's fit on smoothed targets: each row as a leaver and as a stayer, weighted."""
    target = smoothed(y)
    return LogisticRegression(C=np.inf, tol=1e-10, max_iter=2_000).fit(
        np.r_[design, design], np.r_[np.ones_like(y), np.zeros_like(y)], sample_weight=np.r_[target, 1 - target]
    )


def excess_log_loss(truth, told):
    """Mean log loss of probabilities above that of the true ones, over outcomes drawn from these."""
    return float(np.mean(truth * np.log(truth / told) + (1 - truth) * np.log((1 - truth) / (1 - told))))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.5, 1.5)])
def test_sigmoid_is_the_logistic_regression_on_smoothed_targets(slope, intercept):
    raw, y = drawn(slope, intercept)
    found, peer = fit_calibrator(raw, y, kind="sigmoid"), logistic(raw[:, None], y)
    assert found.kind == "sigmoid"
    assert found.slope == pytest.approx(peer.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-4, abs=1e-4)


def test_beta_is_the_logistic_regression_on_both_log_probabilities():
    """Kull et al. 2017: on ln q and −ln(1 − q), here of scores around even odds, where both slopes can be told."""
    random = np.random.default_rng(1)
    raw = random.normal(0, 2, 6_000)
    y = (random.random(raw.size) < expit(0.6 * log_expit(raw) - 1.5 * log_expit(-raw) - 0.4)).astype(int)
    found, peer = fit_calibrator(raw, y, kind="beta"), logistic(np.column_stack([log_expit(raw), -log_expit(-raw)]), y)
    assert (found.slope, found.upper_slope) == pytest.approx(tuple(peer.coef_[0]), rel=1e-3)
    assert found.intercept == pytest.approx(peer.intercept_[0], abs=1e-3)
    assert (found.slope, found.upper_slope, found.intercept) == pytest.approx((0.6, 1.5, -0.4), abs=0.15)


def test_beta_sets_a_negative_slope_to_zero_and_fits_the_other_again():
    random = np.random.default_rng(2)
    raw = random.normal(0, 2, 6_000)
    y = (random.random(raw.size) < expit(-0.5 * log_expit(raw) - 1.2 * log_expit(-raw) - 1.0)).astype(int)
    found, peer = fit_calibrator(raw, y, kind="beta"), logistic(-log_expit(-raw)[:, None], y)
    assert logistic(np.column_stack([log_expit(raw), -log_expit(-raw)]), y).coef_[0, 0] < 0
    assert (found.slope, found.upper_slope) == (0.0, pytest.approx(peer.coef_[0, 0], rel=1e-3))


def test_isotonic_passes_the_blocks_of_isotonic_regression():
    """Those of scikit-learn, with a leaver added at the lowest score and a stayer at the highest."""
    raw, y = drawn(0.8, 0.3)
    found = fit_calibrator(raw, y, kind="isotonic")
    more = np.r_[raw, raw.min(), raw.max()]
    rates, block = np.unique(np.round(IsotonicRegression().fit(more, np.r_[y, 1, 0]).predict(more), 9), return_inverse=True)
    at, height = np.array(found.knots).T
    assert height == pytest.approx(np.log(rates / (1 - rates)), rel=1e-6)
    assert at == pytest.approx([more[block == number].mean() for number in range(rates.size)])


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, -0.7), (1.6, 0.5)])
@pytest.mark.parametrize("kind", [*FITTED, "auto"])
def test_recovers_the_probabilities_behind_a_distortion(kind, slope, intercept):
    raw, y = drawn(slope, intercept, rows=40_000)
    fresh, _ = drawn(slope, intercept, seed=1)
    truth = expit(slope * fresh + intercept)
    distorted = excess_log_loss(truth, expit(fresh))
    assert excess_log_loss(truth, fit_calibrator(raw, y, kind=kind).apply(fresh)) < 0.05 * distorted


def bent(raw):
    return np.where(raw < 0, 1.6 * raw, 0.3 * raw) - 0.5


def stepped(raw):
    return 2 * np.tanh(3 * (raw + 1)) - 1.5


@pytest.mark.parametrize(
    ("rows", "truth", "expected"),
    [
        (3_000, lambda raw: raw, "none"),
        (3_000, lambda raw: 0.6 * raw - 0.5, "sigmoid"),
        (20_000, bent, "beta"),
        (20_000, stepped, "isotonic"),
    ],
)
def test_auto_takes_the_simplest_kind_that_does(rows, truth, expected):
    random = np.random.default_rng(5)
    raw = random.normal(-0.5, 1.5, rows)
    y = (random.random(rows) < expit(truth(raw))).astype(int)
    assert fit_calibrator(raw, y).kind == expected


def test_auto_costs_less_than_a_fixed_kind_where_there_is_nothing_to_correct():
    """Log loss above the truth's on 25 slices of 400 rows with some 60 leavers."""
    costs = {"auto": 0.0, "sigmoid": 0.0}
    for seed in range(25):
        raw, y = drawn(1.0, 0.0, rows=400, seed=seed)
        for kind in costs:
            costs[kind] += excess_log_loss(expit(raw), fit_calibrator(raw, y, kind=kind).apply(raw)) / 25
    assert costs["auto"] < 0.5 * costs["sigmoid"] < 0.002


def test_auto_counts_a_customer_once():
    """Few customers, each there many times, are as sure as the customers are; as rows they would prove any shape."""
    raw, y = drawn(1.0, 0.0, rows=150, seed=3)
    rows = [np.repeat(part, 30) for part in (raw, y, np.arange(raw.size))]
    assert fit_calibrator(rows[0], rows[1], groups=rows[2]).kind == "none"
    assert fit_calibrator(rows[0], rows[1]).kind != "none"


def test_auto_with_a_single_leaver_corrects_nothing():
    raw = np.linspace(-3, 1, 50)
    assert fit_calibrator(raw, (np.arange(50) == 49).astype(int)).kind == "none"


@pytest.mark.parametrize("kind", FITTED)
@pytest.mark.parametrize("raw", [np.full(200, -1.0), -np.linspace(-3, 3, 200)])
def test_a_score_that_does_not_rank_gets_its_level_corrected_only(kind, raw):
    y = (np.arange(200) >= 150).astype(int)
    found = fit_calibrator(raw, y, kind=kind)
    assert (found.kind, found.slope) == ("shift", 1.0)
    assert found.apply(raw).mean() == pytest.approx((50 * 51 / 52 + 150 / 152) / 200)


@pytest.mark.parametrize("kind", FITTED)
@given(SLICES)
def test_keeps_the_level_of_the_slice(kind, rows):
    raw, y = rows
    assert fit_calibrator(raw, y, kind=kind).apply(raw).mean() == pytest.approx(smoothed(y).mean(), abs=1e-5)


@pytest.mark.parametrize("kind", [*SIMPLEST_FIRST, "auto"])
@settings(max_examples=30)
@given(SLICES)
def test_rises_within_0_and_1_and_goes_through_json(kind, rows):
    found = fit_calibrator(*rows, kind=kind)
    p = found.apply(np.linspace(-12, 12, 97))
    assert ((p > 0) & (p < 1)).all()
    # A slope of zero on one side is all that beta calibration asks for; every other kind tells any two scores apart.
    assert (np.diff(p) >= 0).all() if found.kind == "beta" else (np.diff(found.log_odds(np.linspace(-12, 12, 97))) > 0).all()
    assert Calibrator.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_isotonic_keeps_the_order_inside_blocks_and_beyond_them():
    raw, y = drawn(1.0, 0.0)
    wide = np.linspace(raw.min() - 5, raw.max() + 5, 5_001)
    assert len(fit_calibrator(raw, y, kind="isotonic").knots) < 60
    assert (np.diff(fit_calibrator(raw, y, kind="isotonic").apply(wide)) > 0).all()


@pytest.mark.parametrize("outcome", [0, 1])
def test_refuses_one_outcome(outcome):
    with pytest.raises(ModelError, match="needs leavers and stayers"):
        fit_calibrator([0.1, 0.2], [outcome, outcome])


@pytest.mark.parametrize(
    ("raw", "changed", "error", "words"),
    [
        ([0.0, np.nan, np.inf], {}, ModelError, "2 of 3 log-odds are not finite"),
        ([0.0, 1.0], {}, ConfigError, "as long"),
        ([0.0, 1.0, 2.0], {"groups": ["a"]}, ConfigError, "as long"),
        ([0.0, 1.0, 2.0], {"kind": "spline"}, ConfigError, "one of auto, none, sigmoid, beta, isotonic"),
    ],
)
def test_a_wrong_argument_is_told(raw, changed, error, words):
    with pytest.raises(error, match=words):
        fit_calibrator(raw, [0, 1, 0], **changed)


def test_sigmoid_agrees_with_scipy_to_the_ends():
    x = np.array([-800.0, -745.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0])
    np.testing.assert_allclose(sigmoid(x), expit(x), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("told", [{"kind": "sigmoid", "slope": 0.8, "intercept": -0.25}, {"kind": "shift", "slope": 1.0, "intercept": 0.1}])
def test_reads_and_writes_what_earlier_versions_wrote(told):
    assert Calibrator.from_dict(told).to_dict() == told
    assert Calibrator.from_dict(told).apply(-2.0) == pytest.approx(expit(told["slope"] * -2.0 + told["intercept"]))


@pytest.mark.parametrize(
    "given_parts",
    [
        {},
        {"kind": "spline", "slope": 1.0, "intercept": 0.0},
        {"kind": "none", "slope": 1.0, "intercept": 0.5},
        {"kind": "isotonic", "slope": 1.0, "intercept": 0.0},
        {"kind": "isotonic", "slope": 0.01, "intercept": 0.0, "knots": [[0, 0], [0, 1]]},
        {"kind": "isotonic", "slope": 0.01, "intercept": 0.0, "knots": [[0, 0], [1, -1]]},
        {"kind": "isotonic", "slope": 0.01, "intercept": 0.0, "knots": [[0, 0], [1]]},
        {"kind": "isotonic", "slope": 0.01, "intercept": 0.0, "knots": 3},
        {"kind": "beta", "slope": 1.0, "intercept": 0.0},
        {"kind": "beta", "slope": -1.0, "upper_slope": 1.0, "intercept": 0.0},
        {"kind": "beta", "slope": 0.0, "upper_slope": 0.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": 1.0, "upper_slope": 2.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": -1.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": float("nan"), "intercept": 0.0},
        {"kind": "shift", "slope": 2.0, "intercept": 0.0},
        {"kind": "sigmoid", "slope": "steep", "intercept": 0.0},
    ],
)
def test_refuses_a_calibrator_that_cannot_be_used(given_parts):
    with pytest.raises(ModelError):
        Calibrator.from_dict(given_parts)
