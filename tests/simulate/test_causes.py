"""Intent makes symptoms, symptoms precede exit, and who knows the intent ranks better than chance."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

Tables = dict[str, pd.DataFrame]


def leaves_between(tables: Tables, frame: pd.DataFrame, *, after: int, until: int) -> pd.Series:
    """Whether the customer left by own will, so many months after the row's month is over."""
    willing = tables["departures"][tables["departures"]["kind"] != "non_payment"]
    left_on = frame["customer_id"].map(willing.set_index("customer_id")["left_on"])
    as_of = frame["month"] + pd.offsets.MonthBegin(1)
    return (left_on > as_of + pd.DateOffset(months=after)) & (left_on <= as_of + pd.DateOffset(months=until))


def fall(tables: Tables, table: str, column: str) -> pd.DataFrame:
    """Fall of two whole months' mean against the customer's own four months before, and who left in the month after these."""
    wide = tables[table].pivot_table(index="customer_id", columns="month", values=column)
    parts = []
    for month in pd.date_range("2024-07-01", "2025-05-01", freq="MS"):
        recent = wide[[month - pd.DateOffset(months=1), month]]
        earlier = wide[[month - pd.DateOffset(months=back) for back in range(2, 6)]]
        change = (1 - recent.mean(axis=1) / earlier.mean(axis=1))[recent.notna().all(axis=1) & earlier.notna().all(axis=1)]
        parts.append(change.rename("fall").reset_index().assign(month=month))
    rows = pd.concat(parts)
    left_on = rows["customer_id"].map(tables["departures"].set_index("customer_id")["left_on"])
    rows = rows[~(left_on <= rows["month"] + pd.offsets.MonthBegin(1))]
    return rows.assign(leaves=leaves_between(tables, rows, after=0, until=1))


@pytest.mark.parametrize(
    ("table", "column", "least"),
    [("usage", "data_mb", 0.1), ("usage", "voice_minutes", 0.1), ("billing", "revenue", 0.03), ("usage", "active_days", 0.04)],
)
def test_use_of_leavers_falls_before_they_leave(tables: Tables, table: str, column: str, least: float) -> None:
    rows = fall(tables, table, column)
    assert rows["leaves"].sum() > 300
    median = rows.groupby("leaves")["fall"].median()
    assert median[True] - median[False] > least
    assert roc_auc_score(rows["leaves"], rows["fall"].fillna(0)) > 0.55


def test_symptoms_grow_step_by_step(tables: Tables) -> None:
    states = tables["states"]
    strength = states[states["intent"]].groupby("intent_months")["symptom"].mean()
    assert strength[1] < strength[2] < strength[3]
    assert strength[1] > 0.3
    calm = states[~states["intent"]]["symptom"]
    assert calm.mean() < 0.1


def test_intent_raises_complaints(tables: Tables) -> None:
    complaints = tables["complaints"].drop_duplicates("complaint_id")
    counts = complaints.assign(month=complaints["opened_at"].dt.to_period("M").dt.to_timestamp())
    counts = counts.groupby(["customer_id", "month"]).size().rename("complaints").reset_index()
    states = tables["states"].merge(counts, how="left").fillna({"complaints": 0})
    mean = states.groupby("intent")["complaints"].mean()
    assert mean[True] > 1.4 * mean[False]


def test_the_oracle_ranks_far_better_than_chance_and_is_calibrated(tables: Tables) -> None:
    states = tables["states"]
    states = states[states["month"] <= pd.Timestamp("2025-03-01")]
    gone = leaves_between(tables, states, after=0, until=1)
    there = states[~gone]
    leaves = leaves_between(tables, there, after=1, until=2)
    auc = roc_auc_score(leaves, there["leaving_gap1_horizon1"])
    assert 0.76 <= auc <= 0.86
    assert there["leaving_gap1_horizon1"].mean() == pytest.approx(leaves.mean(), rel=0.12)
    both = leaves_between(tables, there, after=1, until=3)
    assert there["leaving_gap1_horizon2"].mean() == pytest.approx(both.mean(), rel=0.12)


def test_the_oracle_beats_every_observed_symptom(tables: Tables) -> None:
    rows = fall(tables, "usage", "data_mb").merge(tables["states"], on=["customer_id", "month"])
    observed = roc_auc_score(rows["leaves"], rows["fall"])
    assert roc_auc_score(rows["leaves"], rows["leaving_gap0_horizon1"]) > observed + 0.1


def test_contracts_hold_customers_and_short_tenure_loses_them(tables: Tables) -> None:
    people = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")
    rows = tables["states"][["customer_id", "month"]].copy()
    rows["leaves"] = leaves_between(tables, rows, after=0, until=1)
    as_of = rows["month"] + pd.offsets.MonthBegin(1)
    bound = tables["contracts"].query("kind == 'contract'").merge(rows, on="customer_id")
    bound = bound[(bound["starts_on"] <= bound["month"]) & (bound["ends_on"] > bound["month"] + pd.DateOffset(months=3))]
    held = pd.MultiIndex.from_frame(rows[["customer_id", "month"]]).isin(pd.MultiIndex.from_frame(bound[["customer_id", "month"]]))
    assert rows.loc[held, "leaves"].mean() < 0.75 * rows.loc[~held, "leaves"].mean()
    fresh = (as_of - rows["customer_id"].map(people["joined_on"])).dt.days < 365
    assert rows.loc[fresh, "leaves"].mean() > 1.4 * rows.loc[~fresh, "leaves"].mean()
