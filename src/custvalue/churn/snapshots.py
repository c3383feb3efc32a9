"""The days that training looks from: one a month, spread over the days of the month, their outcomes over and reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from custvalue.churn.reporting import MOST_UNREPORTED, Reports
from custvalue.config import ChurnConfig, FeaturesConfig, OutcomeSettings
from custvalue.errors import ModelError
from custvalue.sources import CONTRACT, SourceTables, add_months, month_index

MIN_HISTORY_MONTHS = 6
"""A snapshot needs bills of so many months (or of the longest window, if shorter): younger ones look like no later snapshot."""

_STEP, _CYCLE = 11, 28
"""Each snapshot lies a month and a multiple of 11 days, modulo 28, before the newest. The two numbers have no common divisor, so 28
snapshots meet every offset once, and any few in a row lie well apart; 28 days fit into every month, so no month is met twice."""

Arrivals = dict[str, list[tuple[date, datetime]]]
"""Monthly table → its months, and when the first row of each was known, UTC."""

_LONGEST_WAIT = 366
"""Days that the newest snapshot steps back at most until its leavers are reported."""


@dataclass(frozen=True)
class Snapshots:
    """Snapshot dates that can train at a moment.

    Attributes
    ----------
    usable : tuple of date
        Newest last.
    refused : dict
        Why others cannot.
    newest : date
        The newest day whose outcome is over and reported, whether it can train or not.
    """

    usable: tuple[date, ...]
    refused: dict[date, str]
    newest: date


def spread_days(newest: date, count: int, *, mixed: bool = True) -> list[date]:
    """Give one day in each of the months that end with the newest day, newest first.

    >>> [str(day) for day in spread_days(date(2025, 7, 1), 4)]
    ['2025-07-01', '2025-05-21', '2025-04-09', '2025-03-27']
    """
    return [add_months(newest, -back) - timedelta(days=back * _STEP % _CYCLE if mixed else 0) for back in range(count)]


def find_snapshots(tables: SourceTables, as_of: date, churn: ChurnConfig, features: FeaturesConfig) -> Snapshots:
    """Find the snapshots whose horizon is over and reported, whose leavers were recorded, and that have enough history.

    The newest one is as new as that allows; the others follow by `spread_days`. A day on which a night would have been refused, because
    the newest month of a feed had not arrived, does not train either.

    Raises
    ------
    ModelError
        None can train; the message says why for the newest ones.
    """
    history = min(features.windows[-1], MIN_HISTORY_MONTHS)
    arrivals = _arrivals(tables)
    first_month = min((month for month, _ in arrivals["billing"]), default=as_of)
    newest, refused = _newest(tables, as_of, churn, arrivals)
    usable: list[date] = []
    apart = churn.months_apart if isinstance(churn, OutcomeSettings) else 1
    for day in spread_days(newest, apart * (churn.snapshots + 12), mixed=churn.snapshot_days == "mixed")[::apart]:
        bills = tables.moment(day).newest_month(tables.delay_days.get("billing", 0))
        if churn.outcomes_recorded_after and day < churn.outcomes_recorded_after:
            refused[day] = f"leavers before {churn.outcomes_recorded_after} are missing from the tables (outcomes_recorded_after)"
        elif month_index(bills) - month_index(first_month) + 1 < history:
            refused[day] = f"bills reach back less than {history} months"
        elif late := _late_feeds(tables, day, arrivals):
            refused[day] = f"on that day {late}, so a night would have been refused"
        elif len(usable) < churn.snapshots:
            usable.append(day)
    if not usable:
        reasons = "\n".join(f"  {day}: {why}" for day, why in list(refused.items())[:4])
        raise ModelError(f"no snapshot can train at {as_of}:\n{reasons}\nTake a later date, or load more history.")
    return Snapshots(tuple(sorted(usable)), refused, newest)


def _newest(tables: SourceTables, as_of: date, churn: ChurnConfig, arrivals: Arrivals) -> tuple[date, dict[date, str]]:
    """Give the newest day whose window is over and reported, and why a newer one is not taken."""
    window = churn.gap_months + churn.horizon_months
    reported_until = as_of - timedelta(days=tables.delay_days.get("departures", 0))
    if isinstance(churn, OutcomeSettings) and churn.by_bills:
        reported_until = min(reported_until, _billed_until(tables, as_of, arrivals))
    newest = add_months(reported_until, -window)
    while add_months(newest + timedelta(days=1), window) <= reported_until:  # 29 to 31 of a month may share their window's last day
        newest += timedelta(days=1)
    reports = Reports.of(tables, as_of, churn)
    unreported = reports.unreported(newest)
    if unreported <= MOST_UNREPORTED:
        return newest, {}
    why = f"its horizon is over, but of those who leave in such a window {unreported:.0%} are not known so soon"
    days = (newest - timedelta(days=back) for back in range(1, _LONGEST_WAIT))
    reported = next((day for day in days if reports.unreported(day) <= MOST_UNREPORTED), None)
    if reported is None:
        raise ModelError(
            f"no snapshot can train at {as_of}: {newest}: {why}, and within a year before it is no better. "
            "Check departures.available_at against left_on, or take a later date."
        )
    return reported, {newest: why}


def _billed_until(tables: SourceTables, as_of: date, arrivals: Arrivals) -> date:
    """Give the last day on which a window may end so that the bills of its whole months have arrived."""
    newest = max((month for month, known in arrivals["billing"] if known <= tables.moment(as_of).instant), default=as_of)
    return add_months(newest, 2) - timedelta(days=1)


def _arrivals(tables: SourceTables) -> Arrivals:
    """For each monthly table: months, and the moment when the first row of each was known."""
    found: Arrivals = {}
    for name in tables.rows:
        if CONTRACT[name].monthly:
            table = tables.con.table(name, database="contract")
            rows = table.group_by("month").agg(known=table.available_at.min()).to_pyarrow().to_pylist()
            found[name] = [(row["month"], row["known"]) for row in rows if row["known"] is not None]
    return found


def _late_feeds(tables: SourceTables, day: date, arrivals: Arrivals) -> str:
    """Name the monthly tables that had begun by a day and lacked their newest month; empty where all is well."""
    moment = tables.moment(day)
    late = []
    for name, months in arrivals.items():
        known = [month for month, when in months if when <= moment.instant]
        expected = moment.newest_month(tables.delay_days.get(name, 0))
        if known and max(known) < expected:
            late.append(f"table {name} reached to {max(known):%Y-%m} and not yet to {expected:%Y-%m}")
    return " and ".join(late)
