"""Twelve months of a customer as the night knew them, and the tiers that were held: against what was put in by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from custvalue.config import load_config, ready_configs
from custvalue.pipeline.ratings import Rated, rating_store
from custvalue.pipeline.trends import customer_trends, tier_stretches
from custvalue.sources.frames import open_frames
from custvalue.tiers import RatingManifest, TierPolicy
from custvalue.tiers.rating import SCHEMA, as_rating, digest

AS_OF = date(2026, 1, 5)
TOLD = {"policy_version": "consumer-v1"}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "operator.yaml"
    path.write_text("sources: {folder: data}\ntier_policy: t.yaml\nretention_policy: r.yaml\ntime_zone: Asia/Shanghai\n", encoding="utf-8")
    return load_config(path)


@pytest.fixture
def tables(config):
    months = pd.date_range("2024-11-01", "2026-01-01", freq="MS")
    bills = pd.DataFrame({"customer_id": "a", "month": months, "revenue": [float(place) for place in range(len(months))]})
    late = pd.DataFrame({"customer_id": ["b"], "month": [pd.Timestamp(2025, 12, 1)], "revenue": [7.0]})
    bills = pd.concat([bills[bills.month != pd.Timestamp(2025, 6, 1)], late]).assign(
        available_at=lambda rows: rows.month + pd.DateOffset(months=1)
    )
    bills.loc[bills.customer_id == "b", "available_at"] = pd.Timestamp(2026, 1, 20)  # known only later
    return open_frames(
        {
            "customers": pd.DataFrame(
                {"customer_id": ["a", "b"], "valid_from": pd.Timestamp(2020, 1, 1), "joined_on": pd.Timestamp(2020, 1, 1).date()}
            ).assign(available_at=pd.Timestamp(2020, 1, 2)),
            "billing": bills,
            "departures": pa.table(
                {
                    "customer_id": pa.array([], pa.string()),
                    "left_on": pa.array([], pa.date32()),
                    "kind": pa.array([], pa.string()),
                    "available_at": pa.array([], pa.timestamp("us")),
                }
            ),
            "complaints": pd.DataFrame(
                {
                    "complaint_id": ["1", "2", "3", "4"],
                    "customer_id": ["a", "a", "a", "b"],
                    "opened_at": pd.to_datetime(["2025-12-02 00:00", "2025-12-20 00:00", "2025-12-31 16:00", "2025-02-28 16:00"]),
                    "category": "bill",
                }
            ).assign(available_at=lambda rows: rows.opened_at),
        },
        config,
    )


def test_the_twelve_whole_months_before_the_night_are_given_as_they_were_known(tables):
    found = customer_trends(tables, ["b", "a"], AS_OF)
    assert list(found.index) == ["b", "a"]
    assert found.trend_months["a"][0] == "2025-01-01"
    assert found.trend_months["a"][-1] == "2025-12-01"
    assert found.trend_bill["a"] == [2, 3, 4, 5, 6, None, 8, 9, 10, 11, 12, 13]  # nothing was billed in June
    assert found.trend_bill["b"] == [None] * 12
    assert found.trend_complaints["a"] == [0] * 11 + [2]  # the third was made in January
    assert found.trend_complaints["b"] == [0, 0, 1] + [0] * 9  # the first of March in Shanghai
    assert "trend_data_mb" not in found


def test_nobody_gives_no_rows(tables):
    assert customer_trends(tables, [], AS_OF).empty


def rating(day, **tiers):
    """One day's rating: customer → tier."""
    known = {"customer_id": list(tiers), "tier": list(tiers.values())} | {name: [text] * len(tiers) for name, text in TOLD.items()}
    known["reason_code"] = [f"on {day}"] * len(tiers)
    fields = [field for field in SCHEMA if field.name != "rated_on"]
    return as_rating(pa.table({field.name: pa.array(known.get(field.name, [None] * len(tiers)), field.type) for field in fields}), day)


def test_tiers_are_told_by_stretches_from_the_kept_ratings_and_the_night_s_own(config, tables):
    policy = TierPolicy.from_yaml(ready_configs() / "tiers" / "consumer.yaml")
    store, days = rating_store(config, policy), [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)]
    held = [rating(days[0], a="gold", b="silver"), rating(days[1], a="gold", b="silver"), rating(days[2], a="diamond", b="silver")]
    for day, table in zip(days[:2], held[:2], strict=True):
        store.write(day, table, manifest_of(day, table))
    rated = Rated(policy, manifest_of(days[2], held[2]), held[2], kept=False)
    found = tier_stretches(config, tables, rated, ["b", "a", "c"])
    assert found["a"] == [
        {"tier": "diamond", "since": "2025-12-01", "reason": "on 2025-12-01"},
        {"tier": "gold", "since": "2025-10-01", "reason": "on 2025-10-01"},
    ]
    assert found["b"] == [{"tier": "silver", "since": "2025-10-01", "reason": "on 2025-10-01"}]
    assert found["c"] == []


def manifest_of(day, table):
    return RatingManifest(day, "consumer-v1", "policy", "inputs", rows=table.num_rows, digest=digest(table))
