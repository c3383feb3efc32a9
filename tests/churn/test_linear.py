"""A logistic regression as trees: what scikit-learn gives on the same columns, in steps."""

import re

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from custvalue import ChurnClassifier
from custvalue.churn.linear import as_trees, fit_linear

SETTINGS = {"objective": "binary", "metric": "binary_logloss", "feature_pre_filter": False, "verbosity": -1, "deterministic": True}
ROWS = 2_000


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(3)
    matrix = random.uniform(-1, 1, (ROWS, 4))
    matrix[:, 3] = random.integers(0, 5, ROWS)
    effect = np.array([0.8, -0.5, 0.0, 0.4, -0.7])[matrix[:, 3].astype(int)]
    y = random.random(ROWS) < 1 / (1 + np.exp(1 - 2 * matrix[:, 0] + matrix[:, 1] - effect))
    matrix[random.random(ROWS) < 0.2, 1] = np.nan
    return matrix, y.astype(float)


def dataset(matrix, y, categories=(3,), **settings):
    return lightgbm.Dataset(matrix, label=y, categorical_feature=list(categories), params=SETTINGS | settings).construct()


def drawn(matrix, y, strength=1.0, categories=(3,), **settings):
    model = fit_linear(matrix, y, categories)[strength]
    return model, as_trees(model, matrix, dataset(matrix, y, categories, **settings), SETTINGS | settings)


def predicted(text, matrix):
    return lightgbm.Booster(model_str=text).predict(matrix, raw_score=True)


def test_log_odds_are_those_of_a_regression_on_the_same_columns(sample):
    matrix, y = sample
    frame = pd.DataFrame(matrix, columns=["a", "b", "c", "level"])
    number = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    peer = make_pipeline(make_column_transformer((number, ["a", "b", "c"]), (OneHotEncoder(), ["level"])), LogisticRegression(C=1.0)).fit(
        frame, y
    )
    found = fit_linear(matrix, y, [3])[1.0].log_odds(matrix)
    assert np.corrcoef(found, peer.decision_function(frame))[0, 1] > 0.999
    assert np.mean(found) == pytest.approx(np.mean(peer.decision_function(frame)), abs=0.02)


def test_trees_follow_the_line_and_each_asks_one_column(sample):
    matrix, y = sample
    model, text = drawn(matrix, y)
    line, steps = model.log_odds(matrix), predicted(text, matrix)
    assert np.std(steps - line) < 0.05 * np.std(line)
    assert np.mean(steps) == pytest.approx(np.mean(line), abs=1e-6)
    columns = [set(splits.split()) for splits in re.findall(r"split_feature=(.*)", text)]
    assert all(len(places) == 1 for places in columns)
    assert len(set.union(*columns)) == len(columns)


def test_a_stronger_ridge_spreads_the_log_odds_less(sample):
    spreads = [np.std(model.log_odds(sample[0])) for model in fit_linear(*sample, [3]).values()]
    assert spreads == sorted(spreads)


def test_a_number_beyond_the_usual_ones_counts_as_the_last_usual_one(sample):
    matrix, y = sample
    far = matrix.copy()
    far[0, 0] = 1e9
    calm, wild = (fit_linear(each, y, [3])[1.0] for each in (matrix, far))
    np.testing.assert_allclose(wild.log_odds(matrix), calm.log_odds(matrix), atol=0.05)


def test_declared_signs_hold(sample):
    falling = np.zeros((50, 4))
    falling[:, 1] = np.linspace(-1, 1, 50)
    free, rising = (predicted(drawn(*sample, **signs)[1], falling) for signs in ({}, {"monotone_constraints": [1, 1, 0, 0]}))
    assert free[-1] < free[0] - 0.5
    assert (np.diff(rising) >= 0).all()


def test_where_no_column_varies_the_share_of_leavers_is_all_there_is():
    matrix, y = np.full((200, 2), 7.0), np.repeat([0.0, 0.0, 0.0, 1.0], 50)
    matrix[:, 1] = np.nan
    _, text = drawn(matrix, y, categories=())
    np.testing.assert_allclose(predicted(text, matrix), np.log(1 / 3), atol=1e-3)


@pytest.mark.parametrize("rows", [300, 1_000])
def test_few_rows_of_a_linear_truth_are_fitted_about_as_well_as_by_a_regression(rows):
    ours, peers, stumps = [], [], []
    for seed in range(4):
        random = np.random.default_rng(seed)
        X = random.normal(size=(rows + 4_000, 12))
        y = (random.random(len(X)) < 1 / (1 + np.exp(1.8 - X @ random.normal(0, 0.5, 12)))).astype(int)
        frame, later, answer = pd.DataFrame(X[:rows]).add_prefix("x"), pd.DataFrame(X[rows:]).add_prefix("x"), y[rows:]
        model = ChurnClassifier(random_state=seed).fit(frame, y[:rows])
        ours.append(log_loss(answer, model.predict_proba(later)[:, 1]))
        peer = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y[:rows])
        peers.append(log_loss(answer, peer.predict_proba(later)[:, 1]))
        additive = lightgbm.LGBMClassifier(n_estimators=200, num_leaves=2, learning_rate=0.1, verbosity=-1).fit(frame, y[:rows])
        stumps.append(log_loss(answer, additive.predict_proba(later)[:, 1]))
    assert np.mean(ours) < np.mean(peers) + 0.01
    assert np.mean(ours) < np.mean(stumps)
