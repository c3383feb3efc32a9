"""What is known of earlier contacts, from the contacts table and from work orders, in one place."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from custvalue.errors import DataError, mask
from custvalue.retention.flags import yes

_SIGNS = ("last_contact_days", "contacts_90d", "asked_no_contact")
_JOINED = {"open_order": "any", "last_contacted_on": "max", "contacts_90d": "sum", "do_not_contact": "any", "deferred_until": "max"}


def with_standing(frame: pd.DataFrame, standing: pd.DataFrame | None, accounts: pd.Series, *, as_of: date) -> pd.DataFrame:
    """Add what orders tell to what the contacts table told.

    A contact may stand in both: the later last contact and the larger count hold, not their sum. An order of an account is about all of
    its lines.

    Parameters
    ----------
    frame : DataFrame
        ``customer_id``; and where known the signs last_contact_days, contacts_90d and asked_no_contact.
    standing : DataFrame, optional
        One row a customer who has something: customer_id, account (of an order for an account, else missing), open_order,
        last_contacted_on, contacts_90d, do_not_contact, deferred_until, and offers_90d (lists of codes).
    accounts : Series
        The customers' accounts, missing where there is none; see `holdout.units_of`.
    as_of : date
        The night.

    Returns
    -------
    DataFrame
        On the frame's index, each where known: last_contact_days and contacts_90d (float64), asked_no_contact, open_order and deferred
        (bool), offers_90d (lists of codes, missing for nothing).

    Raises
    ------
    DataError
        A customer stands in the orders twice.
    """
    found = frame[[name for name in _SIGNS if name in frame.columns]].copy()
    if standing is None or standing.empty:
        return found
    own = _each(frame["customer_id"], accounts, standing)
    for name in _SIGNS[:2]:
        found[name] = found[name].astype("float64") if name in found else np.nan
    days = (pd.Timestamp(as_of) - own["last_contacted_on"]).dt.days.astype("float64")
    return found.assign(
        last_contact_days=np.fmin(found["last_contact_days"], days),
        contacts_90d=np.fmax(found["contacts_90d"], own["contacts_90d"].astype("float64")),
        asked_no_contact=yes(found, "asked_no_contact") | yes(own, "do_not_contact"),
        open_order=yes(own, "open_order"),
        deferred=(own["deferred_until"] > pd.Timestamp(as_of)).to_numpy(),
        offers_90d=own["offers_90d"],
    )


def after_calls(frame: pd.DataFrame, standing: pd.DataFrame | None, *, as_of: date) -> pd.DataFrame:
    """Give the signs of owed call-backs as calls recorded on orders leave them.

    Who was reached on the day that a complaint was closed, or later, has been called back about it and about his answer to the survey;
    whom a call did not reach has been tried.

    Parameters
    ----------
    frame : DataFrame
        ``customer_id`` and, where known, the signs of complaints and surveys.
    standing : DataFrame, optional
        As for `with_standing`, with last_reached_on.
    as_of : date
        The night.

    Returns
    -------
    DataFrame
        On the frame's index, the signs that change; none without such calls or signs.
    """
    if standing is None or standing.empty:
        return frame[[]]
    by_customer = standing.drop_duplicates("customer_id").set_index("customer_id")
    reached, tried = (
        (pd.Timestamp(as_of) - pd.to_datetime(frame["customer_id"].map(by_customer[name]))).dt.days.astype("float64")
        for name in ("last_reached_on", "last_contacted_on")
    )
    found = {}
    if "complaint_uncalled_days" in frame.columns:
        waits, newest = (frame[name].astype("float64") for name in ("complaint_uncalled_days", "complaint_closed_days"))
        # whole days since a moment: it lay on the day before so many days
        left = waits.mask(reached <= waits + 1, newest.where(newest + 1 < reached))
        found["complaint_uncalled_days"] = left
        if "complaint_callback_tries" in frame.columns:
            tries, again = frame["complaint_callback_tries"].astype("float64"), (tried <= left + 1) & (tried < reached.fillna(np.inf))
            found["complaint_callback_tries"] = tries.mask(again & ~(tries > 1), 1.0)
    if "complaint_answer_days" in frame.columns:
        answered = frame["complaint_answer_days"].astype("float64")
        found["complaint_answer_days"] = answered.mask(reached <= answered + 1)
    return pd.DataFrame(found, index=frame.index)


def _each(customers: pd.Series, accounts: pd.Series, standing: pd.DataFrame) -> pd.DataFrame:
    """Give each customer what orders tell of him and of his account, on the customers' index; missing where they tell nothing."""
    twice = standing.loc[standing["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise DataError(f"orders: {len(twice)} customers stand there twice (for example {mask(twice.iloc[0])}). Give one row a customer.")
    standing = standing.assign(**{name: pd.to_datetime(standing[name]) for name in ("last_contacted_on", "deferred_until")})
    of_account = standing["account"].notna() if "account" in standing.columns else pd.Series(False, standing.index)
    alone = pd.DataFrame({"at": customers.index, "customer_id": customers}).merge(standing[~of_account], on="customer_id")
    if not of_account.any():
        return alone.set_index("at").reindex(customers.index)
    lines = pd.DataFrame({"at": customers.index, "account": accounts.astype("object")}).dropna()
    both = pd.concat([alone, lines.merge(standing[of_account].astype({"account": "object"}), on="account")], ignore_index=True)
    joined = both.groupby("at").agg(_JOINED)
    offers = both["offers_90d"].explode().dropna()
    joined["offers_90d"] = offers.groupby(both["at"].reindex(offers.index)).agg(list)
    return joined.reindex(customers.index)
