"""Who is on duty on a day, and how many contacts each can make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.errors import DataError, mask

POOL = "unassigned"
"""The list of customers without a manager on duty; a managers row of this id sets its capacity."""

RIGHTS = ("region", "language", "tiers")
"""What decides which customers of the pool a manager can be given."""

_OPTIONAL = ("valid_from", "daily_capacity", "absent_from", "absent_to", *RIGHTS)


@dataclass(frozen=True)
class Duty:
    """Whose lists there are on a day.

    Attributes
    ----------
    usual : float
        Contacts a day of a manager of whom no number is known.
    capacity : mapping
        Manager → contacts a day, where known.
    known, absent : frozenset
        Managers of the table, and those of them who are away; their customers compete for the list `POOL`.
    staff : DataFrame
        The managers on duty, who can be given customers of the pool, by manager_id: capacity, and `RIGHTS`.
    """

    usual: float
    capacity: Mapping[str, float]
    known: frozenset[str] | None
    absent: frozenset[str]
    staff: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["capacity", *RIGHTS]), compare=False)

    @classmethod
    def of(cls, managers: pd.DataFrame | None, policy: RetentionPolicyConfig, *, as_of: date) -> Duty:
        """Read the managers table, or take the policy's usual capacity for all; see `current_managers` for the table and its faults."""
        usual = float(policy.capacity_per_manager)
        if managers is None:
            return cls(usual, {}, None, frozenset())
        table = current_managers(managers, as_of=as_of)
        capacity = {str(name): float(value) for name, value in table["capacity"].dropna().items()}
        there = table[~table["absent"] & (table.index != POOL)].sort_index()
        staff = there[["capacity", *RIGHTS]].fillna({"capacity": usual})
        return cls(usual, capacity, frozenset(table.index), frozenset(table.index[table["absent"]]), staff)

    def list_of(self, own: pd.Series) -> pd.Series:
        """Give the list that each customer competes for, from the customers' own managers (missing where there is none)."""
        return own.mask(own.isin(self.absent)).fillna(POOL)

    def contacts(self, lists: pd.Series) -> pd.Series:
        """Give the capacity of each list named, contacts a day."""
        return lists.map(self.capacity).astype("float64").fillna(self.usual)

    def notes(self, customers: Mapping[str, int]) -> list[str]:
        """Tell what is worth knowing of the managers, from how many customers each has: one line a fact."""
        away = [count for manager, count in customers.items() if manager in self.absent]
        unknown = [manager for manager in customers if self.known is not None and manager not in self.known]
        told = [f"{sum(away)} customers of {len(away)} absent managers compete for the list {POOL!r}"] if away else []
        return told + ([f"{len(unknown)} managers are not in the managers table: they get the policy's capacity"] if unknown else [])


def current_managers(managers: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Give each manager's latest row known on a day.

    Parameters
    ----------
    managers : DataFrame
        manager_id; and where known valid_from, daily_capacity (contacts a day), absent_from and absent_to (both days
        included; without absent_to the manager is away until further notice), region, language, and tiers (those whose customers
        he may be given, with commas between; all where it is empty).
    as_of : date
        Rows valid only from a later day are not seen.

    Returns
    -------
    DataFrame
        Indexed by manager_id: capacity (float64, NaN where the table gives none), absent (bool), region and language (text, may be
        missing), tiers (frozenset of names, None for all).

    Raises
    ------
    DataError
        A column is absent, a manager stands there twice for the same day, or a capacity is negative.
    """
    if "manager_id" not in managers.columns:
        raise DataError("managers: column manager_id is missing. Map it, or leave the table out.")
    table = managers[["manager_id"]].copy()
    for column in _OPTIONAL:
        table[column] = managers[column] if column in managers.columns else None
    for column in ("valid_from", "absent_from", "absent_to"):
        table[column] = _days(table[column])
    day = pd.Timestamp(as_of)
    table = table[table["valid_from"].isna() | (table["valid_from"] <= day)]
    _refuse(table[table.duplicated(["manager_id", "valid_from"])], "stand there twice for one valid_from", "Keep one.")
    # a row without valid_from has always held, so any dated one replaces it
    latest = table.sort_values("valid_from", na_position="first", kind="stable").groupby("manager_id").tail(1)
    capacity = pd.to_numeric(latest["daily_capacity"]).astype("float64")
    _refuse(latest[capacity < 0], "have a negative daily_capacity", "Write 0 or more.")
    absence_known = latest["absent_from"].notna() | latest["absent_to"].notna()
    begun = latest["absent_from"].isna() | (latest["absent_from"] <= day)
    unfinished = latest["absent_to"].isna() | (latest["absent_to"] >= day)
    columns = {"capacity": np.floor(capacity.to_numpy()), "absent": (absence_known & begun & unfinished).to_numpy()}
    texts = {name: latest[name].astype("object").mask(latest[name].isna(), None).to_list() for name in RIGHTS}
    rights = texts | {"tiers": [None if text is None else _names(text) for text in texts["tiers"]]}
    return pd.DataFrame(columns | rights, index=pd.Index(latest["manager_id"], name="manager_id"))


def _names(text: str) -> frozenset[str] | None:
    return frozenset(name for name in re.split(r"[\s,;，；、]+", text) if name) or None


def _days(values: pd.Series) -> pd.Series:
    days = pd.to_datetime(values)
    return days.dt.tz_localize(None) if days.dt.tz is not None else days


def _refuse(rows: pd.DataFrame, fault: str, remedy: str) -> None:
    if len(rows):
        examples: Sequence[str] = [mask(manager) for manager in rows["manager_id"][:3]]
        raise DataError(f"managers: {len(rows)} rows {fault} (for example {', '.join(examples)}). {remedy}")
