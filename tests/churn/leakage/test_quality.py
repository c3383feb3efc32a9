"""A model that is too good, although no column alone is."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn import TrainingFrame, train_model
from custvalue.churn.leakage import Evidence, guard
from custvalue.config import ChurnConfig
from custvalue.errors import ModelError
from custvalue.features import FeatureColumn

NAMES = ("one", "two", "three", "four")
COLUMNS = tuple(FeatureColumn(name=name, en=name, zh=name, unit="count", null="never", reason=name) for name in NAMES)
AS_OF = date(2024, 6, 1)


def evidence(strength, *, rows=3_000, allow=None):
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(rows, len(NAMES))), columns=list(NAMES))
    y = (random.random(rows) < 1 / (1 + np.exp(1.5 * strength - strength * X.sum(axis=1).to_numpy()))).astype(np.int8)
    customer = np.array([f"C{number:05d}" for number in range(rows)], dtype=object)
    churn = ChurnConfig(gap_months=0, horizon_months=1, bootstrap=100, max_rounds=300, leakage={"allow": allow or {}})
    frame = TrainingFrame(X, y, customer, np.full(rows, np.datetime64("2024-01-01")))
    model = train_model(frame, COLUMNS, churn, as_of=AS_OF, feature_spec_hash="none")
    return Evidence(frame, COLUMNS, churn, AS_OF), Evidence(frame, COLUMNS, churn, AS_OF, model=model)


def test_it_is_refused_although_no_column_alone_is():
    before, after = evidence(4.0)
    report = guard(before, log=lambda _: None)
    assert report.reported == ()
    with pytest.raises(ModelError, match=r"quality: auc: AUC 0\.9\d\d .* Look for the leak first"):
        guard(after, log=lambda _: None, before=report)


def test_flat_data_without_a_gap_may_be_that_good_with_a_reason():
    before, after = evidence(4.0, allow={"quality": "the outcome is measured in the same quarter"})
    heard = []
    report = guard(after, log=heard.append, before=guard(before, log=lambda _: None))
    assert list(report.checks)[-1] == "quality"
    assert any("Allowed: the outcome is measured in the same quarter" in line for line in heard)


def test_an_ordinary_model_passes_without_a_word():
    before, after = evidence(0.6)
    heard = []
    report = guard(after, log=heard.append, before=guard(before, log=lambda _: None))
    assert heard == []
    assert report.reported == ()
