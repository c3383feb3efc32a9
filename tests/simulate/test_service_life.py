"""No fact about a customer lies before joining or after leaving, and none is known before it happened."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from custvalue.sources.moment import Moment

Tables = dict[str, pd.DataFrame]


def with_life(tables: Tables, name: str) -> pd.DataFrame:
    """Rows with the customer's first day and first day without service (far away for those who stayed)."""
    joined = tables["customers"].drop_duplicates("customer_id")[["customer_id", "joined_on"]]
    life = joined.rename(columns={"joined_on": "begins"}).merge(
        tables["departures"][["customer_id", "left_on"]].rename(columns={"left_on": "ends"}), how="left"
    )
    life["ends"] = life["ends"].fillna(pd.Timestamp("2100-01-01"))
    return tables[name].merge(life, on="customer_id", how="left")


@pytest.mark.parametrize("name", ["usage", "billing"])
def test_every_month_with_service_has_one_row_and_no_other_month(tables: Tables, name: str) -> None:
    """But for use that an outage has lost, and for final bills."""
    rows = with_life(tables, name)
    rows = rows[rows["ends"] > rows["month"]]
    assert (len(rows) < len(tables[name])) == (name == "billing")
    after = rows["month"] + pd.offsets.MonthBegin(1)
    assert (rows["begins"] < after).all()
    months = pd.Series(pd.date_range("2024-01-01", periods=18, freq="MS"), name="month")
    expected = with_life(tables, "directory").merge(months, how="cross")
    serving = (expected["begins"] < expected["month"] + pd.offsets.MonthBegin(1)) & (expected["ends"] > expected["month"])
    lost = expected[serving].merge(rows[["customer_id", "month"]], how="left", indicator=True).query("_merge == 'left_only'")
    assert serving.sum() == len(rows) + len(lost)
    regions = lost.merge(tables["customers"].drop_duplicates("customer_id"), on="customer_id").groupby(["region", "month"]).size()
    # One region-month is 5 to 24 % of a month's customers.
    assert (regions > 250).all()
    assert len(regions) <= (5 if name == "usage" else 0)


@pytest.mark.parametrize(
    ("name", "moment"),
    [("payments", "paid_at"), ("complaints", "opened_at"), ("complaints", "closed_at"), ("contracts", "starts_on"),
     ("customers", "valid_from"), ("events", "occurred_at"), ("surveys", "asked_at"), ("surveys", "answered_at"),
     ("contacts", "contacted_at"), ("tier_history", "valid_from"), ("daily", "day")],
)  # fmt: skip
def test_events_lie_within_service(tables: Tables, name: str, moment: str) -> None:
    """But for what is planted after leaving: win-back calls, the closing of the account, the payment of the final bill."""
    rows = with_life(tables, name).dropna(subset=[moment])
    if name == "complaints":
        rows = rows[rows["category"] != "win_back"]
    if name == "customers":
        rows = rows[rows["status"] != "closed"]
    if name == "payments":
        final = rows[rows[moment] >= rows["ends"]]
        assert ((final[moment] - final["ends"]) < pd.Timedelta(days=62)).all()
        rows = rows.drop(final.index)
    assert (rows[moment] >= rows["begins"]).all()
    assert (rows[moment] < rows["ends"]).all()


def test_hidden_states_end_with_service(tables: Tables) -> None:
    rows = with_life(tables, "states")
    assert (rows["ends"] > rows["month"] + pd.offsets.MonthBegin(1)).all()


def test_use_fits_into_the_days_of_service(tables: Tables) -> None:
    rows = with_life(tables, "usage")
    after = rows["month"] + pd.offsets.MonthBegin(1)
    days = (rows["ends"].where(rows["ends"] < after, after) - rows[["begins", "month"]].max(axis=1)).dt.days
    assert (rows["active_days"] <= days).all()
    assert (rows["roaming_days"] <= days).all()


@pytest.mark.parametrize(
    ("name", "event"),
    [("payments", "paid_at"), ("complaints", "opened_at"), ("complaints", "closed_at"),
     ("complaints", "first_response_at"), ("departures", "left_on"), ("contracts", "starts_on"), ("customers", "valid_from"),
     ("events", "occurred_at"), ("surveys", "asked_at"), ("surveys", "answered_at"), ("tier_history", "valid_from"), ("daily", "day")],
)  # fmt: skip
def test_nothing_is_known_before_it_happened(tables: Tables, name: str, event: str) -> None:
    rows = tables[name].dropna(subset=[event])
    assert (rows["available_at"] >= rows[event]).all()


@pytest.mark.parametrize("name", ["usage", "billing"])
def test_months_are_known_when_over_and_a_few_come_late(tables: Tables, name: str) -> None:
    rows = tables[name]
    delay = rows["available_at"] - (rows["month"] + pd.offsets.MonthBegin(1))
    assert (delay >= pd.Timedelta(0)).all()
    few = delay[delay <= pd.Timedelta(days=10)]
    assert 0.003 <= (few > pd.Timedelta(0)).mean() <= 0.008
    weeks = delay[delay > pd.Timedelta(days=10)]
    assert len(weeks) <= (0.02 * len(rows) if name == "usage" else 0)


def test_departures_are_known_a_day_or_two_later(tables: Tables) -> None:
    delay = tables["departures"]["available_at"] - tables["departures"]["left_on"]
    assert set(delay.dt.days) == {1, 2}


def test_how_a_complaint_ended_is_told_in_a_later_row(tables: Tables) -> None:
    complaints = tables["complaints"]
    still_open = complaints["closed_at"].isna()
    assert complaints.loc[still_open, "justified"].isna().all()
    assert not complaints.loc[still_open, "escalated"].any()
    assert complaints.loc[~still_open, "justified"].notna().all()
    versions = complaints.groupby("complaint_id")["available_at"]
    assert (versions.size() <= 2).all()
    told_twice = complaints[complaints["complaint_id"].duplicated(keep=False)].sort_values("available_at")
    assert told_twice.groupby("complaint_id")["closed_at"].first().notna().all()
    assert told_twice.drop_duplicates("complaint_id", keep="first")["closed_at"].isna().all()


def test_a_repeat_follows_a_complaint_of_the_same_customer(tables: Tables) -> None:
    complaints = tables["complaints"].drop_duplicates("complaint_id")
    pairs = complaints.dropna(subset=["repeat_of"]).merge(complaints, left_on="repeat_of", right_on="complaint_id", suffixes=("", "_first"))
    assert len(pairs) == complaints["repeat_of"].notna().sum() > 0
    assert (pairs["customer_id"] == pairs["customer_id_first"]).all()
    assert (pairs["category"] == pairs["category_first"]).all()
    gap = pairs["opened_at"] - pairs["opened_at_first"]
    assert gap.between(pd.Timedelta(days=2), pd.Timedelta(days=30)).all()


def test_plans_change_over_time_and_versions_say_when(tables: Tables) -> None:
    customers = tables["customers"].sort_values(["customer_id", "valid_from"])
    versions = customers.groupby("customer_id")
    first = versions.head(1)
    assert (first["valid_from"] == first["joined_on"]).all()
    later = customers["customer_id"].duplicated()
    assert later.sum() > 100
    facts = ["plan", "region", "manager_id", "marketing_consent", "status"]
    assert (customers[facts] != versions[facts].shift())[later].any(axis=1).all()
    assert (customers["plan"] != versions["plan"].shift())[later].sum() > 100
    assert (versions["joined_on"].nunique() == 1).all()


def test_last_months_rows_are_seen_at_midnight_in_the_operators_zone(folder: Path) -> None:
    billing = pq.read_table(folder / "billing.parquet", columns=["month", "available_at"]).to_pandas()
    december = billing[billing["month"] == date(2024, 12, 1)]
    midnight = Moment(date(2025, 1, 1), "Asia/Shanghai").instant
    assert (december["available_at"] <= midnight).mean() > 0.98
    assert (december["available_at"] >= midnight).all()
