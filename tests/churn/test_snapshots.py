"""Which days may train: spread over the month, no outcome window open or unreported, no feed missing; worked out by hand."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.churn.outcomes import label
from custvalue.churn.snapshots import find_snapshots, spread_days
from custvalue.config import ChurnConfig, FeaturesConfig
from custvalue.errors import ModelError

KNOWN_AT = date(2022, 6, 1)
CHURN = ChurnConfig(kinds=("voluntary", "silence"), gap_months=1, horizon_months=2)
SAME_DAY = CHURN.model_copy(update={"snapshot_days": "same"})
SHORT = FeaturesConfig(windows=(1, 3))


def usable(tables, as_of=KNOWN_AT, churn=CHURN, features=SHORT):
    return [day.isoformat() for day in find_snapshots(tables, as_of, churn, features).usable]


@given(newest=st.dates(date(2000, 1, 1), date(2060, 12, 31)), count=st.integers(1, 60))
def test_there_is_one_snapshot_in_each_month_back_from_the_newest(newest, count):
    days = spread_days(newest, count)
    assert days[0] == newest
    for back, day in enumerate(days):
        period_end = (pd.Timestamp(newest) - pd.DateOffset(months=back)).date()
        period_start = (pd.Timestamp(newest) - pd.DateOffset(months=back + 1)).date()
        assert period_start < day <= period_end or (period_start == period_end and day == period_end)
    assert days == sorted(set(days), reverse=True)


@given(newest=st.dates(date(2000, 1, 1), date(2060, 12, 31)))
def test_sixteen_snapshots_leave_no_ten_days_of_the_month_out(newest):
    """A model that saw 16 days has a neighbour for every day of the month; on one day alone it has none for most."""
    seen = np.array([day.day for day in spread_days(newest, 16)])
    gaps = np.diff(np.unique(np.concatenate([seen, seen + 30, seen + 60])))
    assert gaps.max() <= 10
    same = {day.day for day in spread_days(newest.replace(day=1), 16, mixed=False)}
    assert same == {1}


def test_snapshots_end_a_whole_window_before_the_moment_and_lie_on_mixed_days(open_folder):
    """Back from 1 March, a month and 0, 11, 22, 5, 16 days (11 more each, modulo 28)."""
    assert usable(open_folder("A")) == ["2021-10-16", "2021-11-26", "2021-12-10", "2022-01-21", "2022-03-01"]


def test_snapshots_may_be_kept_on_the_day_of_the_newest(open_folder):
    assert usable(open_folder("A"), churn=SAME_DAY) == [
        f"202{y}-{m:02d}-01" for y, m in ((1, 10), (1, 11), (1, 12), (2, 1), (2, 2), (2, 3))
    ]
    assert usable(open_folder("A"), date(2022, 6, 17), SAME_DAY)[-2:] == ["2022-02-17", "2022-03-17"]


@given(as_of=st.dates(date(2022, 5, 1), date(2022, 6, 30)), gap=st.integers(0, 1), horizon=st.integers(1, 2))
def test_the_newest_snapshot_is_as_new_as_can_be(open_once, as_of, gap, horizon):
    churn = ChurnConfig(gap_months=gap, horizon_months=horizon)
    newest = find_snapshots(open_once, as_of, churn, SHORT).usable[-1]
    window = pd.DateOffset(months=gap + horizon)
    assert (pd.Timestamp(newest) + window).date() <= as_of
    assert (pd.Timestamp(newest) + pd.Timedelta(days=1) + window).date() > as_of


@pytest.fixture(scope="module")
def open_once(open_folder_of, tmp_path_factory):
    return open_folder_of(tmp_path_factory.mktemp("operator"), "A")


def test_a_configured_reporting_delay_pushes_snapshots_back_by_its_days(open_folder):
    assert usable(open_folder("A", delay_days={"departures": 10}))[-1] == "2022-02-22"


def silent(delay):
    """A customer a day falls silent from October on; the warehouse knows it so many days later."""
    days = [date(2021, 10, 1) + timedelta(days=n) for n in range(240)]
    known = [datetime(day.year, day.month, day.day) + timedelta(days=delay) for day in days]
    rows = [
        {"customer_id": f"S{n:03d}", "left_on": d, "kind": "silence", "available_at": k}
        for n, (d, k) in enumerate(zip(days, known, strict=True))
    ]
    return [row["customer_id"] for row in rows], rows


def test_leavers_who_are_known_late_push_snapshots_back_though_no_delay_is_configured(open_folder):
    """Silence is known after 40 days: in windows that are just over, most of the last 40 days' leavers would count as stayers."""
    tables = open_folder(*silent(40))
    churn = ChurnConfig(kinds=("silence",), gap_months=0, horizon_months=1)
    found = find_snapshots(tables, KNOWN_AT, churn, SHORT)
    assert "of those who leave in such a window 100% are not known so soon" in found.refused[date(2022, 5, 1)]
    newest = found.usable[-1]
    assert date(2022, 3, 20) <= newest <= date(2022, 3, 25)  # its window ends 40 days before the moment, give or take 5 % of it
    labels = label(tables, newest, KNOWN_AT, churn).to_pandas()
    complete = label(tables, newest, date(2023, 1, 1), churn).to_pandas()
    assert labels.outcome.eq(1).sum() >= 0.93 * complete.outcome.eq(1).sum() > 0
    censored = label(tables, date(2022, 5, 1), KNOWN_AT, churn).to_pandas()
    assert censored.outcome.eq(1).sum() == 0  # the positive control: without the push back nobody had left
    assert find_snapshots(open_folder(*silent(1)), KNOWN_AT, churn, SHORT).usable[-1] == date(2022, 5, 1)


def test_departures_loaded_long_after_they_happened_do_not_stop_training(open_folder):
    """The whole history was loaded on one day: how late it was then says nothing about today's reports."""
    left = [{"customer_id": who, "left_on": date(2021, 9, 9), "kind": "voluntary", "available_at": datetime(2022, 4, 1)} for who in "AB"]
    assert usable(open_folder("ABC", left))[-1] == "2022-03-01"


def test_snapshots_from_before_leavers_were_recorded_are_refused(open_folder):
    churn = CHURN.model_copy(update={"outcomes_recorded_after": date(2022, 1, 21)})
    tables = open_folder("A")
    assert usable(tables, churn=churn) == ["2022-01-21", "2022-03-01"]
    assert "outcomes_recorded_after" in find_snapshots(tables, KNOWN_AT, churn, SHORT).refused[date(2021, 12, 10)]


def test_at_most_so_many_snapshots_the_newest_ones(open_folder):
    assert usable(open_folder("A"), churn=CHURN.model_copy(update={"snapshots": 2})) == ["2022-01-21", "2022-03-01"]


@pytest.mark.parametrize(
    ("windows", "first"), [((1, 2), "2021-09-04"), ((1, 3), "2021-10-16"), ((1, 6), "2022-01-21"), ((1, 3, 12), "2022-01-21")]
)
def test_a_snapshot_needs_bills_of_its_longest_window_or_half_a_year(open_folder, windows, first):
    """Bills begin in July, so a day in September has two months of them."""
    assert usable(open_folder("A"), features=FeaturesConfig(windows=windows))[0] == first


def test_a_late_billing_feed_shortens_the_history(open_folder):
    """Bills come five days after the month: on 1 March and 1 October the newest are January's and August's."""
    delayed = open_folder("A", delay_days={"billing": 5})
    assert usable(delayed, churn=SAME_DAY)[0] == "2021-11-01"


def used(month, known=None):
    row = {"customer_id": "A", "month": month, "voice_minutes": 10.0, "available_at": known}
    return row | {"available_at": known or datetime(month.year, month.month, 1) + timedelta(days=32)}


def test_a_day_on_which_a_feed_was_late_does_not_train(open_folder):
    usage = [used(date(2021, month, 1), datetime(2021, month + 1, 1)) for month in range(7, 12)]
    usage += [used(date(2021, 12, 1), datetime(2022, 1, 25)), used(date(2022, 1, 1), datetime(2022, 2, 1))]
    usage += [used(date(2022, month, 1), datetime(2022, month + 1, 1)) for month in range(2, 6)]
    tables = open_folder("A", usage=usage)
    found = find_snapshots(tables, KNOWN_AT, CHURN, SHORT)
    assert date(2022, 1, 21) not in found.usable
    assert "table usage reached to 2021-11 and not yet to 2021-12" in found.refused[date(2022, 1, 21)]
    assert date(2021, 12, 10) in found.usable


def test_a_feed_that_had_not_begun_is_not_late(open_folder):
    usage = [used(date(2022, month, 1), datetime(2022, month + 1, 1)) for month in range(1, 6)]
    assert usable(open_folder("A", usage=usage)) == usable(open_folder("A"))


def test_no_snapshot_at_all_says_why(open_folder):
    tables = open_folder("A", bills=("2022-02", "2022-05"))
    with pytest.raises(ModelError) as refused:
        find_snapshots(tables, KNOWN_AT, CHURN, SHORT)
    assert refused.value.exit_code == 4
    told = str(refused.value)
    assert "no snapshot can train at 2022-06-01:" in told
    assert "2022-03-01: bills reach back less than 3 months" in told
    assert "Take a later date, or load more history" in told
