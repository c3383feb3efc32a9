"""Who of those who may be called gets one of tonight's slots, with which offer, and who would have got one but is held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.accounts import roll_up
from custvalue.retention.contest import Contest, contest_of, desk_of, pairs_of
from custvalue.retention.decisions import LISTED, WAITING
from custvalue.retention.filling import Outcome, Supply, fill
from custvalue.retention.managers import POOL, Duty
from custvalue.retention.offers import NET, SPENT
from custvalue.retention.spending import price_of_money
from custvalue.retention.value import cost_of

RESERVED = 0.3
"""Share of each list's slots that urgent customers get before anybody else, so far as there are any (illustrative)."""

COVERED, HELD_OUT, BELOW, OVER_BUDGET, UNWORTHY = "account_covered", "held_out", "held_out_below", "over_budget", "not_worth_a_contact"
"""Codes that a choice gives; over budget is also who could only be made offers that have run out."""


@dataclass(frozen=True)
class Choice:
    """Tonight's lists, and what would have stood on them.

    Attributes
    ----------
    listed : DataFrame
        One row a slot, by manager_id and priority: the columns of the decided rows, with manager_id (who calls; `POOL` where nobody is
        free to), competed_for (the list whose slots it took), offer, net_value, offer_cost and expected_cost of the offer made, priority
        (1 first, on each manager's list) and lines (customers whom the contact covers: those of an account; offer_cost is what it costs
        when all of them take the offer).
    would_be : DataFrame
        The same of the held-out who would be listed if each of them alone were not held out; manager_id is the list competed for, and
        priority the place he would have had there. Never shown to who calls.
    decisions : Series
        The final code of every customer given, by customer_id.
    """

    listed: pd.DataFrame
    would_be: pd.DataFrame
    decisions: pd.Series

    def final(self, decided: pd.DataFrame) -> pd.Series:
        """Give the final code of decided customers, on their index: the choice's, or, of whom it did not concern, the one that he had."""
        chosen = decided["customer_id"].map(self.decisions).astype("object")
        return chosen.where(chosen.notna(), decided["decision"].astype("object")).rename("decision")


def choose(
    waiting: pd.DataFrame,
    *,
    duty: Duty,
    policy: RetentionPolicyConfig,
    reserved: float = RESERVED,
    log: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Fill tonight's lists: the worthiest contacts first, as long as slots, pieces of offers and the budget last.

    Customers of an account compete as one (see `accounts.roll_up`). Each list's slots go by expected net value, after a share of them has
    gone to customers with a red trigger; what of that share they do not need goes to the others. Whose best offer has run out, or is too
    dear for what is left of the budget, competes again with his next best one. Where the budget does not suffice for all slots, what a
    contact earns is counted less what its money would earn elsewhere (see `spending.price_of_money`). Customers of the pool get the slots
    that managers' own customers leave free (see `assignment.Desk`), then those of the pool's own list. Held-out customers take nothing.

    Parameters
    ----------
    waiting : DataFrame
        What `decide` gave for whoever waits for a slot, and for customers of an account of whom a contact alone is not worth it.
    duty : Duty
        The lists of the day.
    policy : RetentionPolicyConfig
        Budget, offers and their stock.
    reserved : float
        Share of each list's slots that customers with a red trigger get first, rounded up.
    log : callable, optional
        Receives one line a fact worth knowing.

    Returns
    -------
    Choice
        The same whatever the order of the rows.

    Notes
    -----
    Each held-out customer is tried at his place in the order under the conditions that hold there, with the slots that the called leave
    to the pool and at the price of money of the night as it is, and uses up nothing: exactly what would become of him if he, and none of
    the other held-out, were called. So those listed and those who would be differ by the draw alone.
    """
    rows, leads = roll_up(waiting)
    contest = contest_of(rows, policy)
    desk = desk_of(contest, duty)
    room = duty.contacts(pd.Series(contest.lists)).to_numpy().astype(np.int64)
    room[contest.pool] = desk.slots
    stock = np.array([offer.stock or np.inf for offer in policy.offers.values()], dtype=np.float64)
    supply = Supply(room, stock, np.inf if policy.budget is None else policy.budget, contest.pool, desk)
    outcome, price = _filled(contest, supply, reserved)
    listed, would_be = _shown(contest, outcome, policy)
    decisions = _decisions(contest, outcome, supply, leads)
    for line in _notes(contest, listed, decisions, supply, price, policy):
        log(line)
    return Choice(listed, would_be, decisions)


def _filled(contest: Contest, supply: Supply, reserved: float) -> tuple[Outcome, float]:
    """Fill first the slots kept for urgent customers, then the others; give also the price of money."""
    short = np.isfinite(supply.budget) or bool(np.isfinite(supply.stock).any())
    price = 0.0
    if np.isfinite(supply.budget):
        contacted = ~contest.held
        arrays = (contest.worth[contacted], contest.cost[contacted], contest.place[contacted])
        price = price_of_money(*arrays, supply.room, supply.budget)
    pairs, outcome = pairs_of(contest, price, several=short), Outcome.of(len(contest.rows))
    urgent = (contest.rows["urgency"] == "red").to_numpy(dtype=bool)
    kept = np.minimum(supply.room, np.ceil(reserved * supply.room - 1e-9).astype(np.int64))  # 0.07 · 100 is 7.000000000000001
    rest = supply.room - kept
    supply.room = kept
    fill(pairs.pick(urgent[pairs.customer]), supply, outcome, first=True)
    supply.room = supply.room + rest
    fill(pairs, supply, outcome, first=False)
    return outcome, price


def _shown(contest: Contest, outcome: Outcome, policy: RetentionPolicyConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the rows of the listed and of the would-be listed, with the offer that each gets."""
    chosen = np.flatnonzero(outcome.offer >= 0)
    offer = outcome.offer[chosen]
    by_offer = [name for name in contest.rows.columns if name.startswith((NET, SPENT))]
    found = contest.rows.drop(columns=by_offer).iloc[chosen].reset_index(drop=True)
    found["competed_for"] = found["manager_id"]
    found["manager_id"] = pd.Series([outcome.manager.get(number) for number in chosen.tolist()], dtype=object).fillna(found["manager_id"])
    found["offer"] = np.array(contest.offers, dtype=object)[offer]
    found["net_value"] = contest.worth[chosen, offer]
    found["expected_cost"] = contest.cost[chosen, offer]
    for code, own in found.groupby("offer"):
        each = policy.offers[str(code)]
        found.loc[own.index, "offer_cost"] = cost_of(each, own["arpu"], own["value_at_stake"]) + each.cost * (own["lines"] - 1)
    found = found.assign(_later=~outcome.first[chosen], _held=contest.held[chosen])
    return _placed(found)


def _placed(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Number the listed by who calls, and the would-be listed by the place they would have had on the list competed for."""
    order = ["_later", "net_value", "customer_id"]
    found = found.sort_values(order, ascending=[True, False, True])
    ahead = (~found["_held"]).groupby(found["competed_for"]).cumsum() + 1
    held = found["_held"].to_numpy(dtype=bool)
    listed, would_be = found[~held], found[held].assign(priority=ahead[held].astype("int64"))
    listed = listed.assign(priority=(listed.groupby("manager_id").cumcount() + 1).astype("int64"))
    first, second = (_by_manager(rows) for rows in (listed, would_be))
    return first, second


def _by_manager(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["manager_id", "priority", "customer_id"], ignore_index=True).drop(columns=["_later", "_held"])


def _decisions(contest: Contest, outcome: Outcome, supply: Supply, leads: pd.Series) -> pd.Series:
    """Give every customer's final code."""
    chosen = outcome.offer >= 0
    full = supply.room[contest.place] == 0
    pooled = np.flatnonzero(contest.place == contest.pool)
    closed = np.array([not supply.desk.takes(kind) for kind in range(len(contest.kinds))])
    full[pooled] |= closed[contest.kind[pooled]]
    code = np.where(contest.held, np.where(chosen, HELD_OUT, BELOW), np.where(chosen, LISTED, np.where(full, WAITING, OVER_BUDGET)))
    by_lead = pd.Series(code, contest.rows["customer_id"], dtype=object)
    found = by_lead.reindex(leads.to_numpy(), fill_value=UNWORTHY).set_axis(leads.index)
    covered = (found == LISTED).to_numpy() & (leads.to_numpy() != leads.index.to_numpy())
    return found.mask(covered, COVERED).rename("decision").rename_axis("customer_id")


def _notes(
    contest: Contest, listed: pd.DataFrame, decisions: pd.Series, supply: Supply, price: float, policy: RetentionPolicyConfig
) -> list[str]:
    """Tell what ran out, who of the pool is called by whom, and why nobody is listed."""
    gone = [code for code, left in zip(contest.offers, supply.stock, strict=True) if left <= 0]
    told = [f"offer {code!r} ran out after {policy.offers[code].stock} contacts" for code in gone]
    waiting = int((decisions == OVER_BUDGET).sum())
    if price > 0:
        told.append(
            f"the budget of {policy.budget:,.0f} does not suffice for all slots: {waiting} customers wait for money, and one unit more "
            f"would earn about {price:.2f}"
        )
    pooled = listed[listed["competed_for"] == POOL]
    given = pooled[pooled["manager_id"] != POOL]
    if len(given):
        nobody = len(pooled) - len(given)
        told.append(f"{len(given)} customers of the list {POOL!r} go to {given['manager_id'].nunique()} managers, {nobody} stay on it")
    if not len(listed):
        competing = int((~contest.held).sum())
        why = "the lists have no slot tonight, or no money" if competing else "nobody waits for a slot"
        told.append(f"nobody is listed: {why} ({competing} customers worth a contact)")
    return told
