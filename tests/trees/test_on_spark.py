"""The same kernel inside Spark's executors, over Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.trees import prepare_shap

from .boosters import by_lightgbm, rows_like, train

pytestmark = pytest.mark.long


def test_values_inside_map_in_arrow(spark: Any, tmp_path: Path) -> None:
    X = rows_like(3, 300, 21)
    booster = train(X, 10, 8, 21)
    prepared = prepare_shap(booster)
    names = list(prepared.columns)
    table = pa.table({"customer": np.arange(len(X)), **{name: X[:, place] for place, name in enumerate(names)}})
    for part in range(2):
        pq.write_table(table.slice(150 * part, 150), tmp_path / f"part-{part}.parquet")

    def explain(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            values = prepared.values(batch.select(names).to_pandas())
            yield pa.RecordBatch.from_arrays([batch.column(0), *map(pa.array, values.T)], ["customer", *names, "expected"])

    schema = "customer long, " + ", ".join(f"{name} double" for name in [*names, "expected"])
    session = spark._session
    rows = session.read.parquet(str(tmp_path)).mapInArrow(explain, schema).collect()
    found = np.array(sorted(tuple(row) for row in rows))
    np.testing.assert_array_equal(found[:, 0], np.arange(len(X)))
    np.testing.assert_allclose(found[:, 1:], by_lightgbm(booster, X), rtol=1e-9, atol=1e-9)
