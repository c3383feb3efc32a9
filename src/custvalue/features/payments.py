"""Payments and recharges: how often, how much, how long ago against the own rhythm, by which channel, what balance is left.

Whether a payment came late is not told: the contract's table knows no due date. Arrears, in the bill, stand for it.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, divided, number, only
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import DAY_SECONDS, counted, days_since, seconds, within

_NONE = "no payment in the longest window"


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the payments inside the longest window."""
    rows = table.filter(within(table.paid_at, view, view.longest))
    newest = rows.group_by("customer_id").agg(newest_at=rows.paid_at.max())
    rows = rows.inner_join(newest, "customer_id")
    features = []
    for window in view.windows:
        inside = within(rows.paid_at, view, window)
        paid = number(only(rows.amount, inside).sum()).fill_null(0.0)
        features += [
            _feature(f"payment_count_{window}m", f"Payments in {window} month(s)", f"近{window}个月缴费次数", "count", counted(inside)),
            _feature(f"payment_amount_{window}m", f"Paid in {window} month(s)", f"近{window}个月缴费额", "money", paid),
        ]
    features += _rhythm(rows, view)
    # two payments may share a time: the id decides, or the same data could give another answer tomorrow
    last = rows.paid_at == rows.newest_at
    if "channel" in rows.columns:
        name, en, zh = "payment_channel", "Channel of the last payment", "最近缴费渠道"
        features.append(_feature(name, en, zh, "category", rows.channel.argmax(rows.payment_id, where=last)))
    if "balance_after" in rows.columns:
        name, en, zh = "balance_last", "Balance after the last payment", "最近缴费后余额"
        features.append(_feature(name, en, zh, "money", number(rows.balance_after.argmax(rows.payment_id, where=last)), reason="balance"))
    return rows, features


def _rhythm(rows: ibis.Table, view: View) -> list[Feature]:
    """How long ago the last payment was, and how that and the last interval compare with the customer's own mean interval."""
    months = view.longest
    # two payments may share a time: the one before the last is then as new as the last
    last = rows.paid_at == rows.newest_at
    newest, intervals = rows.paid_at.max(), number(rows.paid_at.count()) - 1.0
    before = ibis.ifelse(ibis.ifelse(last, 1, None).count() > 1, newest, only(rows.paid_at, ~last).max())
    span, last_interval = seconds(newest) - seconds(rows.paid_at.min()), seconds(newest) - seconds(before)
    since = days_since(newest, view.moment)
    mean = divided(span, intervals) / DAY_SECONDS
    few = "fewer than two payments, or all at one time, in the longest window"
    return [
        _feature("days_since_payment", "Days since the last payment", "距上次缴费天数", "days", since),
        _feature(
            f"payment_mean_{months}m",
            f"Mean payment of {months} months",
            f"近{months}个月平均每次缴费额",
            "money",
            divided(rows.amount.sum(), rows.amount.count()),
        ),
        _feature(
            f"payment_interval_mean_{months}m",
            f"Mean days between payments, {months} months",
            f"近{months}个月平均缴费间隔天数",
            "days",
            mean,
            null="fewer than two payments in the longest window",
        ),
        _feature(
            "payment_interval_ratio",
            "Days between the last two payments, share of the own mean",
            "最近两次缴费间隔与平均间隔之比",
            "share",
            divided(number(last_interval) * intervals, span),
            null=few,
        ),
        _feature(
            "payment_wait_ratio",
            "Days since the last payment, share of the own mean interval",
            "距上次缴费天数与平均间隔之比",
            "share",
            since / mean.nullif(0.0),
            null=few,
        ),
    ]


def _feature(name: str, en: str, zh: str, unit: str, value: Value, *, reason: str = "payment", null: str = _NONE) -> Feature:
    column = FeatureColumn(
        name=name, en=en, zh=zh, unit=unit, null=null, reason=reason, kind="category" if unit == "category" else "number"
    )
    return Feature(column, value)
