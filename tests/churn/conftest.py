"""Synthetic panels whose true probability of leaving is known, and a model trained on each way of splitting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.training import TrainedModel, train_model
from custvalue.config import ChurnConfig, load_config
from custvalue.features.columns import FeatureColumn
from custvalue.sources import SourceTables, open_tables

PLAN_EFFECT = {"basic": 0.5, "family": -0.6, "business": 0.0, "data": 0.2}
AS_OF = date(2026, 1, 1)
ONE_SNAPSHOT = ChurnConfig(gap_months=0, horizon_months=1, bootstrap=60, threads=1, max_rounds=400)
MANY_SNAPSHOTS = ONE_SNAPSHOT.model_copy(update={"small_leavers": 120})


def feature(name: str, kind: str = "number", sign: int = 0) -> FeatureColumn:
    words = name.replace("_", " ")
    return FeatureColumn(name=name, en=words, zh=words, unit="count", null="unknown", reason=name, sign=sign, kind=kind)


COLUMNS = (
    feature("revenue_drop_3m"),
    feature("tenure_months", sign=-1),
    feature("complaint_count_3m", sign=1),
    feature("noise"),
    feature("plan", kind="category"),
)


def panel(*, customers: int = 3_000, months: int = 1, base: float = -2.0, seed: int = 0) -> TrainingFrame:
    """Customers seen on each first of the month from 2024-01-01; whoever left is in no later snapshot."""
    random = np.random.default_rng(seed)
    stays = np.ones(customers, dtype=bool)
    tenure = random.exponential(30, customers)
    plan = np.array(list(PLAN_EFFECT), dtype=object)[random.integers(len(PLAN_EFFECT), size=customers)]
    parts = []
    for month in range(months):
        drop = random.normal(0, 0.4, customers)
        complaints = random.poisson(0.3, customers).astype(float)
        risk = base + 2.0 * drop - 0.3 * np.log1p(tenure + month) + 0.7 * complaints + [PLAN_EFFECT[p] for p in plan]
        truth = 1 / (1 + np.exp(-risk))
        left = random.random(customers) < truth
        part = pd.DataFrame(
            {
                "revenue_drop_3m": np.where(random.random(customers) < 0.05, np.nan, drop),
                "tenure_months": np.floor(tenure + month),
                "complaint_count_3m": complaints,
                "noise": random.normal(size=customers),
                "plan": np.where(random.random(customers) < 0.05, None, plan),
                "truth": truth,
                "left": left,
                "customer": [f"C{number:05d}" for number in range(customers)],
                "snapshot": np.datetime64(f"{2024 + month // 12}-{month % 12 + 1:02d}-01"),
            }
        )
        parts.append(part[stays])
        stays &= ~left
    rows = pd.concat(parts, ignore_index=True)
    return TrainingFrame(
        X=rows[[column.name for column in COLUMNS] + ["truth"]],
        y=rows["left"].to_numpy(dtype=np.int8),
        customer=rows["customer"].to_numpy(dtype=object),
        snapshot=rows["snapshot"].to_numpy(dtype="datetime64[D]"),
        dropped={"left inside the gap": 3},
    )


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., TrainingFrame]:
    return panel


@pytest.fixture(scope="session")
def columns() -> tuple[FeatureColumn, ...]:
    return COLUMNS


@pytest.fixture(scope="session")
def train() -> Callable[..., TrainedModel]:
    """Train on a panel as the pipeline does, with anything of it changed."""

    def train(frame: TrainingFrame, settings: ChurnConfig = ONE_SNAPSHOT, **changed: object) -> TrainedModel:
        told = {"columns": COLUMNS, "as_of": AS_OF, "feature_spec_hash": "spec-1"} | changed
        return train_model(frame, told.pop("columns"), settings, **told)

    return train


@pytest.fixture(scope="session")
def settings() -> ChurnConfig:
    return ONE_SNAPSHOT


@pytest.fixture(scope="session")
def settings_by_month() -> ChurnConfig:
    return MANY_SNAPSHOTS


@pytest.fixture(scope="session")
def by_customer(train: Callable[..., TrainedModel]) -> TrainedModel:
    """One snapshot, about 370 leavers of 3,000."""
    return train(panel())


@pytest.fixture(scope="session")
def by_month(train: Callable[..., TrainedModel]) -> TrainedModel:
    """Twelve snapshots, about 4,000 customers at the first."""
    return train(panel(customers=4_000, months=12, base=-2.5), MANY_SNAPSHOTS)


DEPARTURES = pa.schema({"customer_id": pa.string(), "left_on": pa.date32(), "kind": pa.string(), "available_at": pa.timestamp("us")})


def months(first, last):
    return [period.to_timestamp().date() for period in pd.period_range(first, last, freq="M")]


def opened(folder, ids, departures=(), *, customers=(), bills=("2021-07", "2022-05"), delay_days=None, time_zone="UTC", **tables):
    since = date(2020, 1, 1)
    people = [{"customer_id": i, "valid_from": since, "joined_on": since, "plan": "S"} for i in ids] + list(customers)
    billing = [{"customer_id": i, "month": month, "revenue": 10.0 + month.month} for i in ids for month in months(*bills)]
    rows = {"customers": people, "billing": billing} | tables
    written = {name: pa.Table.from_pylist(rows) for name, rows in rows.items()}
    written["departures"] = pa.Table.from_pylist(list(departures), schema=DEPARTURES)
    for name, table in written.items():
        pq.write_table(table, folder / f"{name}.parquet")
    settings = {"sources": {"folder": ".", "delay_days": delay_days or {}}, "time_zone": time_zone}
    (folder / "operator.yaml").write_text(yaml.safe_dump(settings | {"tier_policy": "t", "retention_policy": "r"}))
    return open_tables(load_config(folder / "operator.yaml"))


@pytest.fixture(scope="session")
def open_folder_of() -> Callable[..., SourceTables]:
    """Open tables, written to a folder, of customers in service since 2020 with a bill a month, and some departures."""
    return opened


@pytest.fixture
def open_folder(tmp_path) -> Callable[..., SourceTables]:
    """As `open_folder_of`, in a folder of the test's own."""
    return partial(opened, tmp_path)
