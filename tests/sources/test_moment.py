"""Days and months are the operator's; instants are UTC."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.sources import Moment, add_months, month_index

DAYS = st.dates(date(1980, 1, 1), date(2060, 12, 31))


@given(DAYS, st.integers(-300, 300))
def test_moving_by_months_agrees_with_pandas(day, months):
    assert add_months(day, months) == (pd.Timestamp(day) + pd.DateOffset(months=months)).date()


@given(DAYS, DAYS)
def test_month_indices_count_months_as_periods_do(one, other):
    assert month_index(one) - month_index(other) == (pd.Period(one, "M") - pd.Period(other, "M")).n


@given(DAYS, st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]))
def test_the_instant_is_local_midnight(day, zone):
    instant = Moment(day, zone).instant
    assert instant.tzinfo is None
    local = pd.Timestamp(instant, tz="UTC").tz_convert(zone)
    assert (local.date(), local.time().isoformat()) == (day, "00:00:00")


def test_midnight_in_shanghai_is_eight_hours_ahead_of_utc():
    assert Moment(date(2022, 1, 1), "Asia/Shanghai").instant == datetime(2021, 12, 31, 16)


def test_months_back_keeps_the_zone_and_the_day():
    assert Moment(date(2022, 3, 31), "Asia/Shanghai").months_back(1) == Moment(date(2022, 2, 28), "Asia/Shanghai")


@given(DAYS, st.integers(0, 40))
def test_the_newest_month_is_the_last_that_was_over_when_the_feed_was_filled(day, delay):
    newest = Moment(day).newest_month(delay)
    over, next_over = (datetime(*pair, 1, tzinfo=UTC).date() for pair in (_after(newest, 1), _after(newest, 2)))
    assert over + timedelta(days=delay) <= day < next_over + timedelta(days=delay)


def _after(month, months):
    period = pd.Period(month, "M") + months
    return period.year, period.month


@pytest.mark.parametrize(("delay", "newest"), [(0, date(2021, 12, 1)), (4, date(2021, 12, 1)), (5, date(2021, 11, 1))])
def test_a_delay_moves_the_newest_month(delay, newest):
    assert Moment(date(2022, 1, 5)).newest_month(delay) == newest
