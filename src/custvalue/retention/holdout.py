"""Who is not called so that one can see what calls do: drawn by a secret key, the same every night and on every machine."""

from __future__ import annotations

import hmac

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.errors import ConfigError
from custvalue.retention.value import Floats

CONTACT, HELD_OUT, UNIVERSAL = ARMS = ("contact", "holdout", "universal")
"""Called; held out of the campaign; held out of every campaign."""

_SHORTEST_KEY = 16


def units_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Tell what is randomised as a whole: what one member is offered the others hear of.

    Parameters
    ----------
    frame : DataFrame
        ``customer_id``; and where known segment, account_id, household_id.

    Returns
    -------
    DataFrame
        On the frame's index: ``unit`` (``account:<id>`` of an enterprise customer, else ``household:<id>`` where one is known, else
        ``customer:<id>``), ``kind`` (the word before the colon) and ``account`` (account_id of an enterprise customer, else None).
    """
    nothing = pd.Series(None, frame.index, dtype="object")
    customer, household, account = (frame.get(name, nothing).astype("object") for name in ("customer_id", "household_id", "account_id"))
    enterprise = frame.get("segment", nothing).astype("object") == "enterprise"
    account = account.where(enterprise & account.notna(), None)
    member, line = household.notna().to_numpy(), account.notna().to_numpy()
    kind = np.where(line, "account", np.where(member, "household", "customer"))
    name = np.where(line, account, np.where(member, household, customer))
    unit = pd.Series(kind, frame.index, dtype="object").str.cat(pd.Series(name, frame.index).astype(str), sep=":")
    return pd.DataFrame({"unit": unit.astype("object"), "kind": kind, "account": account}, index=frame.index)


def campaign_shares(kinds: pd.Series, tiers: pd.Series, campaigns: pd.Series, policy: RetentionPolicyConfig) -> Floats:
    """Give the share held out that holds for each customer: the campaign's own, else his tier's, else the policy's.

    Tiers count for customers who stand alone. Members of a household or an account can be of several tiers, and are held out together or
    not at all, whoever else is in it tonight: the policy's share holds for them.
    """
    shares = np.full(len(kinds), policy.holdout.share)
    if policy.holdout.by_tier:
        own = tiers.astype("object").map(policy.holdout.by_tier).astype("float64").fillna(policy.holdout.share)
        shares = np.where(kinds == "customer", own, shares)
    stated = {name: campaign.holdout for name, campaign in policy.campaigns.items() if campaign.holdout is not None}
    given = campaigns.astype("object").map(stated).astype("float64").to_numpy() if stated else np.full(len(kinds), np.nan)
    return np.where(np.isnan(given), shares, given)


def arms(units: pd.Series, campaigns: pd.Series, shares: npt.ArrayLike, *, universal: float, key: bytes) -> npt.NDArray[np.object_]:
    """Draw the arm of each customer.

    The draw is a function of key, unit and campaign alone: it stays over nights and machines, never depends on other customers, and is
    independent from campaign to campaign. Whoever is in a larger share is in it too when the share was smaller.

    Parameters
    ----------
    units : Series of str, shape (n,)
        See `units_of`.
    campaigns : Series of str, shape (n,)
        Missing where there is none; such customers can be of the universal control all the same.
    shares : array-like, shape (n,)
        See `campaign_shares`.
    universal : float
        Share held out of every campaign; drawn first.
    key : bytes
        Secret, and never changed: another key is another draw.

    Returns
    -------
    ndarray of str, shape (n,)
        One of `ARMS`.

    Raises
    ------
    ConfigError
        The key is shorter than 16 bytes.
    """
    if len(key) < _SHORTEST_KEY:
        raise ConfigError(f"the key of the holdout has {len(key)} bytes; give at least {_SHORTEST_KEY}, kept secret and never changed.")
    found = np.full(len(units), CONTACT, dtype=object)
    for name in campaigns.dropna().unique():
        own = (campaigns == name).to_numpy()
        found[own] = np.where(draws(units[own], f"campaign|{name}", key=key) < np.asarray(shares)[own], HELD_OUT, CONTACT)
    if universal > 0:
        found[draws(units, "universal", key=key) < universal] = UNIVERSAL
    return found


def draws(units: pd.Series, purpose: str, *, key: bytes) -> Floats:
    """Give a uniform number in [0, 1) to each unit: the first 53 bits of HMAC-SHA256 of ``purpose|unit``, shape (n,)."""
    codes, names = pd.factorize(units)
    digests = b"".join(hmac.digest(key, f"{purpose}|{name}".encode(), "sha256")[:8] for name in names)
    numbers = np.frombuffer(digests, dtype=">u8").astype(np.uint64) >> np.uint64(11)
    return (numbers.astype(np.float64) * 2.0**-53)[codes]
