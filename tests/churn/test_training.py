import dataclasses
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from custvalue.churn.boosting import booster_settings
from custvalue.churn.encoding import learn_vocabularies
from custvalue.config import ChurnConfig


@pytest.fixture(params=["by_month", "by_customer"])
def trained(request):
    return request.getfixturevalue(request.param)


def with_features(frame, rows, change):
    X = frame.X.copy()
    X.loc[rows] = change(X.loc[rows]).to_numpy()
    return dataclasses.replace(frame, X=X)


def scrambled(X):
    return X.apply(lambda values: values.sample(frac=1, random_state=1).to_numpy())


def test_nearly_reaches_the_true_probability_and_does_not_beat_it(trained):
    y, p, truth = trained.test["y"], trained.test["probability"], trained.test_features["truth"]
    ours, oracle = roc_auc_score(y, p), roc_auc_score(y, truth)
    assert oracle - 0.05 < ours < oracle + 0.02
    assert log_loss(y, p) < log_loss(y, np.full(len(y), y.mean()))
    assert trained.evaluation.metrics["auc"].value == pytest.approx(ours)


def test_probabilities_have_the_level_of_the_outcomes(trained):
    y, p = trained.test["y"], trained.test["probability"]
    standard_error = np.sqrt((p * (1 - p)).sum()) / len(y)
    assert abs(p.mean() - y.mean()) < 4 * standard_error


def test_each_way_is_chosen_by_the_data_and_told(by_month, by_customer):
    assert by_month.slices.way == "by month"
    assert by_month.slices.folds is None
    assert not any("not over time" in warning for warning in by_month.warnings)
    assert by_customer.slices.way == "by customer"
    assert any("over customers, not over time" in warning for warning in by_customer.warnings)


def test_test_rows_are_those_of_the_test_slice(trained):
    tested = trained.slices["test"]
    assert len(trained.test) == tested.rows.size == trained.evaluation.rows
    assert trained.test["customer"].nunique() == tested.customers == trained.evaluation.customers
    assert tuple(sorted(set(trained.test["snapshot"].dt.date))) == tested.snapshots


def test_the_log_tells_the_split_the_drops_and_the_quality(make_panel, train, settings):
    lines = []
    trained = train(make_panel(customers=1_500), settings, log=lines.append)
    told = "\n".join(lines)
    assert "3 left inside the gap dropped" in told
    assert "split by customer: 1 snapshot(s)" in told
    assert f"AUC {trained.evaluation.metrics['auc'].value:.3f}" in told
    assert all(warning in told for warning in trained.warnings)


def test_the_same_data_and_settings_give_the_same_model(make_panel, train, by_customer, settings):
    again = train(make_panel())
    assert again.bundle.model_text == by_customer.bundle.model_text
    assert again.bundle.digest == by_customer.bundle.digest
    other_seed = train(make_panel(), settings.model_copy(update={"seed": 8}))
    assert other_seed.bundle.model_text != by_customer.bundle.model_text


def test_the_test_slice_cannot_change_the_model(make_panel, train, settings_by_month, by_month, by_customer):
    for trained, frame, settings in (
        (by_customer, make_panel(), None),
        (by_month, make_panel(customers=4_000, months=12, base=-2.5), settings_by_month),
    ):
        changed = with_features(frame, trained.slices["test"].rows, scrambled)
        again = train(changed, settings) if settings else train(changed)
        assert again.bundle.model_text == trained.bundle.model_text
        assert again.bundle.calibrator == trained.bundle.calibrator
        assert again.evaluation.metrics["auc"].value < 0.6


def test_the_test_slice_teaches_no_vocabulary(make_panel, train, settings_by_month, by_month):
    frame = make_panel(customers=4_000, months=12, base=-2.5)
    tested, before = by_month.slices["test"].rows, by_month.slices.refit.rows
    again = train(with_features(frame, tested, lambda X: X.assign(plan="launched later")), settings_by_month)
    assert again.bundle.vocabularies == by_month.bundle.vocabularies
    assert set(by_month.bundle.vocabularies["plan"]) == {"basic", "family", "business", "data"}
    newest = before[frame.snapshot[before] == frame.snapshot[before].max()]
    learnt = train(with_features(frame, newest, lambda X: X.assign(plan="launched before")), settings_by_month)
    assert "launched before" in learnt.bundle.vocabularies["plan"]


def test_vocabulary_is_the_most_frequent_first_and_capped():
    levels = [f"L{number:03d}" for number in range(300)]
    plan = [level for place, level in enumerate(levels) for _ in range(1 + (place == 7))] + [None] * 50
    vocabulary = learn_vocabularies(pd.DataFrame({"plan": plan}), [("plan", "category"), ("age", "number")])
    assert vocabulary["plan"][:3] == ("L007", "L000", "L001")
    assert len(vocabulary["plan"]) == 255


def test_declared_signs_hold_for_every_customer(by_customer):
    X = by_customer.test_features.head(200)
    worse = by_customer.bundle.raw(X.assign(complaint_count_3m=X["complaint_count_3m"] + 2))
    older = by_customer.bundle.raw(X.assign(tenure_months=X["tenure_months"] + 24))
    raw = by_customer.bundle.raw(X)
    assert (worse >= raw).all()
    assert (worse > raw).any()
    assert (older <= raw).all()
    assert (older < raw).any()


def test_noise_is_not_sold_as_knowledge(make_panel, train):
    frame = make_panel()
    labels = np.random.default_rng(5).permutation(frame.y)
    trained = train(dataclasses.replace(frame, y=labels))
    auc = trained.evaluation.metrics["auc"]
    assert auc.low < 0.5 < auc.high
    base_rate = np.full(len(trained.test), labels.mean())
    assert log_loss(trained.test["y"], trained.test["probability"]) < 1.02 * log_loss(trained.test["y"], base_rate)


def test_too_few_rounds_are_told(make_panel, train, settings):
    trained = train(make_panel(customers=1_500), settings.model_copy(update={"max_rounds": 5}))
    assert any("raise `churn.max_rounds`" in warning for warning in trained.warnings)


@pytest.mark.parametrize(
    ("leavers", "leaves"),
    [(40, 4), (199, 4), (200, 7), (1_999, 7), (2_000, 15), (19_999, 15), (20_000, 31)],
)
def test_trees_grow_with_the_leavers(columns, leavers, leaves):
    assert booster_settings(leavers, 30 * leavers, columns, ChurnConfig())["num_leaves"] == leaves


def test_the_bundle_tells_where_the_model_comes_from(by_month):
    bundle = by_month.bundle
    assert bundle.outcome == {"kinds": ["voluntary", "port_out"], "gap_months": 0, "horizon_months": 1}
    assert bundle.trained["as_of"] == date(2026, 1, 1).isoformat()
    assert bundle.trained["snapshots"] == [f"2024-{month:02d}-01" for month in range(1, 13)]
    assert bundle.trained["slices"]["way"] == "by month"
    assert bundle.trained["slices"]["test"]["leavers"] == by_month.slices["test"].leavers
    assert bundle.versions["lightgbm"] == __import__("lightgbm").__version__
    json.dumps(bundle.trained, allow_nan=False)
