"""Who the customer is, and the changes of plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import quotient
from pandas_features.looking import Look


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Whole months since joining, the facts in force, and how often, when and into which direction the plan changed."""
    current = look.base.current
    found: dict[str, pd.Series | np.ndarray] = {"tenure_months": whole_months(current["joined_on"], look.base.known.day)}
    found |= {name: current[name] for name in ("plan", "segment", "region") if name in current}
    return found | (_changes(look) if "plan" in current else {})


def whole_months(past: pd.Series, day: pd.Timestamp) -> np.ndarray:
    """Whole months from a day to another."""
    months = (day.year - past.dt.year) * 12 + day.month - past.dt.month - (past.dt.day > day.day)
    return months.where(past.notna()).to_numpy(dtype=float, na_value=np.nan)


def _changes(look: Look) -> dict[str, np.ndarray]:
    day, base = look.base.known.day, look.base
    versions = base.own(base.versions, "valid_from")
    versions = versions[(versions["joined_on"] <= day) & versions["plan"].notna()]
    versions = versions[["customer", "plan", "valid_from"]].sort_values(["customer", "valid_from"])
    earlier = versions.shift()
    changed = (versions["customer"] == earlier["customer"]) & (versions["plan"].cat.codes != versions["plan"].cat.codes.shift())
    changes = versions[changed].assign(before=earlier["plan"][changed])
    lately = changes["customer"][changes["valid_from"] > day - pd.DateOffset(months=look.longest)]
    last = changes.drop_duplicates("customer", keep="last").set_index("customer").reindex(range(look.size))
    found = {
        "months_since_plan_change": whole_months(last["valid_from"], day),
        f"plan_changes_{look.longest}m": np.bincount(lately, minlength=look.size),
    }
    if "rent" not in base.known.columns("billing"):
        return found
    rents = _rents(look)
    now, before = (plans.map(rents).to_numpy(dtype=float, na_value=np.nan) for plans in (base.current["plan"], last["before"]))
    return found | {"plan_change_step": quotient(now - before, before)}


def _rents(look: Look) -> pd.Series:
    """Mean rent by plan on the recent bills of customers whose row in force is at least a month older than those."""
    current, known = look.base.current, look.base.known
    steady = current["plan"].where(current["valid_from"] <= known.day - pd.DateOffset(months=look.recent + 1))
    bills = look.months("billing", ("rent",), look.recent)
    return bills["rent"].groupby(steady.to_numpy()[bills["customer"]]).mean()
