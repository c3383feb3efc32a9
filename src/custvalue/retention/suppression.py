"""Who must not, may not or need not be called, decided before anybody is ranked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.errors import ConfigError, DataError, mask, some
from custvalue.retention.decisions import SUPPRESSED
from custvalue.retention.flags import Flags, yes
from custvalue.retention.value import Floats


def check_scores(scores: pd.DataFrame, policy: RetentionPolicyConfig) -> None:
    """Refuse scores that cannot be ranked.

    Raises
    ------
    DataError
        A column is absent, a customer is missing or stands there twice, or a probability is not within 0 to 1.
    ConfigError
        The policy gives no channel for a tier that occurs.
    """
    absent = [column for column in ("customer_id", "probability", "tier", "arpu") if column not in scores.columns]
    if absent:
        raise DataError(f"scores lack {some(absent)}; ranking needs customer_id, probability, tier and arpu.")
    customer = scores["customer_id"]
    twice = customer[customer.duplicated() | customer.isna()]
    if len(twice):
        raise DataError(
            f"scores: {len(twice)} rows have no customer_id or one that occurs before (for example "
            f"{mask(twice.iloc[0])}). Give one row a customer."
        )
    wrong = customer[~scores["probability"].astype("float64").between(0, 1)]
    if len(wrong):
        raise DataError(
            f"scores: {len(wrong)} probabilities are missing or not within 0 to 1 (for example customer "
            f"{mask(wrong.iloc[0])}). Score these customers again."
        )
    strange = sorted(set(scores["tier"].astype("object").fillna("(missing)")) - set(policy.channels))
    if strange:
        raise ConfigError(
            f"retention policy {policy.label}: channels name no channel for {some(strange)}. Give every tier, and "
            "unrated, one of manager, message or self_service."
        )


def suppressed(frame: pd.DataFrame, policy: RetentionPolicyConfig) -> list[tuple[str, Flags]]:
    """Give, strongest reason first, who takes no slot whatever the contact is worth.

    A column that is absent switches its rule off.

    ==================== ================================================================================================
    deceased             ``status`` is deceased
    port_authorised      hindering a port is forbidden
    no_consent           marketing consent refused
    consent_unknown      the column is there but empty for the customer, which is not a yes; where the operator maps no consent
                         column at all the contacts rest on the operator's own opt-out process (see `consent_notes`)
    do_not_contact       asked not to be contacted
    in_dispute           disputes a bill
    complaint_open       has an open complaint, and the policy waits for its end
    open_order           somebody is at work on an order of his; one that nobody has begun competes anew every night
    cooldown             was contacted less than ``cooldown_days`` ago
    too_many_contacts    was contacted as often as the policy allows within 90 days
    deferred             asked to be called later
    channel_message,     the tier is not served by managers
    channel_self_service
    ==================== ================================================================================================

    Parameters
    ----------
    frame : DataFrame
        ``tier``, and where known the columns above and those of `standing.with_standing`.
    policy : RetentionPolicyConfig
        Rules and channels.

    Raises
    ------
    DataError
        A column of yes and no holds something else.
    """
    rules, channel = policy.rules, frame["tier"].astype("object").map(policy.channels)
    known = frame["marketing_consent"].notna().to_numpy() if "marketing_consent" in frame else np.ones(len(frame), dtype=bool)
    consent = yes(frame, "marketing_consent") if "marketing_consent" in frame else known
    days, contacts, complaints = (_numbers(frame, name) for name in ("last_contact_days", "contacts_90d", "complaint_open"))
    found = {
        "deceased": (frame["status"] == "deceased").to_numpy(dtype=bool) if "status" in frame else np.zeros(len(frame), dtype=bool),
        "port_authorised": yes(frame, "port_authorised"),
        "no_consent": known & ~consent,
        "consent_unknown": ~known,
        "do_not_contact": yes(frame, "asked_no_contact"),
        "in_dispute": yes(frame, "in_dispute"),
        "complaint_open": (complaints > 0) & (rules.complaint == "wait"),
        "open_order": yes(frame, "open_order"),
        "cooldown": days < rules.cooldown_days,
        "too_many_contacts": contacts >= rules.most_contacts_90d,
        "deferred": yes(frame, "deferred"),
        "channel_message": (channel == "message").to_numpy(),
        "channel_self_service": (channel == "self_service").to_numpy(),
    }
    return [(code, found[code]) for code in SUPPRESSED]


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    """Read a column of numbers; NaN, of which no comparison is true, where it is absent or empty."""
    return frame[column].to_numpy(dtype=np.float64, na_value=np.nan) if column in frame else np.full(len(frame), np.nan)


def consent_notes(columns: Iterable[str]) -> list[str]:
    """Say so where no consent is among the columns."""
    return [] if "marketing_consent" in columns else ["marketing consent is not mapped: nobody is left out for it"]
