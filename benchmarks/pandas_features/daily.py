"""Days: silence, activity, use of the last week, balance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pandas_features.grouping import DAY, ByCustomer, quotient
from pandas_features.looking import Look

LOOK_BACK, MONTH, WEEK = 90, 30, 7
USE = {"voice_minutes": "voice", "data_mb": "data"}


def build(look: Look) -> dict[str, pd.Series | np.ndarray]:
    """Features of the ninety days that can be known; a day without a row is neither active nor silent."""
    end = look.base.known.day - look.delay_days.get("daily", 0) * DAY
    among = [("day", ">=", (end - LOOK_BACK * DAY).date()), ("day", "<", end.date())]
    rows = look.base.rows("daily", ("day", "balance", "voice_minutes", "data_mb", "active"), among=among)
    rows["age"] = ((end - rows.pop("day")).dt.days - 1).astype(np.int16)
    by = ByCustomer(rows["customer"].to_numpy(), look.size)
    found: dict[str, pd.Series | np.ndarray] = {}
    used = [(rows[name] > 0).to_numpy() for name in USE if name in rows]
    if "active" in rows:
        found |= _activity(rows, rows["active"].to_numpy(), by, look)
    elif used:
        found |= _activity(rows, np.logical_or.reduce(used).astype(float), by, look)
    for name in USE:
        if name in rows:
            found |= _week(rows, name, by)
    return found | (_balance(rows, by, look) if "balance" in rows else {})


def _activity(rows: pd.DataFrame, active: np.ndarray, by: ByCustomer, look: Look) -> dict[str, np.ndarray]:
    told = ~np.isnan(active)
    age, customer, active = rows["age"].to_numpy()[told], by.customer[told], active[told] == 1
    days = np.zeros((LOOK_BACK, by.size), np.int8)  # 1 active, −1 silent, 0 unknown; the newest day first
    days[age, customer] = np.where(active, 1, -1)
    moving = days == 1
    last_active = np.where(moving.any(axis=0), moving.argmax(axis=0), LOOK_BACK)
    run = longest = np.zeros(by.size)
    for day in days[:MONTH]:
        run = np.where(day == 1, 0, run - np.minimum(day, 0))
        longest = np.maximum(longest, run)
    recent = (days[:MONTH] != 0).any(axis=0)
    found = {
        "silent_days": np.where(by.there, _silent_before(days, last_active), np.nan),
        "silent_run_30d": np.where(recent, longest, np.nan),
        "days_since_active": np.where(last_active < LOOK_BACK, last_active + 1.0 + look.delay_days.get("daily", 0), np.nan),
    }
    return found | {f"active_days_{span}d": np.where(by.there, moving[:span].sum(axis=0), np.nan) for span in (WEEK, MONTH)}


def _silent_before(days: np.ndarray, last_active: np.ndarray) -> np.ndarray:
    """Count silent days since the last active one."""
    return ((days == -1) & (np.arange(LOOK_BACK)[:, None] < last_active)).sum(axis=0)


def _week(rows: pd.DataFrame, name: str, by: ByCustomer) -> dict[str, np.ndarray]:
    value, age = rows[name].to_numpy(), rows["age"].to_numpy()
    told = ~np.isnan(value)
    spans = (age < WEEK, (age >= WEEK) & (age < WEEK + MONTH))
    now, before = (quotient(by.sum(value, span), by.count(span & told)) for span in spans)
    fall = np.where(before > 0, 1.0 - quotient(now, before), np.nan)
    return {f"{USE[name]}_a_day_7d": now, f"{USE[name]}_a_day_before": before, f"{USE[name]}_a_day_drop": fall}


def _balance(rows: pd.DataFrame, by: ByCustomer, look: Look) -> dict[str, np.ndarray]:
    told = rows["balance"].notna().to_numpy()
    balance, age, customer = rows["balance"].to_numpy()[told], rows["age"].to_numpy()[told], by.customer[told]
    order = np.argsort(-age, kind="stable")  # the newest comes last, and is what stays
    now = np.full(look.size, np.nan)
    now[customer[order]] = balance[order]
    bill, recent = _daily_bill(look), age < MONTH
    short = np.bincount(customer[recent & (balance < 3 * bill[customer])], minlength=look.size)
    known = (np.bincount(customer[recent], minlength=look.size) > 0) & ~np.isnan(bill)
    return {"balance_now": now, "balance_lasts_days": now / bill, "short_balance_days_30d": np.where(known, short, np.nan)}


def _daily_bill(look: Look) -> np.ndarray:
    """Mean bill a day of the last three months, thirty days a month; missing unless above zero."""
    rows = look.months("billing", ("revenue",), 3)
    mean = quotient(
        np.bincount(rows["customer"], weights=rows["revenue"], minlength=look.size), np.bincount(rows["customer"], minlength=look.size)
    )
    return np.where(mean > 0, mean / MONTH, np.nan)
