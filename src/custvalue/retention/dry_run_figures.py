"""The figures of a dry run: what a night's calls would reach, cost and earn, counted before it is launched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.choosing import Choice
from custvalue.retention.counts import count_decisions
from custvalue.retention.decisions import LISTED
from custvalue.retention.dry_run import STATED, Basis, Campaign, DryRun, Reach, Warned
from custvalue.retention.offers import NET
from custvalue.retention.sensitivity import sensitivity

_Z = 1.959964
"""Of a normal distribution, 95 % two-sided."""


def dry_run(
    decided: pd.DataFrame, choice: Choice, policy: RetentionPolicyConfig, *, digest: str, as_of: date, basis: Basis = STATED
) -> DryRun:
    """Sum up a night before it is launched.

    Parameters
    ----------
    decided : DataFrame
        Of the whole base what `decide` gave: customer_id, decision, tier, campaign; and where known region, claims and
        ``net_value__<offer>``.
    choice : Choice
        What `choose` gave of those who wait.
    policy : RetentionPolicyConfig
    digest : str
        SHA-256 of the policy's file.
    as_of : date
        The night.
    basis : Basis
        What the expected effects rest on.
    """
    counts = count_decisions(choice.final(decided))
    campaigns = _campaigns(decided, choice, policy, as_of)
    offers = _offers(decided, choice, policy)
    return DryRun(
        night=as_of.isoformat(),
        policy=policy.label,
        policy_digest=digest,
        decisions=counts,
        reach=_reach(choice.listed, policy),
        offers=offers,
        groups={name: _group(decided, choice, name) for name in ("tier", "region") if name in decided.columns},
        campaigns=campaigns,
        warnings=_warnings(campaigns, offers, counts[LISTED]),
        basis=basis,
    )


def chance_interval(listed: pd.DataFrame) -> tuple[float, float]:
    """Give the limits between which the net value of some contacts comes out 95 times in 100, if every parameter is right.

    A contact earns V - d when it keeps a leaver, costs d when a stayer takes the offer and V when it drives one away, each by chance and
    independently of the others; the sum of many is near a normal distribution. An account counts as one, so the interval is wide enough.

    Parameters
    ----------
    listed : DataFrame
        probability, value_at_stake (V), reach, save, take_up, harm, contact_cost, offer_cost (d), net_value.
    """
    names = ("probability", "value_at_stake", "reach", "save", "take_up", "harm", "contact_cost", "offer_cost", "net_value")
    p, value, reach, save, take_up, harm, cost, offer, net = (listed[name].to_numpy(dtype=np.float64) for name in names)
    square = reach * (p * save * (value - offer) ** 2 + (1 - p) * (take_up * offer**2 + harm * value**2))
    variance = np.maximum(square - (net + cost) ** 2, 0.0)
    middle, half = float(net.sum()), _Z * float(np.sqrt(variance.sum()))
    return middle - half, middle + half


def _reach(listed: pd.DataFrame, policy: RetentionPolicyConfig) -> Reach:
    low, high = chance_interval(listed)
    contacts = float(listed["contact_cost"].sum())
    band = sensitivity(listed, policy)
    return Reach(
        contacts=len(listed),
        customers=int(listed["lines"].sum()),
        reached=float(listed["reach"].sum()),
        contact_cost=contacts,
        offer_cost=float(listed["expected_cost"].sum()) - contacts,
        net_value=float(listed["net_value"].sum()),
        low=low,
        high=high,
        band={name: None if np.isnan(worth) else float(worth) for name, worth in band.items()},
    )


def _offers(decided: pd.DataFrame, choice: Choice, policy: RetentionPolicyConfig) -> dict[str, dict[str, int | None]]:
    made = choice.listed["offer"].value_counts()
    known = {code: int(decided[NET + code].notna().sum()) for code in policy.offers if NET + code in decided.columns}
    return {code: {"may_take": known.get(code), "made": int(made.get(code, 0))} for code in policy.offers}


def _group(decided: pd.DataFrame, choice: Choice, name: str) -> dict[str, dict[str, float]]:
    columns = {
        "customers": _by(decided, name).size(),
        "listed": _by(choice.listed, name).size(),
        "would_be": _by(choice.would_be, name).size(),
        "net_value": _by(choice.listed, name)["net_value"].sum(),
    }
    table = pd.DataFrame(columns).fillna(0.0).sort_index()
    return {str(each): {column: float(row[column]) for column in columns} for each, row in table.iterrows()}


def _by(rows: pd.DataFrame, name: str) -> Any:
    return rows.groupby(rows[name].astype("object").fillna("-"))


def _campaigns(decided: pd.DataFrame, choice: Choice, policy: RetentionPolicyConfig, as_of: date) -> dict[str, Campaign]:
    claims = decided["claims"] if "claims" in decided.columns else pd.Series(1, decided.index)
    return {
        name: _campaign(
            int((decided["campaign"] == name).sum()),
            int(((decided["campaign"] == name) & (claims > 1)).sum()),
            choice.listed[choice.listed["campaign"] == name],
            choice.would_be[choice.would_be["campaign"] == name],
        )
        for name in policy.campaigns_on(as_of)
    }


def _campaign(customers: int, claimed: int, listed: pd.DataFrame, held_out: pd.DataFrame) -> Campaign:
    from custvalue.retention.effect.power import required_size  # loads SciPy

    both = pd.concat([listed, held_out]) if len(held_out) else listed
    rate = called = needs = None
    if len(both):
        p, reach, save, harm = (both[name].to_numpy(dtype=np.float64) for name in ("probability", "reach", "save", "harm"))
        effect = reach * (p * save - (1 - p) * harm)
        if "effect" in both.columns:
            effect = both["effect"].astype("float64").fillna(pd.Series(effect, both.index)).to_numpy()
        rate = float(p.mean())
        called = rate - float(effect.mean())
        if len(listed) and len(held_out) and 0 < called < rate < 1:
            needs = required_size(rate, called, len(held_out) / len(both)).customers
    return Campaign(customers, claimed, len(listed), len(held_out), rate, called, needs)


def _warnings(campaigns: Mapping[str, Campaign], offers: Mapping[str, Mapping[str, int | None]], listed: int) -> tuple[Warned, ...]:
    told = [] if listed else [Warned("nobody_listed")]
    for name, each in campaigns.items():
        if each.listed and not each.held_out:
            told.append(Warned("no_holdout", name))
        elif each.needs is not None and each.needs > each.listed + each.held_out:
            told.append(Warned("cannot_conclude", name, each.needs, each.listed + each.held_out))
        elif each.listed and each.needs is None:
            told.append(Warned("no_effect_stated", name))
        if each.claimed:
            told.append(Warned("claimed", name, has=each.claimed))
        if not each.customers:
            told.append(Warned("concerns_nobody", name))
    told += [Warned("offer_for_nobody", code) for code, each in offers.items() if each["may_take"] == 0]
    return tuple(told)
