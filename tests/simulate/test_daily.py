"""Days add up to months, silence precedes some departures, and a balance follows what is recharged and used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from custvalue.simulate.activity import split_exactly

Tables = dict[str, pd.DataFrame]


def with_month(days: pd.DataFrame) -> pd.DataFrame:
    return days.assign(month=days["day"].dt.to_period("M").dt.to_timestamp())


@pytest.mark.parametrize("operator", ["tables", "prepaid", "tiny"])
def test_days_sum_to_the_months_use(operator: str, request: pytest.FixtureRequest) -> None:
    tables: Tables = request.getfixturevalue(operator)
    summed = with_month(tables["daily"]).groupby(["customer_id", "month"])[["voice_minutes", "data_mb", "active"]].sum().reset_index()
    both = summed.merge(tables["usage"], on=["customer_id", "month"], suffixes=("_by_day", ""))
    assert len(both) > 5_000
    for column in ("voice_minutes", "data_mb"):
        np.testing.assert_allclose(both[f"{column}_by_day"], both[column], atol=1e-6)
    assert (both["active"] == both["active_days"]).all()


def test_nothing_is_used_on_an_inactive_day(tables: Tables) -> None:
    idle = tables["daily"][~tables["daily"]["active"]]
    assert (idle[["voice_minutes", "data_mb"]] == 0).all(axis=None)


def test_one_row_a_day_of_service_in_the_last_months_alone(tables: Tables) -> None:
    days = tables["daily"]
    assert days["day"].min() == pd.Timestamp("2025-03-01")
    assert days["day"].max() == pd.Timestamp("2025-06-30")
    left_on = tables["departures"].set_index("customer_id")["left_on"]
    joined = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["joined_on"]
    begin = joined.clip(lower=days["day"].min())
    end = left_on.reindex(joined.index).fillna(pd.Timestamp("2025-07-01"))
    expected = (end - begin).dt.days.clip(lower=0)
    assert len(days) == expected.sum()


def test_people_call_less_and_surf_more_at_weekends(tables: Tables) -> None:
    days = tables["daily"]
    weekend = days["day"].dt.day_of_week >= 5
    mean = days.groupby(weekend)[["voice_minutes", "data_mb"]].mean()
    assert 0.7 < mean.loc[True, "voice_minutes"] / mean.loc[False, "voice_minutes"] < 0.9
    assert 1.05 < mean.loc[True, "data_mb"] / mean.loc[False, "data_mb"] < 1.25


def test_some_who_leave_fall_silent_days_before(tables: Tables) -> None:
    left = tables["departures"].query("kind in ('voluntary', 'port_out')")
    days = tables["daily"].merge(left, on="customer_id")
    before = (days["left_on"] - days["day"]).dt.days
    by_distance = days.groupby(before)["active"].mean()
    assert by_distance[1] < 0.7 * by_distance[25]
    assert by_distance[25] > 0.65
    assert (days["day"] < days["left_on"]).all()


def test_the_feeds_go_on_in_silence_and_show_nothing(prepaid: Tables) -> None:
    silent = prepaid["departures"].query("kind == 'silence'")
    known = (silent["available_at"] - silent["left_on"]).dt.days
    assert known.isin([91, 92]).all()
    days = prepaid["daily"].merge(silent[["customer_id", "left_on"]], on="customer_id")
    after = days[days["day"] >= days["left_on"]]
    assert len(after) > 1_000
    assert not after["active"].any()
    assert (after["voice_minutes"] + after["data_mb"] == 0).all()
    assert (after.groupby("customer_id")["balance"].nunique() == 1).all()
    assert ((after["day"] - after["left_on"]).dt.days < 90).all()


def test_a_prepaid_balance_is_what_was_recharged_less_what_was_used(prepaid: Tables) -> None:
    """Closing balance of a month = closing balance of the month before + recharges − the month's bill, to the cent."""
    closing = with_month(prepaid["daily"]).sort_values("day").groupby(["customer_id", "month"])["balance"].last()
    paid = prepaid["payments"]
    recharged = paid.groupby(["customer_id", paid["paid_at"].dt.to_period("M").dt.to_timestamp()])["amount"].sum()
    bill = prepaid["billing"].assign(due=lambda f: f["revenue"] + f["tax"] + f["device"]).set_index(["customer_id", "month"])["due"]
    ledger = pd.concat({"closing": closing, "paid": recharged, "due": bill}, axis=1).sort_index()
    ledger["before"] = ledger.groupby(level=0)["closing"].shift()
    joined = prepaid["customers"].drop_duplicates("customer_id").set_index("customer_id")["joined_on"]
    new = (ledger.index.get_level_values(0).map(joined) >= pd.Timestamp("2024-01-01")) & ledger["before"].isna()
    ledger.loc[new, "before"] = 0
    ledger = ledger.dropna(subset=["before"]).fillna({"paid": 0})
    assert len(ledger) > 5_000
    assert new.sum() > 100
    np.testing.assert_allclose(ledger["closing"], ledger["before"] + ledger["paid"] - ledger["due"], atol=1e-6)


def test_a_prepaid_balance_never_falls_below_zero_and_few_have_much(prepaid: Tables) -> None:
    balance = prepaid["daily"]["balance"]
    assert balance.min() >= 0
    assert (prepaid["payments"]["amount"] % 5 == 0).all()
    assert (prepaid["billing"]["arrears"] == 0).all()
    ahead = balance.quantile(0.5) / (prepaid["billing"]["revenue"].mean() / 30)
    assert 2 < ahead < 15


def test_whose_bank_pays_has_no_balance_to_watch(tables: Tables) -> None:
    watched = tables["daily"].groupby("customer_id")["balance"].agg(lambda values: values.notna().mean())
    assert watched.isin([0, 1]).all()
    assert 0.15 < (watched == 0).mean() < 0.25
    debit = tables["payments"].groupby("customer_id")["channel"].agg(lambda channel: (channel == "auto_debit").mean())
    assert debit[watched[watched == 0].index.intersection(debit.index)].mean() > 0.8


@given(
    total=hnp.arrays(np.int64, 4, elements=st.integers(0, 10**9)),
    weights=hnp.arrays(np.float64, (6, 4), elements=st.floats(0, 1) | st.just(0.0)),
)
def test_a_split_adds_up_and_gives_nothing_to_whom_no_share_belongs(total: np.ndarray, weights: np.ndarray) -> None:
    sums = weights.sum(axis=0)
    shares = weights / np.where(sums > 0, sums, 1)
    parts = split_exactly(total, shares)
    assert (parts >= 0).all()
    assert (parts.sum(axis=0) == np.where(sums > 0, total, 0)).all()
    assert (parts[shares == 0] == 0).all()
