"""Columns that only some snapshots have."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.churn import TrainingFrame
from custvalue.churn.leakage import CHECKS, Evidence
from custvalue.config import ChurnConfig
from custvalue.features import FeatureColumn

DAYS = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[D]")


def found(filled, rows=200):
    """Findings about a column filled to these shares in three snapshots."""
    random = np.random.default_rng(0)
    values = np.concatenate([np.where(random.random(rows) < share, 1.0, np.nan) for share in filled])
    n = values.size
    customer = np.array([f"C{number}" for number in range(n)], dtype=object)
    frame = TrainingFrame(pd.DataFrame({"score": values}), (np.arange(n) % 10 == 0).astype(np.int8), customer, np.repeat(DAYS, rows))
    column = FeatureColumn(name="score", en="s", zh="s", unit="count", null="never", reason="score")
    return list(CHECKS["availability"].find(Evidence(frame, (column,), ChurnConfig(), date(2024, 9, 1))))


def test_a_feed_that_stopped_is_refused():
    (finding,) = found([0.9, 0.9, 0.0])
    assert finding.subject == "score"
    assert finding.refuses
    assert "empty in 1 of 3 snapshots (2024-03-01)" in finding.seen


def test_a_feed_that_began_is_told():
    (finding,) = found([0.0, 0.9, 0.9])
    assert not finding.refuses


@pytest.mark.parametrize("filled", [[0.9, 0.9, 0.9], [0.0, 0.0, 0.0], [0.5, 0.1, 0.9]])
def test_a_column_that_every_snapshot_has_or_none_is_fine(filled):
    assert found(filled) == []


def test_a_rare_column_may_be_empty_by_chance():
    assert found([0.02, 0.02, 0.0]) == []
    assert found([0.2, 0.2, 0.0])


def test_columns_with_the_same_gap_are_told_together():
    frame_columns = ("one", "two", "three")
    X = pd.DataFrame({name: np.repeat([1.0, 1.0, np.nan], 200) for name in frame_columns})
    customer = np.array([f"C{number}" for number in range(600)], dtype=object)
    frame = TrainingFrame(X, (np.arange(600) % 10 == 0).astype(np.int8), customer, np.repeat(DAYS, 200))
    column = FeatureColumn(name="one", en="s", zh="s", unit="count", null="never", reason="score")
    columns = tuple(replace(column, name=name) for name in frame_columns)
    (finding,) = CHECKS["availability"].find(Evidence(frame, columns, ChurnConfig(), date(2024, 9, 1)))
    assert "So are 2 more: two, three." in finding.seen
