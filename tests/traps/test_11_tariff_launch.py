"""Trap 11: a tariff launch in mid-history makes the past a poor guide."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, cross_val_predict

from custvalue.churn import TrainingFrame, train_model
from custvalue.churn.leakage import Evidence, find_leaks
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn

SETTINGS = ChurnConfig(gap_months=0, horizon_months=1, small_leavers=60, bootstrap=50, max_rounds=300)
COLUMNS = tuple(
    FeatureColumn(name=name, en=name, zh=name, unit="count", null="never", reason=name, kind=kind)
    for name, kind in (("usage", "number"), ("plan", "category"))
)
LAUNCH = 13


@pytest.fixture(scope="module")
def frame():
    """Heavy users leave, until an unlimited plan takes a third of the base: then light ones do."""
    random = np.random.default_rng(2)
    parts = []
    for month in range(16):
        n = 2_000
        usage = random.normal(size=n)
        launched = month >= LAUNCH
        plan = np.where(random.random(n) < (0.35 if launched else 0.0), "unlimited", "classic")
        slope = -1.5 if launched else 1.5
        y = random.random(n) < 1 / (1 + np.exp(3.0 - slope * usage))
        day = np.datetime64(f"{2023 + month // 12}-{1 + month % 12:02d}-01")
        parts.append(pd.DataFrame({"usage": usage, "plan": plan, "y": y, "day": day, "customer": [f"{month}-{who}" for who in range(n)]}))
    rows = pd.concat(parts, ignore_index=True)
    days = rows.day.to_numpy("datetime64[D]")
    return TrainingFrame(rows[["usage", "plan"]], rows.y.to_numpy(np.int8), rows.customer.to_numpy(object), days)


def test_a_random_split_does_not_see_it(frame):
    X = frame.X.assign(plan=frame.X["plan"] == "unlimited")
    folds = KFold(4, shuffle=True, random_state=0)
    naive = cross_val_predict(HistGradientBoostingClassifier(max_iter=50), X, frame.y, cv=folds, method="predict_proba")[:, 1]
    assert roc_auc_score(frame.y, naive) > 0.7


def test_quality_is_that_of_the_months_after_it(frame):
    trained = train_model(frame, COLUMNS, SETTINGS, as_of=date(2024, 6, 1), feature_spec_hash="none")
    assert trained.slices.way == "by month"
    assert trained.slices["test"].snapshots[0] >= date(2024, 2, 1)
    assert trained.evaluation.metrics["auc"].high < 0.5


def test_the_new_plan_is_named(frame):
    report = find_leaks(Evidence(frame, COLUMNS, SETTINGS, date(2024, 6, 1)))
    seen = {entry.finding.subject: entry.finding.seen for entry in report.standing("noted")}
    assert "'unlimited', first seen at 2024-02-01" in seen["plan"]
    before = frame.take(frame.snapshot < np.datetime64("2024-02-01"))
    assert find_leaks(Evidence(before, COLUMNS, SETTINGS, date(2024, 6, 1))).reported == ()
