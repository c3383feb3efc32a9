"""Complaints protect: they freeze downgrades and raise the care priority, and never cost points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.errors import ConfigError, DataError, some
from custvalue.tiers.scoring import number

OPEN = "complaint_open"
JUSTIFIED = "days_since_justified_complaint"
PREVIOUS_COLUMNS = ("customer_id", "tier", "valid_from")


def complaint_flags(features: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> tuple[ir.BooleanValue, ir.BooleanValue]:
    """Tell whose complaint is open, and whose was justified within the policy's days (0 days: nobody's).

    A missing value means no such complaint. Where a column is absent nobody is flagged, and one line is logged.
    """
    absent = [column for column in (OPEN, JUSTIFIED) if column not in features.columns]
    if absent:
        log(f"tier policy {config.label}: no {' and no '.join(absent)} feature, so it protects nobody")
    nobody = ibis.literal(False)
    days = config.protection.justified_within_days
    is_open = nobody if OPEN in absent else (number(features, OPEN) > 0).fill_null(False)
    justified = nobody if JUSTIFIED in absent or days == 0 else (number(features, JUSTIFIED) <= days).fill_null(False)
    return is_open, justified


def frozen_by(is_open: ir.BooleanValue, justified: ir.BooleanValue, config: TierPolicyConfig) -> ir.StringValue:
    """Give the reason code of the complaint that forbids a fall; null where none does."""
    freezes = [(justified, "protected_justified_complaint")]
    if config.protection.open_complaint:
        freezes.insert(0, (is_open, "protected_open_complaint"))
    return ibis.cases(*freezes, else_=ibis.null("string"))


def check_previous(previous: ir.Table, config: TierPolicyConfig, *, as_of: date, log: Callable[[str], None]) -> None:
    """Refuse previous tiers that would multiply rows or tell the future, with one aggregate.

    Raises
    ------
    ConfigError
        A column is absent.
    DataError
        A customer is missing or stands there twice, or a tier is valid only from after `as_of`.
    """
    absent = [column for column in PREVIOUS_COLUMNS if column not in previous.columns]
    if absent:
        raise ConfigError(f"previous tiers lack {some(absent)}; they need customer_id, tier and valid_from, one row a customer.")
    day = ibis.literal(as_of, type="date")
    known = [*config.tiers, UNRATED]
    row = (
        previous.aggregate(
            rows=previous.count(),
            customers=previous.customer_id.nunique(),
            future=(previous.valid_from.cast("date") > day).sum().fill_null(0),
            unknown=previous.tier.notin(known).sum().fill_null(0),
            example=previous.tier.max(where=previous.tier.notin(known)),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    if row["rows"] != row["customers"]:
        raise DataError(
            f"previous tiers hold {row['rows']} rows for {row['customers']} customers; give the one row a customer "
            f"that was valid before {as_of}."
        )
    if row["future"]:
        raise DataError(
            f"previous tiers hold {row['future']} rows that are valid only from after {as_of}; give the tiers as they stood then."
        )
    if row["unknown"]:
        log(
            f"tier policy {config.label}: {row['unknown']} customers hold a tier it does not know "
            f"(for example {row['example']}); such a tier protects from nothing"
        )
