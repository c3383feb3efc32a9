"""Two nights' lists: who entered, who left, who went to another manager, and what changed for them; and who changed tier."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from custvalue.retention import LISTED

Change = Literal["stayed", "moved", "entered", "left"]

FACTS = ("customer_id", "decision", "tier", "manager_id", "probability", "value_at_stake")
"""Columns of a night's scores that `list_turnover` reads."""
_RANKED = (LISTED, "over_capacity", "not_worth_a_contact")
"""Decisions that are about worth; every other one says that a customer may not be called or belongs to another channel."""
_BY_CHANNEL = ("channel_message", "channel_self_service")
_SLIGHT = 0.05
"""A smaller change of a customer's own risk or value, in logs, is not what moved him past others."""


def list_turnover(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Tell how tonight's lists differ from those of a night before, and why.

    Of a customer who entered or left the reason is the first of these that holds: the base does not know him on the other night
    (``base``), a rule kept him from the list (``rule``), his tier's channel is another (``tier``), his manager is another (``manager``),
    his risk or his value changed in that direction, the larger change of the two (``risk``, ``value``); else others passed him or fell
    behind him (``others``).

    Parameters
    ----------
    now, before : DataFrame
        The columns `FACTS` of at least everybody who is listed on either night, as far as that night knows him.

    Returns
    -------
    DataFrame
        change (a `Change`), reason (empty for those who stayed; ``manager`` for those who moved), tier (tonight's, else the former),
        customers; most customers first.
    """
    both = before[list(FACTS)].merge(now[list(FACTS)], on="customer_id", how="outer", suffixes=("_before", "_now"), validate="1:1")
    listed_before, listed_now = both.decision_before == LISTED, both.decision_now == LISTED
    both = both[listed_before | listed_now].reset_index(drop=True)
    listed_before, listed_now = (both[f"decision_{night}"] == LISTED for night in ("before", "now"))
    same_manager = both.manager_id_before == both.manager_id_now
    change = np.select(
        [listed_before & listed_now & same_manager, listed_before & listed_now, listed_now], ["stayed", "moved", "entered"], "left"
    )
    told = pd.DataFrame({"change": change, "reason": _reasons(both, listed_now, same_manager)})
    told["reason"] = told.reason.mask(told.change == "stayed", "").mask(told.change == "moved", "manager")
    told["tier"] = both.tier_now.where(both.tier_now.notna(), both.tier_before)
    counted = told.groupby(["change", "reason", "tier"], as_index=False).size().rename(columns={"size": "customers"})
    return pd.DataFrame(
        counted.sort_values(["customers", "change", "reason", "tier"], ascending=[False, True, True, True], ignore_index=True)
    )


def tier_migration(now: pa.Table, before: pa.Table) -> pd.DataFrame:
    """Count customers by their tier on two nights.

    Parameters
    ----------
    now, before : pyarrow.Table
        ``customer_id`` and ``tier``.

    Returns
    -------
    DataFrame
        before, after (null where that night does not know the customer), customers; most customers first.
    """
    joined = before.rename_columns(["customer_id", "before"]).join(
        now.rename_columns(["customer_id", "after"]), "customer_id", join_type="full outer"
    )
    counted = joined.group_by(["before", "after"]).aggregate([([], "count_all")]).rename_columns(["before", "after", "customers"])
    frame: pd.DataFrame = counted.sort_by([("customers", "descending"), ("before", "ascending"), ("after", "ascending")]).to_pandas()
    return frame


def _reasons(both: pd.DataFrame, entered: pd.Series, same_manager: pd.Series) -> np.ndarray:
    """Give each customer's reason; ``entered`` says who is listed tonight, so that what changed is read in the right direction."""
    other = both.decision_before.where(entered, both.decision_now)  # what was decided on the night when he was not listed
    sign = np.where(entered, 1.0, -1.0)
    risk, value = (sign * _log_change(both, name) for name in ("probability", "value_at_stake"))
    held = (risk > _SLIGHT) | (value > _SLIGHT)
    reasons = [
        (other.isna(), "base"),
        (~other.isin([*_RANKED, *_BY_CHANNEL]), "rule"),
        (other.isin(_BY_CHANNEL), "tier"),
        (~same_manager, "manager"),
        (held & (risk >= value), "risk"),
        (held, "value"),
    ]
    return np.select([holds for holds, _ in reasons], [code for _, code in reasons], "others")


def _log_change(both: pd.DataFrame, name: str) -> np.ndarray:
    now, before = (both[f"{name}_{night}"].to_numpy(dtype=np.float64) for night in ("now", "before"))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log(now) - np.log(before)
    return np.where(np.isfinite(change), change, 0.0)
