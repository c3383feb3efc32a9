"""What became of those whom the lot chose for a contact, or for being held out."""

from __future__ import annotations

import pandas as pd

_SURE = 0.001
"""Chances of being called that differ so seldom by luck alone are different chances."""


def contact_outcomes(contacts: pd.DataFrame, departures: pd.DataFrame, *, until: pd.Timestamp, window_days: int) -> pd.DataFrame:
    """Give what became of the contacts made or withheld by lot that a contacts table holds.

    Parameters
    ----------
    contacts : DataFrame
        Contract table, as known at ``until``; times in the operator's zone.
    departures, until, window_days
        As for `with_outcomes`.

    Returns
    -------
    DataFrame
        What `with_outcomes` gives, each campaign being a draw, and ``accepted`` (bool).
    """
    rows = contacts[contacts["randomised"].fillna(False).astype(bool)]
    drawn = {
        "customer_id": rows["customer_id"],
        "day": pd.to_datetime(rows["contacted_at"]).dt.normalize(),
        "contacted": rows["arm"] == "treated",
        "accepted": rows["outcome"] == "accepted" if "outcome" in rows.columns else False,
        "draw": rows["campaign_id"] if "campaign_id" in rows.columns else "",
    }
    return with_outcomes(pd.DataFrame(drawn), departures, until=until, window_days=window_days)


def with_outcomes(drawn: pd.DataFrame, departures: pd.DataFrame, *, until: pd.Timestamp, window_days: int) -> pd.DataFrame:
    """Add what became of those whom the lot chose.

    Parameters
    ----------
    drawn : DataFrame
        ``customer_id``, ``day`` (of the contact or the draw), ``contacted`` (bool), ``draw`` (text; within one all had the same chance).
    departures : DataFrame
        ``customer_id`` and ``left_on`` of those whose leaving counts, as known at ``until``.
    until : Timestamp
        Whose window is not over by then is left out.
    window_days : int
        Days after the contact in which leaving counts.

    Returns
    -------
    DataFrame
        The rows whose window is over, with ``left`` (0 or 1).
    """
    window = pd.Timedelta(days=window_days)
    rows = drawn[drawn["day"] + window <= until].reset_index(drop=True)
    dated = departures[["customer_id"]].assign(left_on=pd.to_datetime(departures["left_on"]))
    both = rows[["customer_id", "day"]].reset_index().merge(dated, on="customer_id")
    gone = both.loc[(both["left_on"] > both["day"]) & (both["left_on"] <= both["day"] + window), "index"]
    return rows.assign(left=rows.index.isin(gone).astype(float))


def differing_chances(outcomes: pd.DataFrame) -> str:
    """Say between which draws the chance of being called differs by more than luck explains; empty where it does not.

    Parameters
    ----------
    outcomes : DataFrame
        ``draw`` and ``contacted``.
    """
    from scipy.stats import chi2_contingency

    counts = pd.crosstab(outcomes["draw"], outcomes["contacted"])
    if min(counts.shape) < 2 or chi2_contingency(counts).pvalue > _SURE:
        return ""
    shares = (counts[True] / counts.sum(axis=1)).sort_values(kind="stable")
    low, high = shares.index[0], shares.index[-1]
    return f"the chance of being called differs, from {shares.iloc[0]:.0%} ({low}) to {shares.iloc[-1]:.0%} ({high})"
