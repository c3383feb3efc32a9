"""Satisfaction surveys."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import ByCustomer, quotient, whole_days
from pandas_features.looking import Look


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Features of the surveys sent in the longest window; who was sent none is told too."""
    known, months = look.base.known, look.longest
    rows = look.base.rows("surveys", ("survey_id", "asked_at", "answered_at", "kind", "score"))
    rows = rows[rows["asked_at"] >= known.months_ago(months)]
    answer = next((rows[name] for name in ("score", "answered_at") if name in rows), None)
    if answer is None:
        return {}
    rows = rows.assign(
        answered=answer.notna(), told_at=rows["answered_at"].fillna(rows["asked_at"]) if "answered_at" in rows else rows["asked_at"]
    )
    rows = rows.sort_values(["answered", "told_at", "survey_id"]).reset_index(drop=True)
    customer, answered = rows["customer"].to_numpy(), rows["answered"].to_numpy()
    by = ByCustomer(customer, look.size)
    asked, answers = np.bincount(customer, minlength=look.size), np.bincount(customer[answered], minlength=look.size)
    found: dict[str, pd.Series | np.ndarray] = {
        "survey_never_asked": asked == 0,
        "survey_no_answer": (asked > 0) & (answers == 0),
        f"survey_count_{months}m": asked,
        f"survey_answered_share_{months}m": quotient(answers, asked),
        "days_since_survey": whole_days(by.greatest(rows["told_at"], answered), known.instant),
    }
    if "score" in rows:
        score = rows["score"].to_numpy(dtype=float, na_value=np.nan)
        found["survey_score_last"] = by.placed(rows["score"], answered & ~rows["customer"].duplicated(keep="last").to_numpy())
        found[f"survey_score_mean_{months}m"] = quotient(by.sum(score, answered), answers)
        if "kind" in rows:
            after = rows[rows["answered"] & (rows["kind"] == "after_complaint")].drop_duplicates("customer", keep="last")
            found["survey_score_complaint"] = after.set_index("customer")["score"].reindex(range(look.size))
    return found
