"""Trap 10: resampling, scaling or target encoding before the split."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from custvalue.churn import TrainingFrame, train_model
from custvalue.churn.leakage import Evidence, find_leaks
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn

SETTINGS = ChurnConfig(gap_months=0, horizon_months=1, bootstrap=50, max_rounds=200)


def feature(name, kind="number"):
    return FeatureColumn(name=name, en=name, zh=name, unit="count", null="never", reason=name, kind=kind)


@pytest.fixture(scope="module")
def noise():
    """Outcomes, a shop with few customers each, and numbers, none of which know anything of the others."""
    random = np.random.default_rng(8)
    n = 4_000
    X = pd.DataFrame({"shop": random.integers(0, 1_000, n).astype(str), "one": random.normal(size=n), "two": random.normal(size=n)})
    customer = np.array([f"C{number}" for number in range(n)], dtype=object)
    return TrainingFrame(X, (random.random(n) < 0.1).astype(np.int8), customer, np.full(n, np.datetime64("2024-01-01")))


def test_target_encoding_before_the_split_flatters_and_is_named(noise):
    rates = pd.Series(noise.y).groupby(noise.X["shop"]).transform("mean")
    _, test = train_test_split(np.arange(len(noise)), random_state=0)
    assert roc_auc_score(noise.y[test], rates[test]) > 0.85
    encoded = TrainingFrame(noise.X.assign(one=rates), noise.y, noise.customer, noise.snapshot)
    evidence = Evidence(encoded, (feature("one"), feature("two")), SETTINGS, date(2024, 3, 1))
    assert [entry.finding.subject for entry in find_leaks(evidence).standing("refused")] == ["one"]


def test_copies_of_leavers_before_the_split_flatter(noise):
    more = np.concatenate([np.arange(len(noise)), np.repeat(np.flatnonzero(noise.y == 1), 8)])
    X, y = noise.X[["one", "two"]].to_numpy()[more], noise.y[more]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = ExtraTreesClassifier(50, random_state=0).fit(X_train, y_train)
    assert roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]) > 0.9


def test_training_learns_nothing_from_the_rows_that_judge_it(noise):
    columns = (feature("shop", "category"), feature("one"), feature("two"))
    trained = train_model(noise, columns, SETTINGS, as_of=date(2024, 3, 1), feature_spec_hash="none")
    assert trained.evaluation.metrics["auc"].low < 0.5 < trained.evaluation.metrics["auc"].high
    assert len(trained.test) == trained.test["customer"].nunique() == round(len(noise) / 4)  # no row twice, none from training
    assert trained.test["probability"].mean() == pytest.approx(noise.y.mean(), abs=0.02)  # and at the rate of the real customers
