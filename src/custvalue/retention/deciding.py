"""What a contact with each customer is worth, which offer fits, and whether he may be called: whoever else is considered."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.retention.campaigns import claimed, condition_columns
from custvalue.retention.decisions import UNWORTHY, WAITING
from custvalue.retention.flags import Flags
from custvalue.retention.holdout import arms, campaign_shares, units_of
from custvalue.retention.managers import Duty
from custvalue.retention.offers import offer_columns
from custvalue.retention.parameters import contact_parameters
from custvalue.retention.standing import with_standing
from custvalue.retention.suppression import check_scores, suppressed
from custvalue.retention.value import value_kept
from custvalue.wording.facts import Facts

_TEXTS = ("segment", "region")


def decide(
    frame: pd.DataFrame,
    *,
    policy: RetentionPolicyConfig,
    duty: Duty,
    holdout_key: bytes,
    standing: pd.DataFrame | None = None,
    as_of: date,
) -> pd.DataFrame:
    """Decide of each customer what depends on nobody else.

    Parameters
    ----------
    frame : DataFrame
        One row a customer: customer_id (text), probability (calibrated), tier, arpu (currency a month). Where known, each switching on what
        rests on it: value_months (months of revenue that a saved customer stands for, in place of the policy's), effect (learned, see
        `contact.contact_terms`), manager_id, segment, account_id, household_id, region, reason_code and reason_codes, trigger, urgency and
        due_hours, the columns of `suppression.suppressed`, and every column that a condition of the policy compares.
    policy : RetentionPolicyConfig
    duty : Duty
        The lists of the day.
    holdout_key : bytes
        See `holdout.arms`.
    standing : DataFrame, optional
        What work orders tell; see `standing.with_standing`.
    as_of : date
        The night.

    Returns
    -------
    DataFrame
        In the order given: customer_id, probability, tier, arpu, segment and region where given; own_manager_id and manager_id (the list
        competed for: the manager on duty, else `POOL`); unit and account (see `holdout.units_of`), campaign and claims (see
        `campaigns.claimed`), arm, stratum (text; within one the share held out is the same); value_at_stake (V), reach, save, take_up,
        harm, contact_cost (see `parameters.contact_parameters`) and effect where given; the columns of `offers.offer_columns`; trigger,
        urgency, due_hours; decision (the first of `DECISIONS` that holds; `WAITING` for whoever may take a slot, held out or not).

    Raises
    ------
    DataError, ConfigError
        See `suppression.check_scores`, `suppression.suppressed`, `standing.with_standing` and `holdout.arms`.
    """
    check_scores(frame, policy)
    frame = frame.reset_index(drop=True)
    units = units_of(frame)
    frame = frame.assign(**with_standing(frame, standing, units["account"], as_of=as_of))
    facts = Facts.of_frame(frame, condition_columns(policy))
    decided = _customers(frame, duty).join(claimed(facts, policy, as_of=as_of))
    decided = decided.join(_randomised(decided, units, policy, holdout_key))
    decided["value_at_stake"] = value_kept(decided["arpu"], policy, frame.get("value_months"))
    decided = decided.join(contact_parameters(frame, policy))
    if "effect" in frame.columns:
        decided["effect"] = frame["effect"].astype("float64")
    decided = decided.join(offer_columns(decided, frame, facts, policy)).join(_trigger(frame))
    decision = np.full(len(decided), WAITING, dtype=object)
    for code, flags in reversed([*suppressed(frame, policy), *_unworthy(decided)]):
        decision[flags] = code
    return decided.assign(decision=decision)


def _customers(frame: pd.DataFrame, duty: Duty) -> pd.DataFrame:
    # objects, because a column that is empty throughout arrives as numbers
    own = frame.get("manager_id", pd.Series(None, frame.index)).astype("object")
    columns = ["customer_id", "tier", *(name for name in _TEXTS if name in frame.columns)]
    numbers = {name: frame[name].astype("float64") for name in ("probability", "arpu")}
    return frame[columns].assign(**numbers, own_manager_id=own, manager_id=duty.list_of(own))


def _randomised(decided: pd.DataFrame, units: pd.DataFrame, policy: RetentionPolicyConfig, key: bytes) -> pd.DataFrame:
    shares = campaign_shares(units["kind"], decided["tier"], decided["campaign"], policy)
    arm = arms(units["unit"], decided["campaign"], shares, universal=policy.holdout.universal, key=key)
    stratum = decided["tier"].astype("object").str.cat(units["kind"], sep="/")
    return units[["unit", "account"]].assign(arm=arm, stratum=stratum)


def _trigger(frame: pd.DataFrame) -> pd.DataFrame:
    nothing = pd.Series(None, frame.index, dtype="object")
    texts = {name: frame.get(name, nothing).astype("object") for name in ("trigger", "urgency")}
    return pd.DataFrame(texts | {"due_hours": frame.get("due_hours", nothing).astype("float64")})


def _unworthy(decided: pd.DataFrame) -> list[tuple[str, Flags]]:
    found = (
        decided["campaign"].isna(),
        decided["offer"].isna(),
        decided["arpu"].isna(),
        decided["net_value"] <= 0,
    )
    return [(code, flags.to_numpy(dtype=bool)) for code, flags in zip(UNWORTHY, found, strict=True)]
