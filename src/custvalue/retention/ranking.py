"""Tonight's lists: every customer gets one decision, and the worthiest contacts fill each manager's day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.contact import policy_contact_value
from custvalue.retention.managers import current_managers
from custvalue.retention.suppression import check_scores, suppressed
from custvalue.retention.value import offer_cost, value_kept

POOL = "unassigned"
"""The list of customers without a manager on duty; a managers row of this id sets its capacity."""
DECISIONS = (
    "port_authorised",
    "no_consent",
    "consent_unknown",
    "channel_message",
    "channel_self_service",
    "arpu_unknown",
    "not_worth_a_contact",
    "over_capacity",
    "listed",
)
"""Every code a customer's decision can have; where several hold, the first counts."""


@dataclass(frozen=True)
class Ranking:
    """Tonight's lists and how they came about.

    Attributes
    ----------
    listed : DataFrame
        The rows of `considered` that take a slot, by manager_id and ``priority`` (1 first, on each list).
    considered : DataFrame
        Every customer, in the order given: the columns of the scores, with manager_id (the list competed for: the
        manager on duty, or `POOL`), own_manager_id (the customer's own, may be missing), value_at_stake (V), offer_cost
        (d), net_value (all currency) and decision (one of `DECISIONS`).
    counts : dict
        Customers by decision, all of `DECISIONS`; they add up to the customers considered.
    """

    listed: pd.DataFrame
    considered: pd.DataFrame
    counts: dict[str, int]


def _silent(_: str) -> None:
    """Drop a log line."""


def rank(
    scores: pd.DataFrame,
    *,
    policy: RetentionPolicyConfig,
    managers: pd.DataFrame | None = None,
    as_of: date,
    log: Callable[[str], None] = _silent,
) -> Ranking:
    """Rank customers by the expected net value of a contact, and fill each manager's day from the top.

    Parameters
    ----------
    scores : DataFrame
        One row a customer: customer_id (text), probability (calibrated), tier, arpu (currency a month); where known
        manager_id, marketing_consent and port_authorised (true, false or missing), and value_months (months of revenue that a saved
        customer stands for, in place of the policy's). Other columns are carried along.
    policy : RetentionPolicyConfig
        Parameters of the net value, channels and the usual capacity.
    managers : DataFrame, optional
        See `managers.current_managers`. The customers of an absent manager compete for the pool list; a manager who is
        not in the table, or has no capacity there, gets the policy's.
    as_of : date
        The list's day.
    log : callable, optional
        Receives one line a fact worth knowing, and the counts.

    Returns
    -------
    Ranking

    Raises
    ------
    DataError
        Scores or managers cannot be ranked: see `suppression.check_scores` and `managers.current_managers`.
    ConfigError
        The policy gives a tier no channel.
    """
    check_scores(scores, policy)
    considered = scores.reset_index(drop=True)
    considered["probability"] = considered["probability"].astype("float64")
    considered["arpu"] = considered["arpu"].astype("float64")
    months = considered.get("value_months")
    considered["value_at_stake"] = value_kept(considered["arpu"], policy, months)
    considered["offer_cost"] = offer_cost(considered["arpu"], policy)
    considered["net_value"] = policy_contact_value(considered["probability"], considered["arpu"], policy, months=months)
    considered, capacity = _with_lists(considered, policy, managers, as_of=as_of, log=log)

    open_to_rank = np.ones(len(considered), dtype=bool)
    decision = np.full(len(considered), "listed", dtype=object)
    worthless = ("not_worth_a_contact", (considered["net_value"] <= 0).to_numpy())
    for code, flags in [*suppressed(considered, policy, log=log), worthless]:
        decision[open_to_rank & flags] = code
        open_to_rank &= ~flags
    place = _places(considered[open_to_rank]).reindex(considered.index)
    decision[open_to_rank & (place > capacity).to_numpy()] = "over_capacity"
    considered["decision"] = decision

    listed = considered.assign(priority=place.fillna(0).astype("int64"))[considered["decision"] == "listed"]
    listed = listed.sort_values(["manager_id", "priority"]).reset_index(drop=True)
    occurring = considered["decision"].value_counts()
    counts = {code: int(occurring.get(code, 0)) for code in DECISIONS}
    log(f"{len(considered)} customers considered: " + ", ".join(f"{code} {count}" for code, count in counts.items()))
    return Ranking(listed=listed, considered=considered, counts=counts)


def _places(candidates: pd.DataFrame) -> pd.Series:
    """Number the candidates of each list from 1 by net value, then customer_id."""
    ordered = candidates.sort_values(["net_value", "customer_id"], ascending=[False, True])
    return ordered.groupby("manager_id").cumcount() + 1


def _with_lists(
    considered: pd.DataFrame,
    policy: RetentionPolicyConfig,
    managers: pd.DataFrame | None,
    *,
    as_of: date,
    log: Callable[[str], None],
) -> tuple[pd.DataFrame, pd.Series]:
    """Give the list each customer competes for, and that list's capacity."""
    # objects, because a column that is empty throughout arrives as numbers
    own = considered.get("manager_id", pd.Series(None, considered.index)).astype("object")
    table = current_managers(managers, as_of=as_of) if managers is not None else None
    target = own
    capacity = pd.Series(float(policy.capacity_per_manager), considered.index)
    if table is not None:
        away = own.isin(table.index[table["absent"]])
        unknown = own.notna() & ~own.isin(table.index)
        target = own.mask(away)
        if away.any():
            log(f"{int(away.sum())} customers of {own[away].nunique()} absent managers compete for the list {POOL!r}")
        if unknown.any():
            log(f"{own[unknown].nunique()} managers are not in the managers table: they get the policy's capacity")
    target = target.fillna(POOL)
    if table is not None:
        capacity = target.map(table["capacity"]).fillna(capacity)
    return considered.assign(manager_id=target, own_manager_id=own), capacity
