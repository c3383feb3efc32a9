"""Who is worth a contact tonight: value kept, expected net value, suppression, capacity, ranking."""

from custvalue.metrics import contact_value
from custvalue.retention.contact import break_even, policy_contact_value
from custvalue.retention.ranking import DECISIONS, POOL, Ranking, rank
from custvalue.retention.risk import HIGH_RISK, MEDIUM_RISK, risk_band
from custvalue.retention.sensitivity import sensitivity
from custvalue.retention.value import annuity, discounted_months, offer_cost, saved_survival, value_kept

__all__ = [
    "DECISIONS",
    "HIGH_RISK",
    "MEDIUM_RISK",
    "POOL",
    "Ranking",
    "annuity",
    "break_even",
    "contact_value",
    "discounted_months",
    "offer_cost",
    "policy_contact_value",
    "rank",
    "risk_band",
    "saved_survival",
    "sensitivity",
    "value_kept",
]
