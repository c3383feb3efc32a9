"""Payments and recharges: how often, how much, how long ago, by which channel, what balance is left."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_since, within


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the payments inside the longest window."""
    rows = table.filter(within(table.paid_at, view, view.longest))
    # two payments may share a time: the id decides, or the same data could give another answer tomorrow
    order = [ibis.desc("paid_at"), ibis.desc("payment_id")]
    rows = rows.mutate(last=ibis.row_number().over(group_by="customer_id", order_by=order) == 0)
    features = []
    for window in view.windows:
        inside = within(rows.paid_at, view, window)
        count = _column(f"payment_count_{window}m", f"Payments in {window} month(s)", f"近{window}个月缴费次数", "count")
        amount = _column(f"payment_amount_{window}m", f"Paid in {window} month(s)", f"近{window}个月缴费额", "money")
        features += [
            Feature(count, number(inside.sum())),
            Feature(amount, number(rows.amount.sum(where=inside)).fill_null(0.0)),
        ]
    since = _column("days_since_payment", "Days since the last payment", "距上次缴费天数", "days")
    features.append(Feature(since, days_since(rows.paid_at.max(), view.moment)))
    if "channel" in rows.columns:
        channel = FeatureColumn(
            name="payment_channel",
            en="Channel of the last payment",
            zh="最近缴费渠道",
            unit="category",
            null="no payment",
            reason="payment",
            kind="category",
        )
        features.append(Feature(channel, rows.channel.max(where=rows["last"])))
    if "balance_after" in rows.columns:
        balance = FeatureColumn(
            name="balance_last",
            en="Balance after the last payment",
            zh="最近缴费后余额",
            unit="money",
            null="no payment",
            reason="balance",
        )
        features.append(Feature(balance, number(rows.balance_after.max(where=rows["last"]))))
    return rows, features


def _column(name: str, en: str, zh: str, unit: str) -> FeatureColumn:
    return FeatureColumn(name=name, en=en, zh=zh, unit=unit, null="no payment in the longest window", reason="payment")
