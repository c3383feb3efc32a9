"""Complaints: how many, how long ago, open now, repeated, escalated, justified, how long they took."""

from __future__ import annotations

from typing import Literal

import ibis
from ibis.expr.types import Value

from custvalue.features.blocks import Feature, View, number
from custvalue.features.columns import FeatureColumn
from custvalue.features.dated import days_since, within

_DAY_SECONDS = 86_400.0


def define(table: ibis.Table, view: View) -> tuple[ibis.Table, list[Feature]]:
    """Features of the complaints of the longest window and of every one still open."""
    moment = view.moment
    still_open = table.closed_at.isnull() if "closed_at" in table.columns else ibis.literal(False)
    rows = table.filter(within(table.opened_at, view, view.longest) | still_open)
    features = [
        _feature(
            "days_since_complaint",
            "Days since the last complaint",
            "距上次投诉天数",
            "days",
            days_since(rows.opened_at.max(), moment),
        ),
    ]
    for window in view.windows:
        inside = within(rows.opened_at, view, window)
        features.append(
            _feature(
                f"complaint_count_{window}m",
                f"Complaints in {window} month(s)",
                f"近{window}个月投诉次数",
                "count",
                number(inside.sum()),
                1,
            )
        )
        if "repeat_of" in rows.columns:
            repeated = (inside & rows.repeat_of.notnull()).sum()
            features.append(
                _feature(
                    f"complaint_repeat_{window}m",
                    f"Repeat complaints in {window} month(s)",
                    f"近{window}个月重复投诉次数",
                    "count",
                    number(repeated),
                    1,
                )
            )
        if "escalated" in rows.columns:
            escalated = (inside & rows.escalated).sum()
            features.append(
                _feature(
                    f"complaint_escalated_{window}m",
                    f"Escalated complaints in {window} month(s)",
                    f"近{window}个月升级投诉次数",
                    "count",
                    number(escalated).fill_null(0.0),
                    1,
                )
            )
    if "closed_at" in rows.columns:
        features += _handling(rows, view)
    return rows, features


def _handling(rows: ibis.Table, view: View) -> list[Feature]:
    moment, months = view.moment, view.longest
    opened = rows.closed_at.isnull()
    seconds = rows.closed_at.epoch_seconds() - rows.opened_at.epoch_seconds()
    features = [
        _feature("complaint_open", "Complaints open now", "未闭环投诉数", "count", number(opened.sum()), 1),
        _feature(
            "complaint_open_days",
            "Age of the oldest open complaint",
            "最早未闭环投诉天数",
            "days",
            days_since(rows.opened_at.min(where=opened), moment),
        ),
        _feature(
            f"complaint_close_days_mean_{months}m",
            f"Mean days to close, {months} months",
            f"近{months}个月平均处理天数",
            "days",
            number(seconds.sum()) / number(seconds.count()).nullif(0.0) / _DAY_SECONDS,
        ),
    ]
    if "justified" in rows.columns:
        features.append(
            _feature(
                "days_since_justified_complaint",
                "Days since the last justified complaint",
                "距上次有理投诉天数",
                "days",
                days_since(rows.opened_at.max(where=rows.justified), moment),
            )
        )
    return features


def _feature(name: str, en: str, zh: str, unit: str, value: Value, sign: Literal[-1, 0, 1] = 0) -> Feature:
    null = "no complaint" if unit == "count" else "no such complaint"
    return Feature(FeatureColumn(name=name, en=en, zh=zh, unit=unit, null=null, sign=sign, reason="complaint"), value)
