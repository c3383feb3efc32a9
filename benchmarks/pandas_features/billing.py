"""The bill."""

from __future__ import annotations

import numpy as np

from pandas_features.grouping import quotient
from pandas_features.looking import Look
from pandas_features.monthly import Amount, amounts, levels, season_drops, unusual

LEVELS = ("revenue", "rent", "data", "roaming", "discount")
PARTS = ("data", "roaming", "vas")


def build(look: Look) -> dict[str, np.ndarray]:
    """Features of the bill, of its parts and of arrears."""
    by_name = amounts(look, "billing", (*LEVELS, "vas", "arrears"))
    revenue, longest = by_name["revenue"], look.longest
    found: dict[str, np.ndarray] = {}
    for name in LEVELS:
        if name in by_name:
            found |= levels(by_name[name], look.windows, shape=name == "revenue")
    found |= season_drops(revenue, look) | unusual(revenue, "revenue", longest)
    for name in PARTS:
        if name in by_name:
            found[f"{name}_share_{look.recent}m"] = _share(by_name[name], revenue, look.recent)
    first = longest - np.argmax(revenue.there[::-1], axis=0)  # months since the first bill, that one included
    found[f"bill_missing_months_{longest}m"] = np.where(revenue.there.any(axis=0), first - revenue.known(longest), np.nan)
    if "rent" in by_name:
        for window in sorted({1, look.recent}):
            found[f"overage_mean_{window}m"] = Amount("overage", revenue.months - by_name["rent"].months).mean(window)
    if "arrears" in by_name:
        arrears = by_name["arrears"]
        owing = (arrears.months > 0).sum(axis=0)
        found["arrears_last"] = arrears.newest
        found[f"arrears_months_{longest}m"] = np.where(arrears.there.any(axis=0), owing, np.nan)
    return found


def _share(part: Amount, bill: Amount, window: int) -> np.ndarray:
    usable = (bill.total(window) > 0) & (part.known(window) > 0)
    return np.where(usable, quotient(part.total(window), bill.total(window)), np.nan)
