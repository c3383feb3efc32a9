"""One decision covers an enterprise account: its lines add up to one row that competes for one slot."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.retention.offers import NET

_STRENGTH = {"red": 0, "amber": 1}
_TRIGGER = ("trigger", "urgency", "due_hours")


def roll_up(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Make one row of each account's rows; customers without an account stay as they are.

    Lines add up: value at stake, ARPU, costs of offers, and what a contact gains and is expected to cost, with one contact paid for,
    ``net = sum(net_i + f_i) - f``, for each offer over the lines that may take it. The rest is the lead line's: of the lines that belong
    to a campaign the one with the greatest value at stake, of equals the first by customer_id. So the account has that line's campaign,
    arm and list. The chance of leaving is weighted by value at stake; trigger and urgency are those of the most urgent line.

    Parameters
    ----------
    rows : DataFrame
        Decided customers: ``customer_id``, ``account`` (missing for whoever stands for himself), ``value_at_stake``, ``net_value``,
        ``contact_cost``; where known ``net_value__<offer>``, ``offer_cost`` and ``expected_cost`` (also by offer), ``campaign``, ``arpu``,
        ``probability``, ``trigger``, ``urgency``, ``due_hours``.

    Returns
    -------
    rows : DataFrame
        The columns given, and ``lines``, the customers whom a row covers.
    leads : Series
        customer_id of the row that stands for each customer, by customer_id.
    """
    rows = rows.reset_index(drop=True)
    grouped = rows["account"].notna() if "account" in rows.columns else pd.Series(False, rows.index)
    single = rows[~grouped].assign(lines=1)
    leads = pd.Series(rows["customer_id"].to_numpy(dtype=object), rows["customer_id"].to_numpy(dtype=object))
    if not grouped.any():
        return single, leads
    lines = _lead_first(rows[grouped])
    account = lines["account"]
    leads.loc[lines["customer_id"]] = lines.groupby("account")["customer_id"].transform("first").to_numpy(dtype=object)
    joined = lines.drop_duplicates("account").set_index("account", drop=False)
    joined = joined.assign(lines=account.value_counts().reindex(joined.index), **_weighted(lines))
    for name in _added(lines):
        joined[name] = lines[name].groupby(account).sum(min_count=1)
    for name in _with_offers(lines, "net_value"):
        joined[name] = _with_one_contact(lines, name, 1.0)
    for name in _with_offers(lines, "expected_cost"):
        joined[name] = _with_one_contact(lines, name, -1.0)
    most_urgent = _most_urgent_first(lines).drop_duplicates("account").set_index("account")
    for name in _TRIGGER:
        if name in lines.columns:
            joined[name] = most_urgent[name]
    return pd.concat([single, _with_best_offer(joined)[single.columns]], ignore_index=True), leads


def _lead_first(lines: pd.DataFrame) -> pd.DataFrame:
    unclaimed = lines["campaign"].isna() if "campaign" in lines.columns else False
    keyed = lines.assign(_unclaimed=unclaimed)
    return keyed.sort_values(["account", "_unclaimed", "value_at_stake", "customer_id"], ascending=[True, True, False, True]).drop(
        columns="_unclaimed"
    )


def _most_urgent_first(lines: pd.DataFrame) -> pd.DataFrame:
    if "urgency" not in lines.columns:
        return lines
    keyed = lines.assign(_strength=lines["urgency"].map(_STRENGTH).fillna(len(_STRENGTH)))
    return keyed.sort_values(["account", "_strength"], kind="stable").drop(columns="_strength")


def _added(lines: pd.DataFrame) -> list[str]:
    return [name for name in ("value_at_stake", "arpu") if name in lines.columns] + _with_offers(lines, "offer_cost")


def _with_offers(lines: pd.DataFrame, stem: str) -> list[str]:
    """Name a column and those of the same by offer."""
    return [name for name in lines.columns if name == stem or name.startswith(f"{stem}__")]


def _with_one_contact(lines: pd.DataFrame, name: str, sign: float) -> pd.Series:
    """Add up a column over an account's lines, its contact counted once; `sign` is 1 where the column has the contact's cost taken off."""
    account, cost = lines["account"], lines["contact_cost"]
    freed = (lines[name] + sign * cost).groupby(account).sum(min_count=1)
    return freed - sign * cost.groupby(account).first()


def _weighted(lines: pd.DataFrame) -> dict[str, pd.Series]:
    if "probability" not in lines.columns:
        return {}
    account, value = lines["account"], lines["value_at_stake"].to_numpy(dtype=float)
    at_risk = pd.Series(lines["probability"].to_numpy(dtype=float) * value, lines.index).groupby(account).sum()
    total = lines["value_at_stake"].groupby(account).sum()
    return {"probability": (at_risk / total).where(total > 0, lines["probability"].groupby(account).first())}


def _with_best_offer(joined: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in joined.columns if name.startswith(NET)]
    if not names:
        return joined
    worth = joined[names].to_numpy(dtype=float)
    best = np.where(np.isnan(worth), -np.inf, worth).argmax(axis=1)
    offers = np.array([name.removeprefix(NET) for name in names], dtype=object)
    return joined.assign(offer=offers[best], net_value=worth[np.arange(len(joined)), best])
