"""An honest operator of 2,000 customers, small enough to plant one trap at a time into its tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from custvalue.churn import training_frame
from custvalue.churn.leakage import CHECKS, Evidence, LeakageReport
from custvalue.config import ChurnConfig, FeaturesConfig, load_config
from custvalue.sources import SourceTables, open_tables

CUSTOMERS, MONTHS, FIRST = 2_000, 16, pd.Period("2023-01", freq="M")
AS_OF = date(2024, 5, 1)
Tables = dict[str, pd.DataFrame]
Allowed = tuple[tuple[str, str], ...]


def honest_tables(seed: int = 5) -> Tables:
    """Some customers enter an intent to leave each month: they use half, and seven in ten leave two or three months later.

    The bill of the month of leaving covers the days until then.
    """
    random = np.random.default_rng(seed)
    ids = np.array([f"C{number:05d}" for number in range(CUSTOMERS)])
    intent = np.full(CUSTOMERS, 99)
    for month in range(MONTHS):
        intent[(intent == 99) & (random.random(CUSTOMERS) < 0.05)] = month
    leaves = (intent < 99) & (random.random(CUSTOMERS) < 0.7)
    left_month = np.where(leaves, intent + random.integers(2, 4, CUSTOMERS), 99)
    left_day = random.integers(2, 28, CUSTOMERS)
    level = random.lognormal(3.6, 0.5, CUSTOMERS)
    rows = []
    for month in range(MONTHS):
        here = left_month >= month
        part = np.where(left_month == month, left_day / 30, 1.0)
        weak = (intent <= month) & (month < intent + 4)
        use = np.exp(random.normal(0, 0.25, CUSTOMERS)) * np.where(weak, 0.5, 1.0) * part
        bill = level * np.exp(random.normal(0, 0.1, CUSTOMERS)) * np.where(weak, 0.8, 1.0) * part
        first = (FIRST + month).to_timestamp().date()
        rows.append(
            pd.DataFrame({"customer_id": ids, "month": first, "revenue": bill.round(2), "data_mb": (use * level * 100).round(1)})[here]
        )
    monthly = pd.concat(rows, ignore_index=True)
    gone = np.flatnonzero(left_month < MONTHS)
    left_on = [((FIRST + int(left_month[place])).to_timestamp() + pd.Timedelta(days=int(left_day[place]) - 1)).date() for place in gone]
    joined = [date(2021 + int(number), 1 + int(number * 7) % 12, 1) for number in random.integers(0, 2, CUSTOMERS)]
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": ids, "valid_from": joined, "joined_on": joined,
                "plan": random.choice(["small", "middle", "large"], CUSTOMERS), "manager_id": random.choice(["M1", "M2", "M3"], CUSTOMERS),
            }
        ),
        "billing": monthly[["customer_id", "month", "revenue"]],
        "usage": monthly[["customer_id", "month", "data_mb"]].assign(voice_minutes=lambda t: (t.data_mb / 20).round(1)),
        "departures": pd.DataFrame({"customer_id": ids[gone], "left_on": left_on, "kind": "voluntary"}),
    }  # fmt: skip


@pytest.fixture(scope="session")
def honest() -> Tables:
    """Tables without a trap. Never change them in place."""
    return honest_tables()


@pytest.fixture(scope="session")
def gather(honest: Tables, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Evidence]:
    """Give what the leakage checks look at, for tables with a trap in them; never change it in place."""
    made: dict[str, Evidence] = {}

    def gathered(
        tables: Tables, *, as_of: date = AS_OF, windows: tuple[int, ...] = (1, 3), allow: Allowed = (), **churn: object
    ) -> Evidence:
        key = f"{as_of} {windows} {churn}"
        if tables is honest and key in made:
            return made[key]
        settings = ChurnConfig.model_validate({"gap_months": 1, "horizon_months": 2, "snapshots": 1, "bootstrap": 50, **churn})
        features = FeaturesConfig(windows=windows)
        held = opened(tables, tmp_path_factory.mktemp("tables"), allow)
        frame, columns = training_frame(held, as_of, settings, features)[:2]
        evidence = Evidence(frame, columns, settings, as_of, held, features)
        if tables is honest:
            made[key] = evidence
        return evidence

    return gathered


def opened(tables: Tables, folder: Path, allow: Allowed = ()) -> SourceTables:
    """Write tables and open them as every run does, contract checks included; some may be allowed to fail: (table, check)."""
    for name, rows in tables.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)
    config = folder / "operator.yaml"
    checks = {table: {"allow": {check: "planted by this test"}} for table, check in allow}
    sources = {"folder": ".", "checks": {"tables": checks}}
    config.write_text(yaml.safe_dump({"sources": sources, "tier_policy": "t", "retention_policy": "r"}))
    return open_tables(load_config(config))


def refused(report: LeakageReport) -> set[str]:
    """What the report refuses, by name."""
    return {entry.finding.subject for entry in report.standing("refused")}


def told(evidence: Evidence, check: str) -> dict[str, str]:
    """What one check says: subject → what was seen."""
    return {finding.subject: finding.seen for finding in CHECKS[check].find(evidence)}
