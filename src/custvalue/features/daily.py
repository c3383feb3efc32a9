"""Days: silence and activity, use of the last week against the month before it, the balance and how long it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import ibis
from ibis.expr.types import BooleanValue, Value

from custvalue.features.blocks import Feature, View, divided, number, only
from custvalue.features.columns import FeatureColumn
from custvalue.features.day_bits import DayBits, bit_count, day_masks, longest_run
from custvalue.features.monthly import with_lag

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
    if "balance" in table.columns:  # one join brings the bill, and leaves out who is not asked for
        table = view.rows("daily", view.base.keep(_daily_bill(view)))
    rows = table.filter((table.day > newest - timedelta(days=LOOK_BACK_DAYS)) & (table.day <= newest))
    rows = rows.mutate(age=-rows.day.delta(ibis.literal(newest), unit="day"))
    aggregates: dict[str, Value] = {}
    if (moving := _moving(rows)) is not None:
        aggregates |= day_masks("active", moving, rows.age, LOOK_BACK_DAYS) | day_masks("silent", ~moving, rows.age, LOOK_BACK_DAYS)
    used = [name for name in _USE if name in rows.columns]
    for name in used:
        aggregates |= _spans(rows, name)
    if "balance" in rows.columns:
        aggregates |= _balances(rows)
    row = rows.group_by("customer_id").agg(**aggregates)
    features = [] if moving is None else _activity(row, view)
    features += [feature for name in used for feature in _week(row, name)]
    return row, features + (_balance(row) if "balance" in rows.columns else [])


def _moving(rows: ibis.Table) -> BooleanValue | None:
    """Whether the customer was active on the day: as the feed says, else by whether there was any use; None where neither is mapped."""
    if "active" in rows.columns:
        return rows.active
    used = [rows[name] > 0 for name in _USE if name in rows.columns]
    return ibis.or_(*(flag.fill_null(False) for flag in used)) if used else None


def _activity(row: ibis.Table, view: View) -> list[Feature]:
    active, silent = (DayBits.of(row, name, LOOK_BACK_DAYS) for name in ("active", "silent"))
    known = (active.newest(_MONTH) | silent.newest(_MONTH)) != 0
    run = ibis.ifelse(known, longest_run(silent, active, _MONTH), None)
    last = number(active.newest_age() + (1 + view.delay_days))
    features = [
        _days(
            "silent_days", "Silent days up to the newest known day", "当前连续沉默天数", number(silent.count_before_first(active)), sign=1
        ),
        _days("silent_run_30d", "Longest run of silent days in 30", "近30天最长连续沉默天数", number(run)),
        _days("days_since_active", "Days since the last active day", "距最近活跃天数", last),
    ]
    for days in (_WEEK, _MONTH):
        count = number(bit_count(active.newest(days)))
        features.append(_days(f"active_days_{days}d", f"Active days of the last {days}", f"近{days}天活跃天数", count))
    return features


def _spans(rows: ibis.Table, amount: str) -> dict[str, Value]:
    """Sum and number of the known amounts of the last week, and of the thirty days before it."""
    week, month = rows.age < _WEEK, (rows.age >= _WEEK) & (rows.age < _WEEK + _MONTH)
    parts = {"week": only(rows[amount], week), "before": only(rows[amount], month)}
    sums = {f"{amount}_{part}_sum": value.sum() for part, value in parts.items()}
    return sums | {f"{amount}_{part}_count": value.count() for part, value in parts.items()}


def _week(row: ibis.Table, amount: str) -> list[Feature]:
    """Use a day of the last seven days, of the thirty before them, and how far it fell."""
    name, en, zh, unit, reason = _USE[amount]
    now, before = (divided(row[f"{amount}_{part}_sum"], row[f"{amount}_{part}_count"]) for part in ("week", "before"))
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
    months = replace(view, windows=(_BILL_MONTHS,), delay_days=view.delays.get("billing", 0))
    recent = with_lag(view.base.tables["billing"], months)
    mean = divided(recent.revenue.sum(), recent.revenue.count())
    return recent.group_by("customer_id").agg(daily_bill=ibis.ifelse(mean > 0, mean / _MONTH, None))


def _balances(rows: ibis.Table) -> dict[str, Value]:
    """Balance of the newest known day (a customer has at most one row a day), days when it was short, and the mean bill a day."""
    short = number(rows.balance) < rows.daily_bill * _SHORT_DAYS  # null where either is not known
    return {
        "newest_balance": rows.balance.argmax(rows.day, where=rows.balance.notnull()),
        "short_days": only(short.cast("int8"), rows.age < _MONTH).sum(),
        "daily_bill": rows.daily_bill.max(),
    }


def _balance(row: ibis.Table) -> list[Feature]:
    now, null = number(row.newest_balance), "no balance or no bill known"
    en, zh = "Days of the last 30 with a balance under three days of the mean bill", "近30天余额不足三天消费的天数"
    lasts, short = now / row.daily_bill, number(row.short_days)
    return [
        _feature("balance_now", "Balance of the newest known day", "当前余额", "money", now, "balance", null="no balance known"),
        _feature("balance_lasts_days", "Days that the balance lasts at the mean bill", "余额可用天数", "days", lasts, "balance", null=null),
        _feature("short_balance_days_30d", en, zh, "days", short, "balance", null=null),
    ]


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
