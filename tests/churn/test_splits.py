from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.churn.frame import TrainingFrame
from custvalue.churn.snapshots import spread_days
from custvalue.churn.splits import add_months, fold_customers, split, split_by_customer
from custvalue.config import ChurnConfig


def stacked(as_of: date, months: int, customers: int = 100, seed: int | None = None, *, mixed: bool = False) -> TrainingFrame:
    """Monthly snapshots up to a day, each with the same customers; every third leaves, the next third a month later."""
    days = spread_days(as_of, months, mixed=mixed)
    number, month = np.tile(np.arange(customers), months), np.repeat(np.arange(months), customers)
    left = (number + month) % 3 == 0 if seed is None else np.random.default_rng(seed).random(number.size) < 1 / 3
    return TrainingFrame(
        X=pd.DataFrame({"a": number.astype(float)}),
        y=left.astype(np.int8),
        customer=np.array([f"C{n}" for n in number], dtype=object),
        snapshot=np.array(days, dtype="datetime64[D]")[month],
    )


@given(
    as_of=st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    months=st.integers(1, 36),
    gap=st.integers(0, 3),
    horizon=st.integers(1, 6),
    wanted=st.integers(4, 60),
    seed=st.integers(0, 99),
    mixed=st.booleans(),
    apart=st.booleans(),
)
def test_no_outcome_window_reaches_into_a_later_slice(as_of, months, gap, horizon, wanted, seed, mixed, apart):
    frame = stacked(as_of, months, customers=30, seed=seed, mixed=mixed)
    settings = ChurnConfig(gap_months=gap, horizon_months=horizon, min_leavers=2, small_leavers=wanted, seed=seed, customers_apart=apart)
    slices = split(frame, settings)
    rows = np.concatenate([part.rows for part in slices.parts])
    assert len(set(rows.tolist())) == rows.size
    if slices.way == "by customer":
        assert set(frame.customer[slices["train"].rows]).isdisjoint(frame.customer[slices["test"].rows])
        assert rows.size == len(frame)
        return
    assert [part.name for part in slices.parts] == ["train", "stop", "calibrate", "test"]
    for earlier, later in zip(slices.parts, slices.parts[1:], strict=False):
        ends = pd.to_datetime(frame.snapshot[earlier.rows]) + pd.DateOffset(months=gap + horizon)
        assert ends.max() <= pd.to_datetime(frame.snapshot[later.rows]).min()
        if apart:
            assert set(frame.customer[earlier.rows]).isdisjoint(frame.customer[later.rows])
    assert slices["test"].snapshots[-1] == as_of
    assert slices["train"].leavers >= wanted
    assert max(len(part.snapshots) for part in slices.parts[1:]) <= max(1, months // 4)


def test_slices_grow_until_they_hold_enough_leavers_and_training_gets_the_rest():
    """A snapshot has 33 leavers: 50 distinct ones take two, and windows of 3 months lie between the slices."""
    frame = stacked(date(2024, 12, 1), 24)
    slices = split(frame, ChurnConfig(gap_months=1, horizon_months=2, min_leavers=10, small_leavers=50))
    assert slices.way == "by month"
    assert slices["test"].snapshots == (date(2024, 11, 1), date(2024, 12, 1))
    assert slices["calibrate"].snapshots == (date(2024, 7, 1), date(2024, 8, 1))
    assert slices["stop"].snapshots == (date(2024, 3, 1), date(2024, 4, 1))
    assert slices["train"].snapshots[0] == date(2023, 1, 1)
    assert slices["train"].snapshots[-1] == date(2023, 12, 1)


def test_slices_shrink_where_training_would_go_without():
    """Four slices of two snapshots with their windows need 17 months; with one snapshot 10 are enough."""
    frame = stacked(date(2024, 12, 1), 12)
    slices = split(frame, ChurnConfig(gap_months=1, horizon_months=2, min_leavers=10, small_leavers=45))
    assert slices.way == "by month"
    assert [len(part.snapshots) for part in slices.parts] == [3, 1, 1, 1]


def test_customers_apart_costs_half_the_rows_and_says_so():
    """Of 4,000 customers a half trains, an eighth stops, an eighth calibrates, a quarter tests; without the wish all do all four."""
    frame = stacked(date(2024, 12, 1), 12, customers=4_000)
    settings = ChurnConfig(gap_months=1, horizon_months=2, min_leavers=10, small_leavers=45)
    slices = split(frame, settings.model_copy(update={"customers_apart": True}))
    assert slices.way == "by month"
    assert [part.customers / 4_000 for part in slices.parts] == pytest.approx([0.5, 0.125, 0.125, 0.25], abs=0.02)
    assert "each customer is in one of them" in slices.why
    together = split(frame, settings)
    assert [part.customers for part in together.parts] == [4_000] * 4
    assert "each customer" not in together.why


@given(seed=st.integers(0, 99), customers=st.integers(1, 60), months=st.integers(1, 4))
def test_folds_of_customers_never_share_one_and_ignore_the_order_of_rows(seed, customers, months):
    frame = stacked(date(2024, 6, 1), months, customers=customers, seed=seed)
    fold = fold_customers(frame.customer, frame.y, seed=seed)
    assert pd.Series(fold).groupby(frame.customer).nunique().max() == 1
    order = np.random.default_rng(seed).permutation(len(frame))
    assert np.array_equal(fold_customers(frame.customer[order], frame.y[order], seed=seed), fold[order])
    assert set(fold) <= set(range(5))


@pytest.mark.parametrize(("mixed", "snapshots"), [(False, 10), (True, 10)])
def test_mixed_days_need_no_more_snapshots_than_one_day_does_by_default(mixed, snapshots):
    """The offsets rise by 5 days every third month, so windows of three months stay apart three snapshots on."""
    settings = ChurnConfig(min_leavers=10, small_leavers=30)
    assert split(stacked(date(2024, 12, 1), snapshots, mixed=mixed), settings).way == "by month"
    assert split(stacked(date(2024, 12, 1), snapshots - 1, mixed=mixed), settings).way == "by customer"


@pytest.mark.parametrize(
    ("months", "changed", "why"),
    [
        (1, {}, "1 snapshot(s) do not give four slices whose windows of 3 month(s) stay apart"),
        (9, {}, "9 snapshot(s) do not give four slices"),
        (10, {"small_leavers": 90}, "the train slice would hold 34 leavers; 90 are needed"),
        (12, {"min_leavers": 40, "small_leavers": 90}, "the stop slice would hold 34 leavers; 40 are needed"),
    ],
)
def test_a_short_history_is_split_by_customer_and_says_why(months, changed, why):
    frame = stacked(date(2024, 12, 1), months)
    given_settings = {"gap_months": 1, "horizon_months": 2, "min_leavers": 10, "small_leavers": 30} | changed
    slices = split(frame, ChurnConfig(**given_settings))
    assert slices.way == "by customer"
    assert why in slices.why
    assert why in str(slices)


def test_by_customer_sets_a_quarter_of_leavers_and_stayers_aside(make_panel):
    frame = make_panel(customers=1_000)
    slices = split_by_customer(frame, seed=1, why="")
    test, train = slices["test"], slices["train"]
    assert test.customers == 250
    assert test.leavers == round(frame.leavers / 4)
    assert train.customers + test.customers == 1_000


def test_by_customer_no_customer_straddles_slices_or_folds(make_panel):
    frame = make_panel(customers=400, months=5)
    slices = split_by_customer(frame, seed=1, why="")
    train = frame.take(slices["train"].rows)
    assert set(train.customer).isdisjoint(frame.customer[slices["test"].rows])
    per_customer = pd.Series(slices.folds).groupby(train.customer).nunique()
    assert (per_customer == 1).all()
    leavers_per_fold = pd.Series(train.customer[train.y == 1]).groupby(slices.folds[train.y == 1]).nunique()
    assert leavers_per_fold.max() - leavers_per_fold.min() <= 1


def test_by_customer_ignores_the_order_of_rows(make_panel):
    frame = make_panel(customers=500, months=2)
    shuffled = frame.take(np.random.default_rng(0).permutation(len(frame)))
    tested = [set(f.customer[split_by_customer(f, seed=3, why="")["test"].rows]) for f in (frame, shuffled)]
    assert tested[0] == tested[1]
    assert tested[0] != set(frame.customer[split_by_customer(frame, seed=4, why="")["test"].rows])


@pytest.mark.parametrize(("leavers", "folds"), [(22, 2), (43, 4), (60, 5), (600, 5)])
def test_few_leavers_make_fewer_folds(leavers, folds):
    """Three quarters of the leavers are folded, eight or more a fold."""
    rows = 2_000
    frame = TrainingFrame(
        X=pd.DataFrame({"a": np.zeros(rows)}),
        y=(np.arange(rows) < leavers).astype(np.int8),
        customer=np.arange(rows).astype(str).astype(object),
        snapshot=np.full(rows, np.datetime64("2024-01-01")),
    )
    assert split_by_customer(frame, seed=0, why="").to_dict()["folds"] == folds


@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)), months=st.integers(0, 60))
def test_months_are_added_as_the_calendar_does(day, months):
    expected = (pd.Timestamp(day) + pd.DateOffset(months=months)).date()
    assert add_months(np.array([day], dtype="datetime64[D]"), months).tolist() == [expected]
