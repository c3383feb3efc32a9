"""Trap 6: rows split at random across months and customers."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, cross_val_predict

from custvalue.churn import TrainingFrame, split, train_model
from custvalue.churn.splits import add_months
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn

COLUMNS = tuple(FeatureColumn(name=name, en=name, zh=name, unit="count", null="never", reason=name) for name in ("one", "two"))
SETTINGS = ChurnConfig(gap_months=1, horizon_months=2, small_leavers=60, bootstrap=50, max_rounds=200)


@pytest.fixture(scope="module")
def frame():
    """Fingerprints that say who a customer is and nothing about leaving; a leaver's last snapshots are all labelled 1."""
    random = np.random.default_rng(3)
    customers, months = 1_500, 20
    leaves = random.integers(3, 50, customers)
    fingerprint = random.random((customers, 2))
    rows = [
        {
            "customer": f"C{who:05d}",
            "month": month,
            "one": fingerprint[who, 0],
            "two": fingerprint[who, 1],
            "y": int(leaves[who] - 2 <= month),
        }
        for month in range(months)
        for who in range(customers)
        if month < leaves[who]
    ]
    table = pd.DataFrame(rows)
    days = np.array([np.datetime64(f"{2023 + month // 12}-{1 + month % 12:02d}-01") for month in table.month])
    return TrainingFrame(table[["one", "two"]], table.y.to_numpy(np.int8), table.customer.to_numpy(object), days)


def test_it_flatters(frame):
    model = ExtraTreesClassifier(30, min_samples_leaf=1, random_state=0)
    naive = cross_val_predict(model, frame.X, frame.y, cv=KFold(4, shuffle=True, random_state=0), method="predict_proba")[:, 1]
    assert roc_auc_score(frame.y, naive) > 0.7


@pytest.mark.parametrize("snapshots", [20, 1])
def test_slices_share_no_window_or_no_customer(frame, snapshots):
    chosen = frame.take(np.isin(frame.snapshot, np.unique(frame.snapshot)[-snapshots:]))
    slices = split(chosen, SETTINGS)
    if slices.way == "by customer":
        held = [set(chosen.customer[part.rows]) for part in slices.parts]
        assert not held[0] & held[1]
    else:
        days = [chosen.snapshot[part.rows] for part in slices.parts]
        for earlier, later in pairwise(days):
            assert add_months(earlier, 3).max() <= later.min()
    assert slices.way == ("by month" if snapshots == 20 else "by customer")


def test_fingerprints_are_worth_nothing_on_rows_set_aside(frame):
    trained = train_model(frame, COLUMNS, SETTINGS, as_of=date(2025, 1, 1), feature_spec_hash="none")
    assert trained.evaluation.metrics["auc"].low < 0.55
