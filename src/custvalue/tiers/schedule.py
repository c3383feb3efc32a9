"""On which days a policy rates."""

from __future__ import annotations

from datetime import date

from custvalue.config.tiers import Rating


def rating_period(rating: Rating, day: date) -> date:
    """Give the first day of the rating period that a day lies in.

    The months that are rated count from January, so that a quarterly policy rates in January, April, July and October.

    >>> rating_period(Rating(every_months=3, day=5), date(2025, 4, 4))
    datetime.date(2025, 1, 5)
    """
    months = day.year * 12 + day.month - 1
    months -= months % rating.every_months
    found = _day(rating, months)
    return found if found <= day else _day(rating, months - rating.every_months)


def next_rating_day(rating: Rating, day: date) -> date:
    """Give the first day after this one on which the policy rates."""
    begins = rating_period(rating, day)
    return _day(rating, begins.year * 12 + begins.month - 1 + rating.every_months)


def rating_days(rating: Rating, first: date, last: date) -> list[date]:
    """List every day from `first` to `last`, both included, on which the policy rates; oldest first."""
    day = rating_period(rating, first)
    days = [day] if day == first else []
    while (day := next_rating_day(rating, day)) <= last:
        days.append(day)
    return [day for day in days if day <= last]


def _day(rating: Rating, months: int) -> date:
    return date(months // 12, months % 12 + 1, rating.day)
