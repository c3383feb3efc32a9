"""Use of the network by month: voice, data, messages, roaming, active days, peers and the share of calls to other networks."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, View
from custvalue.features.columns import FeatureColumn
from custvalue.features.history import adjusted_drop, amount_features, unusual, zero_months
from custvalue.features.monthly import Amount, Months, side_by_side, with_lag
from custvalue.features.sums import add_up

_TRAFFIC = "traffic_data_consent"
_VOICE = Amount("voice_minutes", "Voice minutes in 30 days", "30天通话分钟数", "minutes", "voice_use", shape=True, by_day=True)
_DATA = Amount("data_mb", "Data use in 30 days", "30天流量", "MB", "data_use", shape=True, by_day=True)
_LEVELS = (
    _VOICE,
    _DATA,
    Amount("sms_count", "Messages in 30 days", "30天短信条数", "count", "sms_use", by_day=True),
    Amount("roaming_days", "Roaming days", "漫游天数", "days", "roaming"),
    Amount("active_days", "Active days of 30", "30天活跃天数", "days", "activity", by_day=True),
    Amount("distinct_peers", "People called", "通话对端数", "count", "peers", consent=_TRAFFIC),
)
_OFF_NET = Amount("off_net_share", "Share of use with other networks", "网外使用占比", "share", "off_net", monthly=True, consent=_TRAFFIC)
_SERVICES = ("voice_minutes", "data_mb", "sms_count", "roaming_days")


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of each mapped kind of use."""
    rows = with_lag(table, view)
    levels = [amount for amount in _LEVELS if amount.name in rows.columns]
    shaped = [amount for amount in levels if amount.shape]
    wanted = [*levels, *([_OFF_NET] if _OFF_NET.name in rows.columns else [])]
    divisor = "active_days" if "active_days" in rows.columns else None
    months = side_by_side(rows, wanted, view, with_lag(view.base.tables["usage"], view), {amount.name: divisor for amount in shaped})
    features = [feature for amount in levels for feature in amount_features(months, amount)]
    for amount in shaped:
        features += zero_months(months, amount) + adjusted_drop(months, amount)
        of, measure = (f"{amount.name}_rate", (" per active day", "活跃日均")) if divisor else (amount.name, ("", ""))
        features += unusual(months, amount, of, measure)
    if _OFF_NET in wanted:
        features += _shift(months)
    used = [amount.name for amount in levels if amount.name in _SERVICES]
    return months.row, features + (_breadth(months, used) if used else [])


def _shift(months: Months) -> list[Feature]:
    name = _OFF_NET.name
    last = _OFF_NET.column("mean_1m", "last month", "，上月", null="no use last month")
    features = [Feature(last, months.value(name, 0))]
    for window in months.view.windows:
        if window > 1:
            total, known = months.before(name, window)
            column = _OFF_NET.column(
                f"shift_{window}m", f"last month less the mean of the {window - 1} before", f"，上月较前{window - 1}个月均值的变化"
            )
            features.append(Feature(column, months.value(name, 0) - total / known.nullif(0.0)))
    return features


def _breadth(months: Months, services: list[str]) -> list[Feature]:
    """Count the kinds of use of which there was any."""
    features = []
    for window in sorted({1, months.view.recent}):
        kinds = add_up((months.total(name, window) > 0).cast("float64") for name in services)
        known = add_up(months.known(name, window) for name in services)
        column = FeatureColumn(
            name=f"services_used_{window}m",
            en=f"Kinds of use (voice, data, messages, roaming) in {window} month(s)",
            zh=f"近{window}个月使用的业务种类数",
            unit="count",
            null="no month is known",
            reason="services",
        )
        features.append(Feature(column, ibis.ifelse(known > 0, kinds, None)))
    return features
