import lightgbm
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from custvalue.churn.blending import blend, blend_with_lines
from custvalue.churn.boosting import fit_by_customer, fit_by_month
from custvalue.churn.encoding import encode_columns
from custvalue.churn.portfolio import MANY_LEAVERS, Candidate, candidates
from custvalue.churn.splits import fold_customers, split

FEW = (Candidate("additive", {"num_leaves": 2, "learning_rate": 0.1}), Candidate("small", {"num_leaves": 4, "learning_rate": 0.1}))


@pytest.fixture(scope="module")
def frame(make_panel):
    return make_panel(customers=2_000)


@pytest.fixture(scope="module")
def fit(frame, columns, settings):
    return fit_by_customer(frame, fold_customers(frame.customer, frame.y, seed=7), columns, settings, candidates=FEW)


def log_odds(fit, frame, columns):
    matrix = encode_columns(frame.X, [(column.name, column.kind) for column in columns], fit.vocabularies)
    return lightgbm.Booster(model_str=fit.model_text).predict(matrix, raw_score=True)


def outcomes(log_odds, random):
    return (random.random(log_odds.size) < 1 / (1 + np.exp(-log_odds))).astype(float)


def test_weights_of_a_blend_are_those_of_least_log_loss():
    random = np.random.default_rng(0)
    truth = random.normal(0, 1.5, 3_000)
    y = outcomes(truth - 1, random)
    raw = np.column_stack([truth + random.normal(0, scale, 3_000) for scale in (1, 1.5)])
    weights, intercept = blend(raw, y)
    oracle = LogisticRegression(C=np.inf).fit(raw, y)
    np.testing.assert_allclose(weights, oracle.coef_[0], atol=0.01)
    assert intercept == pytest.approx(oracle.intercept_[0], abs=0.01)


def test_a_candidate_that_hardly_counts_or_misleads_is_left_out():
    random = np.random.default_rng(1)
    good = random.normal(0, 2, 3_000)
    weights, _ = blend(np.column_stack([good, good + random.normal(0, 9, 3_000), -good]), outcomes(good, random))
    assert weights[0] == pytest.approx(1, abs=0.1)
    assert (weights[1:] == 0).all()


def test_a_line_joins_the_trees_only_where_it_clearly_helps():
    random = np.random.default_rng(2)
    truth = random.normal(0, 1.5, 500)
    y = outcomes(truth, random)
    trees = truth + random.normal(0, 1.5, 500)
    for line, joins in ((truth + random.normal(0, 0.5, 500), True), (trees + random.normal(0, 0.1, 500), False)):
        weights, intercept = blend_with_lines(np.column_stack([trees, line]), y, np.array([False, True]))
        assert (weights[1] > 0) == joins
    alone, level = blend(trees[:, None], y)
    np.testing.assert_allclose([weights[0], intercept], [alone[0], level])


def test_rows_that_separate_perfectly_leave_the_weights_finite():
    y = np.repeat([0.0, 1.0], 50)
    weights, intercept = blend((20 * y - 10)[:, None], y)
    assert 0 < weights[0] < 2
    assert abs(intercept) < 1


def test_candidates_that_rank_wrongly_leave_the_best_of_them():
    y = np.repeat([0.0, 1.0], 50)
    weights, intercept = blend(np.column_stack([-2 * y, -0.1 * y]), y)
    assert weights.tolist() == [0, 1]
    assert intercept == 0


def test_members_are_the_given_candidates_and_add_up(fit):
    assert {member.candidate.name for member in fit.members} <= {candidate.name for candidate in FEW}
    assert sum(member.weight for member in fit.members) == pytest.approx(1, abs=0.2)
    trees = sum(sum(member.rounds) for member in fit.members)
    assert lightgbm.Booster(model_str=fit.model_text).num_trees() == trees
    assert fit.rounds == max(max(member.rounds) for member in fit.members)
    assert [member["name"] for member in fit.params["members"]] == [member.candidate.name for member in fit.members]


def test_left_out_stayers_do_not_change_the_level(frame, columns, settings, fit):
    sampled = settings.model_copy(update={"stayers_kept": 0.2, "calibration": "none"})
    fewer = fit_by_customer(frame, fold_customers(frame.customer, frame.y, seed=7), columns, sampled, candidates=FEW)
    level = (1 / (1 + np.exp(-log_odds(fewer, frame, columns)))).mean()
    spread = np.sqrt(frame.y.mean() * (1 - frame.y.mean()) / len(frame))
    assert level == pytest.approx(frame.y.mean(), abs=5 * spread)
    trees = [line for line in fewer.model_text.split("\n") if line.startswith("internal_count=")]
    root = max(int(line[15:].split()[0]) for line in trees)
    assert root < 0.5 * len(frame), "all stayers trained after all"


def test_left_out_stayers_by_month(make_panel, columns, settings_by_month):
    frame = make_panel(customers=3_000, months=12, base=-2.5)
    slices = split(frame, settings_by_month)
    train, stop, calibrate = (frame.take(slices[name].rows) for name in ("train", "stop", "calibrate"))
    sampled = settings_by_month.model_copy(update={"stayers_kept": 0.2, "calibration": "none"})
    fit = fit_by_month(train, stop, calibrate, columns, sampled, candidates=FEW)
    p = 1 / (1 + np.exp(-log_odds(fit, calibrate, columns)))
    assert p.mean() == pytest.approx(calibrate.y.mean(), rel=0.15)
    assert log_loss(calibrate.y, p) < log_loss(calibrate.y, np.full(len(p), calibrate.y.mean()))


def test_with_many_leavers_or_cells_fewer_boosters_are_tried():
    few, many, wide = candidates(MANY_LEAVERS - 1, 20_000, 20), candidates(MANY_LEAVERS, 20_000, 20), candidates(500, 20_000, 300)
    assert len(many) == len(wide) < len(few)
    assert len({candidate.name for candidate in few}) == len(few)
    assert 2 in {candidate.params.get("num_leaves") for candidate in few}, "small data need an additive model"
