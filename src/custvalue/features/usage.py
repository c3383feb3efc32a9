"""Use of the network by month: voice, data, messages, roaming, active days."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, View
from custvalue.features.monthly import Amount, describe, with_lag, zero_months

_VOICE = Amount("voice_minutes", "Voice minutes", "通话分钟数", "minutes", "voice_use", shape=True)
_DATA = Amount("data_mb", "Data use", "流量", "MB", "data_use", shape=True)
_AMOUNTS = (
    _VOICE,
    _DATA,
    Amount("sms_count", "Messages", "短信条数", "count", "sms_use"),
    Amount("roaming_days", "Roaming days", "漫游天数", "days", "roaming"),
    Amount("active_days", "Active days", "活跃天数", "days", "activity"),
)


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of each mapped kind of use."""
    rows = with_lag(table, view)
    features = [f for amount in _AMOUNTS if amount.name in rows.columns for f in describe(rows, amount, view)]
    for amount in (_VOICE, _DATA):
        if amount.name in rows.columns:
            features += zero_months(rows, amount, view)
    return rows, features
