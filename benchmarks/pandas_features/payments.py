"""Payments and recharges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, days, quotient, whole_days
from pandas_features.looking import Look


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Features of the payments of the longest window."""
    known = look.base.known
    rows = look.base.rows("payments", ("payment_id", "paid_at", "amount", "channel", "balance_after"))
    rows = rows[rows["paid_at"] >= known.months_ago(look.longest)]
    tied = rows.duplicated(["customer", "paid_at"]).any()  # only then do texts have to be sorted
    rows = rows.sort_values(["paid_at", "payment_id"] if tied else "paid_at").reset_index(drop=True)
    by = ByCustomer(rows["customer"].to_numpy(), look.size)
    paid_at, amount = rows["paid_at"], rows["amount"].to_numpy()
    everything = np.ones(len(rows), bool)
    found: dict[str, pd.Series | np.ndarray] = {}
    for window in look.windows:
        inside = (paid_at >= known.months_ago(window)).to_numpy()
        found[f"payment_count_{window}m"] = by.count(inside)
        found[f"payment_amount_{window}m"] = by.sum(amount, inside)
    last = ~rows["customer"].duplicated(keep="last").to_numpy()
    before_last = np.zeros(len(rows), bool)
    before_last[np.flatnonzero(~last)[~rows["customer"][~last].duplicated(keep="last").to_numpy()]] = True
    clock = paid_at.dt.floor("s")
    newest, oldest = by.placed(clock, last), by.least(clock, everything)
    span, step = days(newest - oldest), days(newest - by.placed(clock, before_last))
    mean_interval = quotient(span, by.count(everything) - 1)
    found["days_since_payment"] = since = whole_days(newest, known.instant)
    found[f"payment_mean_{look.longest}m"] = quotient(by.sum(amount, everything), by.count(~np.isnan(amount)))
    found[f"payment_interval_mean_{look.longest}m"] = mean_interval
    found["payment_interval_ratio"] = quotient(step, mean_interval)
    found["payment_wait_ratio"] = quotient(since, mean_interval)
    if "channel" in rows:
        found["payment_channel"] = by.placed(rows["channel"], last)
    if "balance_after" in rows:
        found["balance_last"] = by.placed(rows["balance_after"], last)
    return found
