"""Complaints."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, days, quotient, whole_days
from pandas_features.looking import Look

COLUMNS = ("complaint_id", "opened_at", "closed_at", "escalated", "justified", "repeat_of")


def build(look: Look) -> dict[str, np.ndarray]:
    """Features of the complaints opened in the longest window or still open, but for those that announce a departure."""
    known = look.base.known
    rows = look.complaints(COLUMNS)
    if "repeat_of" in rows:
        again = rows[rows["repeat_of"].notna()].groupby(["customer", "repeat_of"])["opened_at"].min()
        rows = rows.join(again.rename("made_again").rename_axis(["customer", "complaint_id"]), on=["customer", "complaint_id"])
    keep = rows["opened_at"] >= known.months_ago(look.longest)
    if "closed_at" in rows:
        keep |= rows["closed_at"].isna()
    rows = rows[keep].reset_index(drop=True)
    by = ByCustomer(rows["customer"].to_numpy(), look.size)
    everything = np.ones(len(rows), bool)
    found = {"days_since_complaint": whole_days(by.greatest(rows["opened_at"], everything), known.instant)}
    found |= _counts(rows, by, look)
    escalated, justified = (rows[name].to_numpy() == 1 if name in rows else None for name in ("escalated", "justified"))
    if escalated is not None:
        found["days_since_escalated_complaint"] = whole_days(by.greatest(rows["opened_at"], escalated), known.instant)
    if "closed_at" in rows:
        found |= _open(rows, by, look) | _handling(rows, by, look)
        if justified is not None:
            found["days_since_justified_complaint"] = whole_days(by.greatest(rows["opened_at"], justified), known.instant)
    return found


def _counts(rows: pd.DataFrame, by: ByCustomer, look: Look) -> dict[str, np.ndarray]:
    found = {}
    opened = {window: (rows["opened_at"] >= look.base.known.months_ago(window)).to_numpy() for window in look.windows}
    for window, inside in opened.items():
        found[f"complaint_count_{window}m"] = by.count(inside)
        if "repeat_of" in rows:
            found[f"complaint_repeat_{window}m"] = by.count(inside & rows["repeat_of"].notna().to_numpy())
        if "escalated" in rows:
            found[f"complaint_escalated_{window}m"] = by.count(inside & (rows["escalated"] == 1).to_numpy())
    if "category" in rows:
        for name in look.settings.complaint_categories:
            about = (rows["category"] == name.lower()).to_numpy()
            column = re.sub(r"\W+", "_", name.lower()).strip("_")
            found[f"complaint_about_{column}_{look.recent}m"] = by.count(opened[look.recent] & about)
    return found


def _open(rows: pd.DataFrame, by: ByCustomer, look: Look) -> dict[str, np.ndarray]:
    still = rows["closed_at"].isna().to_numpy()
    age = whole_days(by.least(rows["opened_at"], still), look.base.known.instant)
    found = {"complaint_open": by.count(still), "complaint_open_days": age}
    if "repeat_of" in rows:
        found["complaint_repeat_open"] = by.count(still & rows["repeat_of"].notna().to_numpy())
    return found


def _handling(rows: pd.DataFrame, by: ByCustomer, look: Look) -> dict[str, np.ndarray]:
    closed = rows["closed_at"].notna().to_numpy()
    took = pd.Series(days(rows["closed_at"].dt.floor("s") - rows["opened_at"].dt.floor("s")))
    last = by.greatest(rows["closed_at"], closed).reindex(rows["customer"]).to_numpy() == rows["closed_at"].to_numpy()
    found = {
        f"complaint_close_days_mean_{look.longest}m": quotient(by.sum(took.to_numpy(), closed), by.count(closed)),
        "complaint_close_days_last": by.greatest(took, last).to_numpy(),
    }
    if "made_again" in rows:
        again = (rows["made_again"].dt.floor("s") - rows["opened_at"].dt.floor("s")) <= pd.Timedelta(days=30)
        settled = closed & (took <= 1).to_numpy() & ~again.to_numpy()
        found[f"complaint_first_contact_share_{look.longest}m"] = quotient(by.count(settled), by.count(closed))
    return found
