"""What the slices found is trained again on all that was over before the test slice, and calibrated on unseen customers."""

import dataclasses

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from custvalue.churn.boosting import fit_by_month
from custvalue.churn.encoding import encode_columns
from custvalue.churn.portfolio import Candidate
from custvalue.churn.refitting import train_again
from custvalue.churn.splits import split

ONE = (Candidate("one", {"num_leaves": 4, "learning_rate": 0.1}),)
LINE = (Candidate("linear", {}, linear=True),)


@pytest.fixture(scope="module")
def rows(make_panel):
    return make_panel(customers=1_500, months=12, base=-2.5)


@pytest.fixture(scope="module")
def sliced(settings_by_month):
    return settings_by_month.model_copy(update={"small_leavers": 60, "max_rounds": 120})


def fitted(rows, columns, settings, candidates=ONE):
    """Give the fit of the slices, and the one trained again."""
    slices = split(rows, settings)
    assert slices.way == "by month"
    parts = {part.name: rows.take(part.rows) for part in slices.parts}
    first = fit_by_month(parts["train"], parts["stop"], parts["calibrate"], columns, settings, candidates=candidates)
    older = rows.take(slices.refit.rows)
    return first, train_again(first, parts["train"], older, slices["calibrate"].snapshots, columns, settings), parts["test"]


def log_odds(fit, frame, columns):
    matrix = encode_columns(frame.X, [(column.name, column.kind) for column in columns], fit.vocabularies)
    return lightgbm.Booster(model_str=fit.model_text).predict(matrix, raw_score=True)


def test_all_snapshots_that_were_over_train_and_no_other(rows, sliced):
    slices = split(rows, sliced)
    begins = pd.Timestamp(slices["test"].snapshots[0])
    over = pd.to_datetime(rows.snapshot) + pd.DateOffset(months=sliced.gap_months + sliced.horizon_months) <= begins
    assert np.array_equal(slices.refit.rows, np.flatnonzero(over))
    assert slices.refit.rows.size > 1.5 * slices["train"].rows.size
    assert f"refit: {len(slices.refit.snapshots)} snapshots" in str(slices)
    assert slices.to_dict()["refit"]["rows"] == slices.refit.rows.size


def test_customers_of_the_test_slice_stay_out_where_customers_are_kept_apart(rows, sliced):
    slices = split(rows, sliced.model_copy(update={"customers_apart": True, "min_leavers": 10, "small_leavers": 20}))
    assert slices.way == "by month"
    assert set(rows.customer[slices.refit.rows]).isdisjoint(rows.customer[slices["test"].rows])


def test_by_customer_nothing_is_trained_again(make_panel, settings):
    assert split(make_panel(), settings).refit is None


def test_more_and_newer_rows_rank_better(rows, columns, sliced):
    """From August on there are new plans, with which the column means the opposite: no row of the first slice has seen that."""
    new = rows.snapshot >= np.datetime64("2024-08-01")
    rank = rows.X["truth"].rank(pct=True)
    changing = dataclasses.replace(rows, X=rows.X.assign(noise=np.where(new, -rank, rank), plan=np.where(new, "new", "old")))
    only = tuple(column for column in columns if column.name in ("noise", "plan"))
    first, again, test = fitted(changing, only, sliced)
    before, after = (roc_auc_score(test.y, log_odds(fit, test, only)) for fit in (first, again))
    assert after > before + 0.1


@pytest.mark.parametrize("kept", [1.0, 0.4])
def test_the_level_is_right_without_a_calibrator(rows, columns, sliced, kept):
    """No more stayers train than in the first slice, and still the odds are those of all rows."""
    settings = sliced.model_copy(update={"stayers_kept": kept, "calibration": "none"})
    _, again, _ = fitted(rows, columns, settings)
    assert again.calibrator.kind == "none"
    older = rows.take(split(rows, settings).refit.rows)
    p = 1 / (1 + np.exp(-log_odds(again, older, columns)))
    assert p.mean() == pytest.approx(older.y.mean(), rel=0.12)


def test_a_line_is_fitted_again_with_the_ridge_it_had(rows, columns, sliced):
    settings = sliced.model_copy(update={"stayers_kept": 0.4, "calibration": "none"})
    first, again, test = fitted(rows, columns, settings, LINE)
    assert [member.candidate.params for member in again.members] == [member.candidate.params for member in first.members]
    assert again.rounds == 1
    older = rows.take(split(rows, settings).refit.rows)
    p = 1 / (1 + np.exp(-log_odds(again, older, columns)))
    assert p.mean() == pytest.approx(older.y.mean(), rel=0.12)
    assert roc_auc_score(test.y, log_odds(again, test, columns)) > 0.7


def test_the_calibrator_judges_customers_by_the_booster_that_has_not_seen_them(rows, columns, sliced):
    """Luck decides who leaves, and sharp trees learn it by heart: judged on rows they have seen, they would look nearly certain."""
    random = np.random.default_rng(3)
    numbers = tuple(column for column in columns if column.kind == "number")
    X = pd.DataFrame({column.name: random.normal(size=len(rows)) for column in numbers})
    luck = dataclasses.replace(rows, X=X, y=(random.random(len(rows)) < 0.2).astype(np.int8))
    settings = sliced.model_copy(update={"calibration": "sigmoid", "monotone": "none"})
    slices = split(luck, settings)
    parts = [luck.take(slices[name].rows) for name in ("train", "stop", "calibrate")]
    sharp = {"num_leaves": 63, "learning_rate": 0.3, "min_data_in_leaf": 1, "lambda_l2": 0.0, "feature_fraction": 1.0}
    first = fit_by_month(*parts, numbers, settings, candidates=(Candidate("sharp", sharp),))
    by_heart = tuple(dataclasses.replace(member, rounds=(40,), weight=1.0) for member in first.members)
    older = luck.take(slices.refit.rows)
    again = train_again(dataclasses.replace(first, members=by_heart), parts[0], older, slices["calibrate"].snapshots, numbers, settings)
    assert roc_auc_score(older.y, log_odds(again, older, numbers)) > 0.8
    assert again.calibrator.kind == "shift" or again.calibrator.slope < 0.2


def test_the_same_rows_give_the_same_text(rows, columns, sliced):
    assert fitted(rows, columns, sliced)[1].model_text == fitted(rows, columns, sliced)[1].model_text
