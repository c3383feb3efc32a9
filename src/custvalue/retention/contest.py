"""Everybody who competes for tonight's slots, in arrays: who, for which list, with which offers, in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.assignment import Desk, kinds_of
from custvalue.retention.filling import Flags, Floats, Ints, Pairs
from custvalue.retention.holdout import CONTACT
from custvalue.retention.managers import POOL, Duty
from custvalue.retention.offers import NET, SPENT


@dataclass(frozen=True)
class Contest:
    """Everybody who competes, sorted by customer_id.

    Attributes
    ----------
    rows : DataFrame
        One row a customer or account worth a contact.
    offers : list of str
        Codes of the catalogue.
    worth, cost : ndarray of float64, shape (rows, offers)
        Expected net value and expected cost, currency; NaN where the offer may not be made.
    lists : Index
        Names of the lists, the pool's last.
    place : ndarray of int64, shape (rows,)
        The list competed for.
    kind : ndarray of int64, shape (rows,)
        See `assignment.kinds_of`; 0 outside the pool.
    kinds : DataFrame
        What the kinds are.
    held : ndarray of bool, shape (rows,)
        Held out.
    """

    rows: pd.DataFrame
    offers: list[str]
    worth: Floats
    cost: Floats
    lists: pd.Index
    place: Ints
    kind: Ints
    kinds: pd.DataFrame
    held: Flags

    @property
    def pool(self) -> int:
        """Which list is the pool's."""
        return len(self.lists) - 1


def contest_of(rows: pd.DataFrame, policy: RetentionPolicyConfig) -> Contest:
    """Put rolled-up rows that belong to a campaign and are worth a contact into arrays."""
    rows = rows[(rows["net_value"] > 0) & rows["campaign"].notna()].sort_values("customer_id", ignore_index=True)
    offers = list(policy.offers)
    worth, cost = (rows[[stem + code for code in offers]].to_numpy(dtype=np.float64) for stem in (NET, SPENT))
    lists = pd.Index([*sorted(set(rows["manager_id"].unique()) - {POOL}), POOL], dtype=object)
    place = lists.get_indexer(pd.Index(rows["manager_id"])).astype(np.int64)
    pooled = place == len(lists) - 1
    kind = np.zeros(len(rows), dtype=np.int64)
    kind[pooled], kinds = kinds_of(rows[pooled])
    return Contest(rows, offers, worth, cost, lists, place, kind, kinds, (rows["arm"] != CONTACT).to_numpy(dtype=bool))


def desk_of(contest: Contest, duty: Duty) -> Desk:
    """Tell who has slots left once his own customers who are worth a contact have theirs."""
    capacity = duty.contacts(pd.Series(contest.lists)).to_numpy().astype(np.int64)
    own = np.flatnonzero(~contest.held)
    own = own[np.lexsort((-contest.rows["net_value"].to_numpy()[own], contest.place[own]))]
    place = contest.place[own]
    ranks = np.arange(len(own)) - np.searchsorted(place, place, side="left")
    taking = own[ranks < capacity[place]]
    taken = np.bincount(contest.place[taking], minlength=len(contest.lists))
    worth = np.bincount(contest.place[taking], contest.rows["net_value"].to_numpy()[taking], minlength=len(contest.lists))
    by_list = pd.DataFrame({"taken": taken, "worth": worth}, index=contest.lists).reindex(duty.staff.index, fill_value=0)
    free = (duty.staff["capacity"].astype("float64") - by_list["taken"]).clip(lower=0)
    return Desk(duty.staff.assign(free=free, worth=by_list["worth"]), contest.kinds, int(capacity[contest.pool]))


def pairs_of(contest: Contest, price: float, *, several: bool) -> Pairs:
    """Put customers with their offers in order: with all that are worth it where offers or money may run out, else with the best."""
    left = np.where(contest.worth > 0, contest.worth - price * contest.cost, -np.inf)
    if several:
        customer, offer = np.nonzero(contest.worth > 0)
    else:
        customer, offer = np.arange(len(left)), left.argmax(axis=1) if len(left) else np.zeros(0, dtype=np.int64)
    order = np.lexsort((offer, customer, -left[customer, offer]))
    customer, offer = customer[order], offer[order]
    worth, cost = contest.worth[customer, offer], contest.cost[customer, offer]
    return Pairs(customer, offer, contest.place[customer], contest.kind[customer], worth, cost, contest.held[customer])
