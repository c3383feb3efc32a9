"""Synthetic panels whose true probability of leaving is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from custvalue.churn.frame import TrainingFrame
from custvalue.features.columns import FeatureColumn

PLANS = np.array(["basic", "family", "business", "data"], dtype=object)
PLAN_EFFECT = {"basic": 0.5, "family": -0.6, "business": 0.0, "data": 0.2}


def feature(name: str, kind: str = "number", sign: int = 0) -> FeatureColumn:
    return FeatureColumn(
        name=name, en=name, zh=name, unit="category" if kind == "category" else "count", null="unknown", reason=name,
        sign=sign, kind=kind,
    )  # fmt: skip


COLUMNS = (
    feature("revenue_drop_3m"),
    feature("tenure_months", sign=-1),
    feature("complaint_count_3m", sign=1),
    feature("noise"),
    feature("plan", kind="category"),
)


@pytest.fixture
def columns() -> tuple[FeatureColumn, ...]:
    return COLUMNS


@pytest.fixture
def make_panel() -> Callable[..., TrainingFrame]:
    """Customers seen on each first of the month; whoever leaves is in no later snapshot."""
    return panel


def panel(*, customers: int = 2_000, months: int = 1, base: float = -2.5, seed: int = 0) -> TrainingFrame:
    random = np.random.default_rng(seed)
    stays = np.ones(customers, dtype=bool)
    tenure = random.exponential(30, customers)
    plan = PLANS[random.integers(len(PLANS), size=customers)]
    parts = []
    for month in range(months):
        drop = random.normal(0, 0.4, customers)
        complaints = random.poisson(0.3, customers).astype(float)
        effect = np.array([PLAN_EFFECT[name] for name in plan])
        risk = base + 2.0 * drop - 0.3 * np.log1p(tenure + month) + 0.7 * complaints + effect
        left = random.random(customers) < 1 / (1 + np.exp(-risk))
        X = pd.DataFrame(
            {
                "revenue_drop_3m": np.where(random.random(customers) < 0.05, np.nan, drop),
                "tenure_months": np.floor(tenure + month),
                "complaint_count_3m": complaints,
                "noise": random.normal(size=customers),
                "plan": pd.Series(np.where(random.random(customers) < 0.05, None, plan), dtype=object),
            }
        )
        day = np.datetime64("2024-01", "M") + np.timedelta64(month, "M")
        parts.append((X, left, np.arange(customers), np.full(customers, day.astype("datetime64[D]")), stays.copy()))
        stays &= ~left
    kept = np.concatenate([part[4] for part in parts])
    frame = TrainingFrame(
        X=pd.concat([part[0] for part in parts], ignore_index=True),
        y=np.concatenate([part[1] for part in parts]).astype(np.int8),
        customer=np.array([f"C{number:05d}" for part in parts for number in part[2]], dtype=object),
        snapshot=np.concatenate([part[3] for part in parts]),
        dropped={"left inside the gap": 3},
    )
    return frame.take(kept)
