"""Use of the network by month."""

from __future__ import annotations

import numpy as np

from pandas_features.grouping import quotient
from pandas_features.looking import Look
from pandas_features.monthly import Amount, amounts, for_thirty_days, levels, season_drops, unusual, zero_months

SHAPED = ("voice_minutes", "data_mb")
LEVELS = (*SHAPED, "sms_count", "roaming_days", "active_days", "distinct_peers")
SERVICES = (*SHAPED, "sms_count", "roaming_days")
BY_DAY = (*SHAPED, "sms_count", "active_days")
"""These grow with the days of a month: they are told for one of thirty days."""


def build(look: Look) -> dict[str, np.ndarray]:
    """Features of each mapped kind of use."""
    by_name = amounts(look, "usage", (*LEVELS, "off_net_share"))
    for name in BY_DAY:
        if name in by_name:
            by_name[name] = for_thirty_days(by_name[name], look)
    found: dict[str, np.ndarray] = {}
    for name in LEVELS:
        if name in by_name:
            found |= levels(by_name[name], look.windows, shape=name in SHAPED)
    for name in SHAPED:
        if name in by_name:
            found |= zero_months(by_name[name], look.windows) | season_drops(by_name[name], look)
            days = by_name.get("active_days")
            a_day = Amount(name, quotient(by_name[name].months, days.months)) if days else by_name[name]
            found |= unusual(a_day, name, look.longest)
    if "off_net_share" in by_name:
        share = by_name["off_net_share"]
        found["off_net_share_mean_1m"] = share.newest
        found |= {f"off_net_share_shift_{window}m": share.newest - share.mean(window, first=1) for window in look.windows if window > 1}
    services = [by_name[name] for name in SERVICES if name in by_name]
    for window in sorted({1, look.recent}) if services else ():
        used = np.sum([service.total(window) > 0 for service in services], axis=0)
        known = np.any([service.known(window) > 0 for service in services], axis=0)
        found[f"services_used_{window}m"] = np.where(known, used, np.nan)
    return found
