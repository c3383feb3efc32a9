"""An operator of six customers whose tiers and fates can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from custvalue.config import Config, load_config

AS_OF = date(2024, 7, 1)
BILLS = {"A": 200.0, "B": 90.0, "C": 60.0, "D": 30.0, "E": 20.0, "F": 50.0}
POLICY = {
    "name": "by-bill",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["gold", "silver", "basic"],
    "eligibility": {"min_tenure_months": 6},
    "rules": {
        "bill": {
            "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
            "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}},
        }
    },
}
RETENTION = {
    "name": "plain",
    "version": 1,
    "source": "made for these tests",
    "reach": 0.5,
    "save": 0.3,
    "take_up": 0.3,
    "harm": 0.0,
    "offers": {"half_month_off": {"label": {"en": "half a month off", "zh": "减免半个月"}, "cost_months": 0.5}},
    "contact_cost": 1.0,
    "channels": {"gold": "manager", "silver": "manager", "basic": "message", "unrated": "message"},
}


class Heard:
    """A reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.notes: list[str] = []
        self.ended: list[tuple[str, dict[str, Any]]] = []

    def start(self, step: str) -> None:
        self.started.append(step)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def alert(self, text: str) -> None:
        self.notes.append(text)

    def done(self, step: str, text: str, **facts: Any) -> None:
        self.ended.append((step, {"text": text} | facts))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def tables() -> dict[str, pd.DataFrame]:
    """Bills of January to June; F joined in April, E left in March and D leaves in August."""
    joined = dict.fromkeys(BILLS, date(2022, 5, 10)) | {"F": date(2024, 4, 2)}
    months = [date(2024, month, 1) for month in range(1, 7)]
    bills = [(who, month, bill) for who, bill in BILLS.items() for month in months if month >= joined[who].replace(day=1)]
    return {
        "customers": pd.DataFrame([{"customer_id": who, "valid_from": day, "joined_on": day} for who, day in joined.items()]),
        "billing": pd.DataFrame(bills, columns=["customer_id", "month", "revenue"]),
        "departures": pd.DataFrame(
            [("E", date(2024, 3, 9), "voluntary"), ("D", date(2024, 8, 20), "voluntary")], columns=["customer_id", "left_on", "kind"]
        ),
        "complaints": pd.DataFrame(
            [{"complaint_id": "1", "customer_id": "C", "opened_at": pd.Timestamp(2024, 6, 20), "closed_at": pd.NaT}]
        ),
    }


@pytest.fixture
def operator(tmp_path: Path) -> Callable[..., Config]:
    """Write the six customers' tables, with others in their place or beside them, and load a config for them."""

    def make(**other: pd.DataFrame) -> Config:
        (tmp_path / "data").mkdir(exist_ok=True)
        for name, rows in (tables() | other).items():
            rows.to_parquet(tmp_path / "data" / f"{name}.parquet", index=False)
        write(tmp_path / "tiers.yaml", POLICY)
        write(tmp_path / "retention.yaml", RETENTION)
        content = {"sources": {"folder": "data"}, "tier_policy": "tiers.yaml", "retention_policy": "retention.yaml"}
        write(tmp_path / "six.yaml", content | {"features": {"windows": [1, 3]}, "churn": {"gap_months": 1, "horizon_months": 2}})
        return load_config(tmp_path / "six.yaml")

    return make


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
