"""What the record keeps of a model's test rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from custvalue.churn import ModelBundle
from custvalue.churn.calibration import Calibrator
from custvalue.pipeline.judging import learnt_until

TEXT = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nobjective=binary sigmoid:1\nfeature_names=a\n\nend of trees\n"


@pytest.fixture
def bundle():
    return ModelBundle(
        model_text=TEXT,
        columns=(("a", "number"),),
        vocabularies={},
        calibrator=Calibrator("sigmoid", 1.0, 0.0),
        feature_spec_hash="x",
        outcome={},
        trained={"as_of": "2026-01-01", "snapshots": ["2025-01-01", "2025-11-01"]},
        versions={},
    )


def test_a_model_learnt_from_all_parts_but_the_test_slice(bundle):
    slices = {
        "way": "by month",
        "folds": None,
        "train": {"rows": 5, "snapshots": ["2025-01-01", "2025-02-01"]},
        "calibrate": {"rows": 5, "snapshots": ["2025-06-01"]},
        "stop": {"rows": 5, "snapshots": ["2025-04-01"]},
        "test": {"rows": 5, "snapshots": ["2025-09-01"]},
    }
    assert learnt_until(replace(bundle, trained={**bundle.trained, "slices": slices})) == date(2025, 6, 1)
    # a bundle that does not tell its parts may have learnt from every snapshot
    assert learnt_until(bundle) == date(2025, 11, 1)
    assert learnt_until(replace(bundle, trained={"as_of": "2026-01-01"})) == date(2026, 1, 1)
