"""Who is worth a contact tonight: value kept, expected net value, suppression, capacity, ranking."""

from custvalue.metrics import contact_value
from custvalue.retention.contact import break_even, policy_contact_value
from custvalue.retention.managers import POOL, Duty
from custvalue.retention.ranking import (
    DECISIONS,
    LISTED,
    WAITING,
    Ranking,
    choose,
    count_decisions,
    customers_by_manager,
    decide,
    rank,
    told_counts,
)
from custvalue.retention.risk import HIGH_RISK, MEDIUM_RISK, risk_band
from custvalue.retention.sensitivity import sensitivity
from custvalue.retention.suppression import consent_notes
from custvalue.retention.value import annuity, discounted_months, offer_cost, saved_survival, value_kept

__all__ = [
    "DECISIONS",
    "HIGH_RISK",
    "LISTED",
    "MEDIUM_RISK",
    "POOL",
    "WAITING",
    "Duty",
    "Ranking",
    "annuity",
    "break_even",
    "choose",
    "consent_notes",
    "contact_value",
    "count_decisions",
    "customers_by_manager",
    "decide",
    "discounted_months",
    "offer_cost",
    "policy_contact_value",
    "rank",
    "risk_band",
    "saved_survival",
    "sensitivity",
    "told_counts",
    "value_kept",
]
