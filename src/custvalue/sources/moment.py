"""The moment a run looks from: midnight of a day in the operator's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Moment:
    """``as_of`` 00:00 in the operator's time zone.

    Attributes
    ----------
    day : date
        The as-of date.
    zone : str
        IANA name.
    """

    day: date
    zone: str = "UTC"

    @property
    def instant(self) -> datetime:
        """The moment as naive UTC, as stored times are."""
        local = datetime(self.day.year, self.day.month, self.day.day, tzinfo=ZoneInfo(self.zone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def months_back(self, months: int) -> Moment:
        """Return the same day of the month, so many months earlier (later when negative)."""
        return Moment(add_months(self.day, -months), self.zone)

    def newest_month(self, delay_days: int = 0) -> date:
        """First day of the newest month whose rows can be known, given the feed's delay in days."""
        return add_months((self.day - timedelta(days=delay_days)).replace(day=1), -1)


def add_months(day: date, months: int) -> date:
    """Move a date by whole months; a day that the month lacks becomes its last.

    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first = date(year, month + 1, 1)
    after = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (after - first).days))


def month_index(day: date) -> int:
    """Months since year 0, so that differences count months."""
    return day.year * 12 + day.month
