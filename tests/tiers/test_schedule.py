"""The days on which a policy rates."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.config.tiers import Rating
from custvalue.tiers.schedule import next_rating_day, rating_days, rating_period


@pytest.mark.parametrize(
    ("months", "day", "wanted"),
    [
        (1, 1, ["2024-12-01", "2025-01-01", "2025-02-01"]),
        (1, 15, ["2024-12-15", "2025-01-15"]),
        (2, 3, ["2025-01-03"]),
        (3, 5, ["2025-01-05"]),
        (6, 1, ["2025-01-01"]),
        (12, 28, ["2025-01-28"]),
    ],
)
def test_the_months_count_from_january(months, day, wanted):
    found = rating_days(Rating(every_months=months, day=day), date(2024, 12, 1), date(2025, 2, 1))
    assert [str(day) for day in found] == wanted


def test_the_first_and_the_last_day_count():
    monthly = Rating(day=5)
    assert rating_days(monthly, date(2025, 1, 5), date(2025, 2, 5)) == [date(2025, 1, 5), date(2025, 2, 5)]
    assert rating_days(monthly, date(2025, 1, 6), date(2025, 2, 4)) == []


@given(st.sampled_from([1, 2, 3, 6, 12]), st.integers(1, 28), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_one_period(months, day, seen):
    rating = Rating(every_months=months, day=day)
    begins, ends = rating_period(rating, seen), next_rating_day(rating, seen)
    assert begins <= seen < ends
    assert (ends.year * 12 + ends.month) - (begins.year * 12 + begins.month) == months
    assert begins.day == ends.day == day
    assert rating_days(rating, begins, ends) == [begins, ends]
    assert rating_days(rating, begins + timedelta(1), ends - timedelta(1)) == []
