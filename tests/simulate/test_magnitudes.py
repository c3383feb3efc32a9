"""Rates and amounts lie in the bands that operators publish."""

from __future__ import annotations

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]


def test_one_to_two_percent_leave_a_month(tables: Tables) -> None:
    left_month = (tables["departures"]["left_on"] - pd.Timedelta(days=1)).dt.to_period("M").dt.to_timestamp()
    active = tables["usage"].groupby("month").size()
    by_intent = tables["departures"]["kind"].isin(["voluntary", "port_out"])
    rate = left_month[by_intent].value_counts() / active
    assert 0.01 <= rate.mean() <= 0.02
    assert rate.min() > 0.005
    assert rate.max() < 0.025
    unpaid = (~by_intent).sum() / active.sum()
    assert 0.0005 <= unpaid <= 0.004


def test_about_as_many_join_as_leave(tables: Tables) -> None:
    joined = tables["customers"].drop_duplicates("customer_id")["joined_on"]
    joiners = (joined >= pd.Timestamp("2024-01-01")).sum()
    assert 0.8 <= joiners / len(tables["departures"]) <= 1.25


def test_tenure_is_spread_over_years(tables: Tables) -> None:
    joined = tables["customers"].drop_duplicates("customer_id")["joined_on"]
    there = joined[joined < pd.Timestamp("2024-01-01")]
    years = (pd.Timestamp("2024-01-01") - there).dt.days / 365.25
    assert years.quantile(0.1) < 1
    assert years.quantile(0.9) > 6
    assert years.max() <= 20.1


def test_bills_are_lognormal_with_a_near_zero_group(tables: Tables) -> None:
    whole = tables["billing"].merge(tables["customers"].drop_duplicates("customer_id")[["customer_id", "segment"]])
    bill = whole.groupby("customer_id")["revenue"].mean()
    assert 33 <= bill.median() <= 40
    assert 42 <= bill.mean() <= 52
    assert 100 <= bill.quantile(0.95) <= 135
    assert 165 <= bill.quantile(0.99) <= 230
    assert 0.03 <= (bill < 5).mean() <= 0.08
    top = bill[bill >= bill.quantile(0.9)].sum() / bill.sum()
    assert 0.25 <= top <= 0.33
    assert 0.6 <= np.log(bill[bill >= 5]).std() <= 0.84
    enterprise = whole[whole["segment"] == "enterprise"]["revenue"]
    assert enterprise.median() > 1.5 * bill.median()


def test_use_has_the_usual_levels(tables: Tables) -> None:
    usage = tables["usage"]
    assert 200 <= usage["voice_minutes"].mean() <= 270
    assert 7 <= usage["data_mb"].median() / 1024 <= 9
    assert 13 <= usage["data_mb"].mean() / 1024 <= 17.5
    assert 0.55 <= (usage["sms_count"] == 0).mean() <= 0.8
    assert usage["off_net_share"].dropna().between(0, 1).all()
    assert (usage["off_net_share"].isna() == (usage["distinct_peers"] == 0)).all()


def test_february_is_low_even_by_the_day(tables: Tables) -> None:
    a_day = tables["usage"].groupby("month")["voice_minutes"].mean()
    a_day /= a_day.index.days_in_month
    february, around = a_day["2024-02-01"], (a_day["2024-01-01"] + a_day["2024-03-01"]) / 2
    assert 0.82 <= february / around <= 0.96


def test_what_customers_told_and_allowed(tables: Tables) -> None:
    people = tables["customers"].drop_duplicates("customer_id")
    assert 0.1 <= people["birth_year"].isna().mean() <= 0.2
    assert 0.06 <= (~people["marketing_consent"]).mean() <= 0.1
    assert 0.56 <= people["traffic_data_consent"].mean() <= 0.64
    sizes = people.groupby("household_id").size()
    assert sizes.max() <= 4
    assert sizes.mean() > 2


def test_a_few_complaints_are_recorded_late(tables: Tables) -> None:
    first = tables["complaints"].sort_values("available_at").drop_duplicates("complaint_id")
    late = first["available_at"] - first["opened_at"] > pd.Timedelta(days=1)
    assert 0.01 <= late.mean() <= 0.06
    assert 0.05 <= first["repeat_of"].notna().mean() <= 0.2
