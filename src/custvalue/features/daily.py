"""Days: silence and activity, use of the last week against the month before it, the balance and how long it lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_until
from custvalue.sources import month_index

LOOK_BACK_DAYS = 90
"""Silence is told up to so many days: a prepaid line that is silent for longer counts as gone."""

_WEEK, _MONTH = 7, 30
_SHORT_DAYS, _BILL_MONTHS = 3, 3
"""A balance is short below three days of the mean bill of three months."""

_USE = {"voice_minutes": ("voice", "Calls", "通话", "minutes", "voice_use"), "data_mb": ("data", "Data", "流量", "MB", "data_use")}


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the last ninety days that can be known.

    A day without a row is unknown: it counts neither as active nor as silent, and does not end a run of silent days. A feed that is late
    is thus not taken for silence; `silent_days` ends with the newest day that a customer has a row of.
    """
    newest = view.moment.day - timedelta(days=1 + view.delay_days)
    rows = table.filter((table.day > newest - timedelta(days=LOOK_BACK_DAYS)) & (table.day <= newest))
    rows = rows.mutate(age=-rows.day.delta(ibis.literal(newest), unit="day"))
    features: list[Feature] = []
    if (moving := _moving(rows)) is not None:
        rows = rows.mutate(moving=moving)
        rows = rows.left_join(_silence(rows), "customer_id").drop("customer_id_right")
        features += _activity(rows, view)
    features += [feature for name in _USE if name in rows.columns for feature in _week(rows, name)]
    if "balance" in rows.columns:
        rows = rows.left_join(_daily_bill(view), "customer_id").drop("customer_id_right")
        features += _balance(rows)
    return rows, features


def _moving(rows: ibis.Table) -> BooleanValue | None:
    """Whether the customer was active on the day: as the feed says, else by whether there was any use; None where neither is mapped."""
    if "active" in rows.columns:
        return rows.active
    used = [rows[name] > 0 for name in _USE if name in rows.columns]
    return ibis.or_(*(flag.fill_null(False) for flag in used)) if used else None


def _silence(rows: ibis.Table) -> ibis.Table:
    """Age of the last active day, and longest run of silent days in thirty, by customer.

    Silent days that follow the same active one stand together in a run.
    """
    last = rows.group_by("customer_id").agg(last_active=rows.age.min(where=rows.moving))
    recent = rows.filter((rows.age < _MONTH) & rows.moving.notnull())
    so_far = ibis.window(group_by="customer_id", order_by="day", preceding=None, following=0)
    recent = recent.mutate(active_before=recent.moving.cast("int64").sum().over(so_far))
    runs = recent.group_by("customer_id", "active_before").agg(silent=(~recent.moving).sum())
    longest = runs.group_by("customer_id").agg(silent_run=runs.silent.max())
    return last.left_join(longest, "customer_id").drop("customer_id_right")


def _activity(rows: ibis.Table, view: View) -> list[Feature]:
    silent = rows.age.count(where=~rows.moving & (rows.age < ibis.coalesce(rows.last_active, LOOK_BACK_DAYS)))
    features = [
        _days("silent_days", "Silent days up to the newest known day", "当前连续沉默天数", number(silent), sign=1),
        _days("silent_run_30d", "Longest run of silent days in 30", "近30天最长连续沉默天数", number(rows.silent_run.max())),
        _days(
            "days_since_active",
            "Days since the last active day",
            "距最近活跃天数",
            -days_until(rows.day.max(where=rows.moving), view.moment),
        ),
    ]
    for days in (_WEEK, _MONTH):
        active = number(rows.age.count(where=rows.moving & (rows.age < days)))
        features.append(_days(f"active_days_{days}d", f"Active days of the last {days}", f"近{days}天活跃天数", active))
    return features


def _week(rows: ibis.Table, amount: str) -> list[Feature]:
    """Use a day of the last seven days, of the thirty before them, and how far it fell."""
    name, en, zh, unit, reason = _USE[amount]
    value, week = rows[amount], rows.age < _WEEK
    month = ~week & (rows.age < _WEEK + _MONTH)
    now, before = (divided(value.sum(where=days), value.count(where=days)) for days in (week, month))
    fall = ibis.ifelse(before > 0, (before - now) / before.nullif(0.0), None)
    null = "none of these days is known"
    return [
        _feature(f"{name}_a_day_7d", f"{en} a day, last 7 days", f"近7天日均{zh}", unit, now, reason, null=null),
        _feature(
            f"{name}_a_day_before", f"{en} a day, the 30 days before the last 7", f"近7天之前30天日均{zh}", unit, before, reason, null=null
        ),
        _feature(
            f"{name}_a_day_drop",
            f"{en} a day, fall of the last 7 days against the 30 before",
            f"近7天日均{zh}较之前30天降幅",
            "share",
            fall,
            reason,
            null="no use in the days before, or none of these days is known",
        ),
    ]


def _daily_bill(view: View) -> ibis.Table:
    """Mean bill a day of the last three months by customer, over thirty days a month; null where it is not above zero."""
    billing = view.tables["billing"]
    newest = month_index(view.moment.newest_month(view.delays.get("billing", 0)))
    lag = newest - (billing.month.year() * 12 + billing.month.month())
    recent = billing.filter((lag >= 0) & (lag < _BILL_MONTHS))
    mean = divided(recent.revenue.sum(), recent.revenue.count())
    return recent.group_by("customer_id").agg(daily_bill=ibis.ifelse(mean > 0, mean / _MONTH, None))


def _balance(rows: ibis.Table) -> list[Feature]:
    balance = rows.balance
    # the key is customer and day, so that only one row is the newest
    now = number(balance.argmax(rows.day, where=balance.notnull()))
    short = number(balance) < rows.daily_bill * _SHORT_DAYS  # null where either is not known
    features = [_feature("balance_now", "Balance of the newest known day", "当前余额", "money", now, "balance", null="no balance known")]
    lasts = now / rows.daily_bill.max()
    null = "no balance or no bill known"
    features.append(
        _feature("balance_lasts_days", "Days that the balance lasts at the mean bill", "余额可用天数", "days", lasts, "balance", null=null)
    )
    days = number(short.sum(where=rows.age < _MONTH))
    en, zh = "Days of the last 30 with a balance under three days of the mean bill", "近30天余额不足三天消费的天数"
    features.append(_feature("short_balance_days_30d", en, zh, "days", days, "balance", null=null))
    return features


def _days(name: str, en: str, zh: str, value: Value, *, sign: Literal[-1, 0, 1] = 0) -> Feature:
    return _feature(name, en, zh, "days", value, "silence", null=f"no such day known in {LOOK_BACK_DAYS}", sign=sign)


def _feature(
    name: str,
    en: str,
    zh: str,
    unit: str,
    value: Value,
    reason: str,
    *,
    null: str,
    sign: Literal[-1, 0, 1] = 0,
) -> Feature:
    return Feature(FeatureColumn(name=name, en=en, zh=zh, unit=unit, null=null, reason=reason, sign=sign), value)
