"""Level, drop, trend and volatility of a monthly amount, from sums that are exact on every engine."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import NumericColumn, Value

from custvalue.features.blocks import Feature, View, divided, number
from custvalue.features.columns import FeatureColumn
from custvalue.sources import month_index


@dataclass(frozen=True)
class Amount:
    """A monthly amount and how to speak of it.

    Attributes
    ----------
    name : str
        Column of the table.
    en, zh, unit, reason : str
        As in `FeatureColumn`.
    shape : bool
        Also trend and volatility, beside level and drop.
    """

    name: str
    en: str
    zh: str
    unit: str
    reason: str
    shape: bool = False


def with_lag(table: ibis.Table, view: View) -> ibis.Table:
    """Keep the longest window's months and add ``lag``: 0 for the newest month that can be known, 1 for the one before."""
    newest = month_index(view.moment.newest_month(view.delay_days))
    lagged = table.mutate(lag=(newest - (table.month.year() * 12 + table.month.month())).cast("int64"))
    return lagged.filter((lagged.lag >= 0) & (lagged.lag < view.longest))


def describe(rows: ibis.Table, amount: Amount, view: View) -> list[Feature]:
    """Give the features of one amount for every window.

    A month without a row counts neither as zero nor at all. ``drop`` compares the newest month with the mean of the window's
    earlier months; ``trend`` is the least-squares slope a month over the mean; ``cv`` the standard deviation (n − 1) over the mean.

    Parameters
    ----------
    rows : ibis.Table
        Table with `with_lag` applied.
    amount : Amount
        The amount.
    view : View
        Where the block looks from.
    """
    features = []
    values = rows[amount.name]
    for window in view.windows:
        inside = rows.lag < window
        mean = divided(values.sum(where=inside), values.count(where=inside))
        features.append(_feature(amount, f"mean_{window}m", f"mean of {window} month(s)", f"近{window}个月月均", mean))
        if window == 1:
            continue
        earlier = inside & (rows.lag > 0)
        total, months = values.sum(where=earlier), values.count(where=earlier)
        before = divided(total, months)
        newest = values.sum(where=rows.lag == 0)
        drop = ibis.ifelse(total > 0, divided(total - months * newest, total), None)
        rest = window - 1
        features += [
            _feature(
                amount,
                f"before_{window}m",
                f"mean of the {rest} month(s) before the last",
                f"上月之前{rest}个月月均",
                before,
            ),
            _feature(
                amount,
                f"drop_{window}m",
                f"fall of the last month against the {rest} before",
                f"上月较前{rest}个月降幅",
                drop,
                "share",
            ),
        ]
        if amount.shape and window >= 3:
            features += _shape(rows, values, amount, window, mean)
    return features


def _shape(rows: ibis.Table, values: NumericColumn, amount: Amount, window: int, mean: Value) -> list[Feature]:
    inside = rows.lag < window
    there = inside & values.notnull()
    n = values.count(where=inside)
    # 19 digits make the engine multiply in 128 bits; with 18 the product of two volumes overflows 64
    wide = values.cast(f"decimal(19, {values.type().scale})") if values.type().is_decimal() else values
    total, squares = wide.sum(where=inside), (wide * wide).sum(where=inside)
    lag, lag_squares = rows.lag.sum(where=there), (rows.lag * rows.lag).sum(where=there)
    crossed = (wide * rows.lag).sum(where=inside)
    enough = (n >= 3) & (mean > 0)
    # subtracted while exact: in float64 a bill that never changes would vary by 1e-8, by which trees could tell bills apart
    slope = divided(lag * total - n * crossed, n * lag_squares - lag * lag)
    variance = divided(n * squares - total * total, n * (n - 1)).clip(lower=0.0)
    trend = ibis.ifelse(enough, slope / mean, None)
    cv = ibis.ifelse(enough, variance.sqrt() / mean, None)
    return [
        _feature(
            amount,
            f"trend_{window}m",
            f"slope a month over {window} months, share of the mean",
            f"近{window}个月月趋势占均值比",
            trend,
            "share",
        ),
        _feature(
            amount,
            f"cv_{window}m",
            f"volatility over {window} months, share of the mean",
            f"近{window}个月波动系数",
            cv,
            "share",
        ),
    ]


def zero_months(rows: ibis.Table, amount: Amount, view: View) -> list[Feature]:
    """Count the months of each window longer than one in which the amount was zero."""
    zero = rows[amount.name] == 0
    return [
        _feature(
            amount,
            f"zero_months_{window}m",
            f"months without any in {window} months",
            f"近{window}个月为零的月数",
            number(zero.sum(where=rows.lag < window)),
            "count",
        )
        for window in view.windows
        if window > 1
    ]


def _feature(amount: Amount, suffix: str, en: str, zh: str, value: Value, unit: str | None = None) -> Feature:
    column = FeatureColumn(
        name=f"{amount.name}_{suffix}",
        en=f"{amount.en}, {en}",
        zh=f"{amount.zh}{zh}",
        unit=unit or amount.unit,
        null="too few months are known",
        reason=amount.reason,
    )
    return Feature(column, value)
