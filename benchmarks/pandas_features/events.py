"""Events by type; an authorised port is the departure itself, and no feature."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, whole_days
from pandas_features.looking import Look

TYPES = ("port_query", "competitor_hotline", "call_forwarding", "bill_query", "suspension", "plan_change")


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Counts by window and age of the last one, type by type; none is zero."""
    known = look.base.known
    rows = look.base.rows("events", ("event_id", "event_type", "occurred_at"))
    rows = rows[(rows["occurred_at"] >= known.months_ago(look.longest)) & rows["event_type"].isin(TYPES)]
    found: dict[str, pd.Series | np.ndarray] = {}
    for name in TYPES:
        own = rows[rows["event_type"] == name]
        customer, when = own["customer"].to_numpy(), own["occurred_at"]
        for window in look.windows:
            inside = (when >= known.months_ago(window)).to_numpy()
            found[f"{name}_count_{window}m"] = np.bincount(customer[inside], minlength=look.size)
        newest = ByCustomer(customer, look.size).greatest(when, np.ones(len(own), bool))
        found[f"days_since_{name}"] = whole_days(newest, known.instant)
    return found | {"bill_query_months": _months_running(rows[rows["event_type"] == "bill_query"], look)}


def _months_running(queries: pd.DataFrame, look: Look) -> np.ndarray:
    """Months in a row, back from the moment and at most three, with a query in each."""
    known, months = look.base.known, min(3, look.longest)
    asked = np.zeros((look.size, months), bool)
    for back in range(months):
        until = known.months_ago(back) if back else pd.Timestamp.max
        inside = queries["occurred_at"].between(known.months_ago(back + 1), until, inclusive="left")
        asked[queries["customer"][inside], back] = True
    return np.logical_and.accumulate(asked, axis=1).sum(axis=1)
