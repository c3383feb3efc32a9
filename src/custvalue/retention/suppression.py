"""Who must not, may not or need not be called, decided before anybody is ranked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.config import RetentionPolicyConfig
from custvalue.errors import ConfigError, DataError, mask, some

Flags = npt.NDArray[np.bool_]


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


def suppressed(scores: pd.DataFrame, policy: RetentionPolicyConfig) -> list[tuple[str, Flags]]:
    """Give, strongest reason first, who takes no slot whatever the contact is worth.

    ``port_authorised``: hindering a port is forbidden. ``no_consent``: marketing consent refused.
    ``consent_unknown``: the column is there but empty for the customer, which is not a yes. Where the operator maps no
    consent column at all the contacts rest on the operator's own opt-out process (see `consent_notes`).
    ``channel_message``, ``channel_self_service``: the tier is not served by managers. ``arpu_unknown``: no bill known.
    """
    if "marketing_consent" in scores.columns:
        consent, known = _yes(scores, "marketing_consent"), scores["marketing_consent"].notna().to_numpy()
    else:
        consent = known = np.ones(len(scores), dtype=bool)
    port = _yes(scores, "port_authorised") if "port_authorised" in scores.columns else np.zeros(len(scores), dtype=bool)
    channel = scores["tier"].map(policy.channels)
    return [
        ("port_authorised", port),
        ("no_consent", known & ~consent),
        ("consent_unknown", ~known),
        ("channel_message", (channel == "message").to_numpy()),
        ("channel_self_service", (channel == "self_service").to_numpy()),
        ("arpu_unknown", scores["arpu"].isna().to_numpy()),
    ]


def consent_notes(columns: Iterable[str]) -> list[str]:
    """Say so where no consent is among the columns."""
    return [] if "marketing_consent" in columns else ["marketing consent is not mapped: nobody is left out for it"]


def _yes(scores: pd.DataFrame, column: str) -> Flags:
    """Read yes and no strictly: text such as "false" would otherwise count as a yes."""
    values = scores[column]
    wrong = values[values.notna() & ~values.isin([True, False])]
    if len(wrong):
        raise DataError(
            f"scores: {len(wrong)} values of {column} are neither true nor false (for example {wrong.iloc[0]!r}). "
            "Map the column to BOOLEAN."
        )
    return (values == True).fillna(False).to_numpy(dtype=bool)  # noqa: E712 - object columns hold None too
