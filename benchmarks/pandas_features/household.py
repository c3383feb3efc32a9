"""The household and the account."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import quotient
from pandas_features.looking import Look


def build(look: Look) -> dict[str, np.ndarray]:
    """Lines in service, others who left, others' complaints, and bills together, by household and by account."""
    facts = _facts(look)
    found: dict[str, np.ndarray] = {}
    for name in ("household", "account"):
        if f"{name}_id" in look.base.current:
            found |= _of_group(name, look.base.current[f"{name}_id"].cat.codes.to_numpy(), facts, look)
    return found


def _facts(look: Look) -> dict[str, np.ndarray]:
    """What a group adds up, by customer; bills are missing for who has none."""
    known, size, recent = look.base.known, look.size, look.recent
    lines = np.zeros(size)
    lines[look.base.active] = 1
    facts = {"lines": lines}
    left = look.base.rows("departures", ("left_on",))
    for window in look.windows:
        if window >= recent:
            lately = (left["left_on"] <= known.day) & (left["left_on"] > known.day - pd.DateOffset(months=window))
            facts[f"left_{window}m"] = np.bincount(left["customer"][lately], minlength=size).astype(float)
    if known.columns("complaints"):
        complaints = look.complaints(("opened_at",))
        lately = complaints["opened_at"] >= known.months_ago(recent)
        facts[f"complaints_{recent}m"] = np.bincount(complaints["customer"][lately], minlength=size).astype(float)
    bills = look.months("billing", ("revenue",), recent)
    revenue = np.bincount(bills["customer"], weights=bills["revenue"], minlength=size)
    return facts | {f"revenue_{recent}m": np.where(np.bincount(bills["customer"], minlength=size) > 0, revenue, np.nan)}


def _of_group(name: str, codes: np.ndarray, facts: dict[str, np.ndarray], look: Look) -> dict[str, np.ndarray]:
    member = codes >= 0
    found = {}
    for fact, own in facts.items():
        told = member & ~np.isnan(own)
        together = np.bincount(codes[told], weights=own[told], minlength=codes.max(initial=0) + 1)[codes]
        if fact == "lines":
            found[f"{name}_lines"] = np.where(member, together, np.nan)
        elif fact.startswith("revenue"):
            billed = member & (np.bincount(codes[told], minlength=codes.max(initial=0) + 1)[codes] > 0)
            found[f"{name}_{fact}"] = np.where(billed, together, np.nan)
            share = np.where(billed & (together > 0), quotient(own, together), np.nan)
            found[f"{name}_revenue_share_{look.recent}m"] = share
        else:
            found[f"{name}_{fact}"] = np.where(member, together - own, np.nan)
    return found
