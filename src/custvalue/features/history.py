"""What a customer's own months tell of an amount: level, fall, trend, volatility, and how unusual the newest month is."""

from __future__ import annotations

import ibis

from custvalue.features.blocks import Feature, divided
from custvalue.features.monthly import Amount, Months
from custvalue.features.sums import LEAST_MONTHS

_NOISE = 1e-9
"""A standard deviation of this share of the mean is rounding."""


def amount_features(months: Months, amount: Amount) -> list[Feature]:
    """Give the features of one amount for every window.

    A month without a row counts neither as zero nor at all. ``drop`` compares the newest month with the mean of the window's
    earlier months; ``trend`` is the least-squares slope a month over the mean; ``cv`` the standard deviation (n − 1) over the mean.

    Parameters
    ----------
    months : Months
        Months side by side, the amount among them.
    amount : Amount
        The amount.
    """
    features = []
    scale = months.scales[amount.name]
    for window in months.view.windows:
        level = amount.column(f"mean_{window}m", f"mean of {window} month(s)", f"近{window}个月月均")
        features.append(Feature(level, months.mean(amount.name, window)))
        if window == 1:
            continue
        rest = window - 1
        total, known = months.before(amount.name, window)
        before = amount.column(f"before_{window}m", f"mean of the {rest} month(s) before the last", f"上月之前{rest}个月月均")
        fall = amount.column(f"drop_{window}m", f"fall of the last month against the {rest} before", f"上月较前{rest}个月降幅", "share")
        # subtracted while whole, so that a bill that never changes falls by nothing
        drop = ibis.ifelse(total > 0, (total - known * months.value(amount.name, 0)) / total, None)
        features += [Feature(before, total / known.nullif(0.0) / scale), Feature(fall, drop)]
        if amount.shape and window >= LEAST_MONTHS:
            features += _shape(months, amount, window)
    return features


def _shape(months: Months, amount: Amount, window: int) -> list[Feature]:
    known, total = months.known(amount.name, window), months.total(amount.name, window)
    sums = months.moments(amount.name, window)
    enough = (known >= LEAST_MONTHS) & (total > 0)
    slope = (sums.lags * sums.off - known * sums.cross) / (known * sums.lag_squares - sums.lags * sums.lags)
    variance = ibis.greatest(known * sums.square - sums.off * sums.off, 0.0) / (known * (known - 1.0))
    trend = amount.column(
        f"trend_{window}m", f"slope a month over {window} months, share of the mean", f"近{window}个月月趋势占均值比", "share"
    )
    volatility = amount.column(f"cv_{window}m", f"volatility over {window} months, share of the mean", f"近{window}个月波动系数", "share")
    return [
        Feature(trend, ibis.ifelse(enough, slope * known / total, None)),
        Feature(volatility, ibis.ifelse(enough, variance.sqrt() * known / total, None)),
    ]


def zero_months(months: Months, amount: Amount) -> list[Feature]:
    """Count the months of each window longer than one in which the amount was zero."""
    features = []
    for window in months.view.windows:
        if window > 1:
            zero = months.zeros(amount.name, window)
            column = amount.column(f"zero_months_{window}m", f"months without any in {window} months", f"近{window}个月为零的月数", "count")
            features.append(Feature(column, ibis.ifelse(months.known(amount.name, window) > 0, zero, None)))
    return features


def unusual(months: Months, amount: Amount, of: str, measure: tuple[str, str]) -> list[Feature]:
    """Give the z-score of the newest month against the customer's own earlier months of the longest window.

    Mean and standard deviation (n − 1) are those of the earlier months; at least three must be known and differ.

    Parameters
    ----------
    months : Months
        Months side by side.
    amount : Amount
        The amount to speak of.
    of : str
        The amount or rate that is compared.
    measure : tuple of str
        What that is, in English and Chinese, such as per active day; empty for the amount itself.
    """
    window = months.view.longest
    if window <= LEAST_MONTHS:
        return []
    known, mean, variance = months.earlier(of)
    spread = variance.sqrt()
    usable = (known >= LEAST_MONTHS) & (spread > mean.abs() * _NOISE)
    column = amount.column(
        f"z_{window}m",
        f"last month{measure[0]}, in standard deviations from the {window - 1} months before",
        f"上月{measure[1]}偏离自身前{window - 1}个月均值的标准差倍数",
        "deviations",
        "fewer than three earlier months are known, or they do not differ",
    )
    return [Feature(column, ibis.ifelse(usable, (months.value(of, 0) - mean) / spread, None))]


def adjusted_drop(months: Months, amount: Amount) -> list[Feature]:
    """Give the fall of the newest month beyond that of the customer's region in the same months; see `seasons.movements`."""
    features = []
    for window in months.view.windows:
        if window > 1:
            total, known = months.before(amount.name, window)
            own = divided(months.value(amount.name, 0) * known, total)
            season = months.season(amount.name, window)
            column = amount.column(
                f"season_drop_{window}m",
                f"fall of the last month against the {window - 1} before, beyond the region's in the same months",
                f"扣除地区同期变化，上月较前{window - 1}个月降幅",
                "share",
                "too few months are known, of the customer or of the region",
            )
            features.append(Feature(column, ibis.ifelse((total > 0) & (season > 0), 1.0 - own / season, None)))
    return features
