"""Customers who stay and spend much less than before: the loss that no departure shows."""

from __future__ import annotations

from datetime import date

import ibis

from custvalue.config import ChurnConfig, ValueLoss
from custvalue.errors import ConfigError
from custvalue.sources import add_months


def value_loss(billing: ibis.Table, snapshot: date, churn: ChurnConfig, outcome: ValueLoss) -> ibis.Table:
    """Tell who is billed less by ``outcome.share`` or more: ``customer_id`` and ``lost``, null where a bill is not known.

    The mean bill of the window's months is compared with the median of the months before the snapshot, both without roaming where that is
    mapped. A mean, or bills with roaming in them, would count the end of a dear month or of a journey as a loss: an outcome that follows
    from the past by itself, and that no call prevents. A customer who lacks a bill on either side, or is usually billed nothing, cannot be
    judged.

    Parameters
    ----------
    billing : ibis.Table
        The bills as known when the outcome is asked for: what had not arrived then is not known.
    snapshot : date
        The day that features look from.
    churn : ChurnConfig
        Gap and horizon.
    outcome : ValueLoss
        Share, and months before.
    """
    before, after = months_before(snapshot, outcome.months_before), months_after(snapshot, churn)
    bills = billing.filter(billing.month.isin([*before, *after]) & billing.revenue.notnull())
    late, revenue = bills.month.isin(after), bills.revenue.cast("decimal(18, 4)")
    if "roaming" in bills.columns:
        revenue = revenue - bills.roaming.cast("decimal(18, 4)").fill_null(0)
    sums = bills.group_by("customer_id").agg(
        bills_before=(~late).sum(),
        bills_after=late.sum(),
        usual=revenue.cast("float64").median(where=~late),
        spent_after=revenue.sum(where=late),
    )
    known = (sums.bills_before == len(before)) & (sums.bills_after == len(after)) & (sums.usual > 0)
    most = sums.usual * len(after) * (1 - outcome.share)
    return sums.select("customer_id", lost=ibis.cases((known, sums.spent_after.cast("float64") <= most)))


def months_before(snapshot: date, count: int) -> list[date]:
    """First days of the newest whole months before a snapshot, oldest first.

    >>> [str(month) for month in months_before(date(2022, 1, 15), 3)]
    ['2021-10-01', '2021-11-01', '2021-12-01']
    """
    return [add_months(snapshot.replace(day=1), -back) for back in range(count, 0, -1)]


def months_after(snapshot: date, churn: ChurnConfig) -> list[date]:
    """First days of the last whole months that end with the outcome window, as many as the horizon; none begins before the snapshot.

    >>> [str(month) for month in months_after(date(2022, 1, 15), ChurnConfig(gap_months=1, horizon_months=2))]
    ['2022-02-01', '2022-03-01']

    Raises
    ------
    ConfigError
        The window holds no whole month.
    """
    over = add_months(snapshot, churn.gap_months + churn.horizon_months).replace(day=1)
    months = [month for month in months_before(over, churn.horizon_months) if month >= snapshot]
    if not months:
        raise ConfigError(
            f"value loss is read from bills of whole months, and between {snapshot} and {over} there is none: give the outcome a gap of a "
            "month, or a longer horizon."
        )
    return months
