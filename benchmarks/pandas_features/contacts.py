"""Retention contacts of the past."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, whole_days
from pandas_features.looking import Look

OUTCOMES = {"accepted": ("accepted", "offer_accepted"), "refused": ("refused", "offer_refused")}
STOP = ("do_not_contact", "opted_out")


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Counts of the longest window's contacts, none being zero; who was held out was not contacted."""
    known, months = look.base.known, look.longest
    rows = look.base.rows("contacts", ("contact_id", "contacted_at", "arm", "reached", "outcome"))
    rows = rows[rows["contacted_at"] >= known.months_ago(months)]
    if "arm" in rows:
        rows = rows[(rows["arm"] != "holdout").to_numpy(dtype=bool)]
    customer, when = rows["customer"].to_numpy(), rows["contacted_at"]

    def count(where: np.ndarray) -> np.ndarray:
        return np.bincount(customer[where], minlength=look.size)

    found: dict[str, pd.Series | np.ndarray] = {}
    for window in look.windows:
        inside = (when >= known.months_ago(window)).to_numpy()
        found[f"contact_count_{window}m"] = count(inside)
        if "reached" in rows:
            found[f"contact_reached_{window}m"] = count(inside & (rows["reached"] == 1).to_numpy())
    newest = ByCustomer(customer, look.size).greatest(when, np.ones(len(rows), bool))
    found["days_since_contact"] = whole_days(newest, known.instant)
    if "outcome" in rows:
        outcome = rows["outcome"].astype("str").str.lower()
        for name, texts in OUTCOMES.items():
            found[f"contact_{name}_{months}m"] = count(outcome.isin(texts).to_numpy())
        found["contact_stop"] = count(outcome.isin(STOP).to_numpy()) > 0
    return found
