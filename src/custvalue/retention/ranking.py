"""Tonight's lists: every customer gets one decision, and the worthiest contacts fill each manager's day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.contact import policy_contact_value
from custvalue.retention.managers import Duty
from custvalue.retention.suppression import check_scores, consent_notes, suppressed
from custvalue.retention.value import offer_cost, value_kept

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
WAITING, LISTED = DECISIONS[-2:]


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
    duty = Duty.of(managers, policy, as_of=as_of)
    considered = decide(scores, policy=policy, duty=duty)
    for line in [*consent_notes(scores.columns), *duty.notes(customers_by_manager(considered["own_manager_id"]))]:
        log(line)
    chosen = choose(considered[considered["decision"] == WAITING], duty)
    considered["decision"] = considered["decision"].mask(considered["customer_id"].isin(chosen["customer_id"]), LISTED)
    listed = considered.merge(chosen[["customer_id", "priority"]], on="customer_id")
    listed = listed.sort_values(["manager_id", "priority"]).reset_index(drop=True)
    counts = count_decisions(considered["decision"])
    log(told_counts(counts))
    return Ranking(listed=listed, considered=considered, counts=counts)


def decide(scores: pd.DataFrame, *, policy: RetentionPolicyConfig, duty: Duty) -> pd.DataFrame:
    """Tell of each customer what a contact is worth and whether it is open to one, whoever else is considered.

    Parameters
    ----------
    scores, policy
        As for `rank`.
    duty : Duty
        The lists of the day.

    Returns
    -------
    DataFrame
        As `Ranking.considered`, in the order given; whoever may take a slot is decided `WAITING` until `choose` gives him one.

    Raises
    ------
    DataError, ConfigError
        See `suppression.check_scores`.
    """
    check_scores(scores, policy)
    considered = scores.reset_index(drop=True)
    considered["probability"] = considered["probability"].astype("float64")
    considered["arpu"] = considered["arpu"].astype("float64")
    months = considered.get("value_months")
    considered["value_at_stake"] = value_kept(considered["arpu"], policy, months)
    considered["offer_cost"] = offer_cost(considered["arpu"], policy)
    considered["net_value"] = policy_contact_value(considered["probability"], considered["arpu"], policy, months=months)
    # objects, because a column that is empty throughout arrives as numbers
    own = considered.get("manager_id", pd.Series(None, considered.index)).astype("object")
    considered = considered.assign(manager_id=duty.list_of(own), own_manager_id=own)
    worthless = ("not_worth_a_contact", (considered["net_value"] <= 0).to_numpy())
    decision = np.full(len(considered), WAITING, dtype=object)
    for code, flags in reversed([*suppressed(considered, policy), worthless]):
        decision[flags] = code
    return considered.assign(decision=decision)


def choose(waiting: pd.DataFrame, duty: Duty) -> pd.DataFrame:
    """Fill each list from the top.

    Whom it leaves out of some customers it would leave out of more: parts of a base can be chosen from one by one, and then from what
    was chosen.

    Parameters
    ----------
    waiting : DataFrame
        ``customer_id``, ``manager_id`` (the list) and ``net_value`` of customers who may take a slot.
    duty : Duty
        The capacity of the lists.

    Returns
    -------
    DataFrame
        The rows that take one, with ``priority``: 1 for the worthiest of each list, of equals by customer_id.
    """
    ordered = waiting.sort_values(["net_value", "customer_id"], ascending=[False, True])
    place = ordered.groupby("manager_id").cumcount() + 1
    ordered = ordered.assign(priority=place.astype("int64"))
    return pd.DataFrame(ordered[(place <= duty.contacts(ordered["manager_id"])).to_numpy(dtype=bool)])


def customers_by_manager(own: pd.Series) -> dict[str, int]:
    """Count customers by their own manager."""
    return {str(manager): int(count) for manager, count in own.value_counts().items()}


def count_decisions(decisions: pd.Series) -> dict[str, int]:
    """Count customers by decision, all of `DECISIONS`."""
    occurring = decisions.value_counts()
    return {code: int(occurring.get(code, 0)) for code in DECISIONS}


def told_counts(counts: dict[str, int]) -> str:
    """Say how many customers got which decision."""
    return f"{sum(counts.values())} customers considered: " + ", ".join(f"{code} {count}" for code, count in counts.items())
