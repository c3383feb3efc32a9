"""Which offer a customer gets: of those he may take, the one with which a contact is expected to earn most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.contact import contact_terms
from custvalue.retention.flags import Flags
from custvalue.retention.value import cost_of
from custvalue.wording.conditions import all_hold
from custvalue.wording.facts import Facts

NET, SPENT = "net_value__", "expected_cost__"
"""Columns that begin so hold the net value and the expected cost of a contact with one offer each, currency."""


def offer_columns(rows: pd.DataFrame, frame: pd.DataFrame, facts: Facts, policy: RetentionPolicyConfig) -> pd.DataFrame:
    """Work out what a contact is worth with each offer that a customer may take, and with the best.

    Parameters
    ----------
    rows : DataFrame
        campaign, tier, arpu, and what `contact.contact_terms` needs.
    frame : DataFrame
        On the same index, where known: reason_codes (or reason_code), offers_90d, days_since_port_query, trigger.
    facts : Facts
        Columns that the offers' conditions compare.
    policy : RetentionPolicyConfig

    Returns
    -------
    DataFrame
        On the rows' index: ``offer`` (code, None where none may be taken), ``offer_cost`` (d), ``net_value``, ``expected_cost`` (of the
        contact and of the offer, if it is taken), and `NET` and `SPENT` with each code; float64, NaN where it may not be taken.
    """
    codes = list(policy.offers)
    count = (len(rows), len(codes))
    cost, net, spent = (np.full(count, np.nan) for _ in range(3))
    allowed = _may_take(rows, frame, facts, policy)
    for at, (code, offer) in enumerate(policy.offers.items()):
        own = allowed[code]
        cost[own, at] = cost_of(offer, rows["arpu"], rows["value_at_stake"])[own]
        net[own, at], spent[own, at] = contact_terms(rows[own], offer_cost=cost[own, at], save_factor=offer.save_factor)
    best, each = np.where(np.isnan(net), -np.inf, net).argmax(axis=1), np.arange(len(rows))
    offers = np.where(np.isnan(net[each, best]), None, np.array(codes, dtype=object)[best])
    chosen = {
        "offer": pd.Series(offers, rows.index, dtype="object"),
        "offer_cost": cost[each, best],
        "net_value": net[each, best],
        "expected_cost": spent[each, best],
    }
    by_offer = {f"{stem}{code}": values[:, at] for stem, values in ((NET, net), (SPENT, spent)) for at, code in enumerate(codes)}
    return pd.DataFrame(chosen | by_offer, index=rows.index)


def _may_take(rows: pd.DataFrame, frame: pd.DataFrame, facts: Facts, policy: RetentionPolicyConfig) -> dict[str, Flags]:
    made = frame.get("offers_90d")
    reasons = frame["reason_codes"] if "reason_codes" in frame else frame.get("reason_code")
    tier, channel = rows["tier"].astype("object"), rows["tier"].astype("object").map(policy.channels)
    queried = _after_port_query(frame, policy)
    found = {}
    for code, offer in policy.offers.items():
        may = all_hold(offer.when, facts) & _in_campaign(rows["campaign"], code, policy)
        if offer.tiers:
            may &= tier.isin(offer.tiers).to_numpy()
        if offer.channel:
            may &= (channel == offer.channel).to_numpy()
        if offer.reasons:
            may &= _counted(reasons, offer.reasons, len(rows)) > 0
        if not offer.open_to_all:
            may &= ~queried
        found[code] = may & (_counted(made, (code,), len(rows)) < offer.per_quarter)
    return found


def _in_campaign(campaign: pd.Series, code: str, policy: RetentionPolicyConfig) -> Flags:
    if not policy.campaigns:
        return campaign.notna().to_numpy()
    return campaign.isin([name for name, each in policy.campaigns.items() if each.offers is None or code in each.offers]).to_numpy()


def _after_port_query(frame: pd.DataFrame, policy: RetentionPolicyConfig) -> Flags:
    queried = np.zeros(len(frame), dtype=bool)
    if "days_since_port_query" in frame:
        queried |= (frame["days_since_port_query"].astype("float64") <= policy.rules.port_query_days).to_numpy()
    if "trigger" in frame:
        queried |= (frame["trigger"].astype("object") == "port_query").to_numpy()
    return queried


def _counted(column: pd.Series | None, codes: tuple[str, ...], rows: int) -> npt.NDArray[np.int64]:
    """Count how often one of some codes stands in each row's list, or as its only one, shape (rows,); never where there is no column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None:
        return np.zeros(rows, dtype=np.int64)
    single = pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
    texts = pa.array(column, pa.string() if single else pa.list_(pa.string()), from_pandas=True)
    parents = np.arange(rows) if single else pc.list_parent_indices(texts).to_numpy()
    found = pc.is_in(texts if single else pc.list_flatten(texts), value_set=pa.array(codes, pa.string())).to_numpy(zero_copy_only=False)
    return np.bincount(parents[found], minlength=rows)
