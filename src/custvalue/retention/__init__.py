"""Who is worth a contact tonight: value kept, expected net value, suppression, capacity, ranking."""

from custvalue.metrics import contact_value
from custvalue.retention.approvals import Approval, approvals, approved, pending, read_dry_run, record_approval, save_dry_run
from custvalue.retention.campaigns import policy_notes, sensitive_columns
from custvalue.retention.care import care, count_care
from custvalue.retention.choosing import Choice, choose
from custvalue.retention.contact import break_even, policy_contact_value
from custvalue.retention.counts import count_decisions, customers_by_manager, told_counts
from custvalue.retention.deciding import decide
from custvalue.retention.decisions import DECISIONS, LISTED, WAITING
from custvalue.retention.dry_run import DryRun
from custvalue.retention.dry_run_figures import dry_run
from custvalue.retention.managers import POOL, Duty
from custvalue.retention.risk import HIGH_RISK, MEDIUM_RISK, risk_band
from custvalue.retention.sensitivity import sensitivity
from custvalue.retention.sign_columns import SIGNS, Sign
from custvalue.retention.signs import define_signs
from custvalue.retention.suppression import consent_notes
from custvalue.retention.triggers import alarm_notes, count_triggers, rule_notes, triggered
from custvalue.retention.value import annuity, discounted_months, offer_cost, saved_survival, value_kept

__all__ = [
    "DECISIONS",
    "HIGH_RISK",
    "LISTED",
    "MEDIUM_RISK",
    "POOL",
    "SIGNS",
    "WAITING",
    "Approval",
    "Choice",
    "DryRun",
    "Duty",
    "Sign",
    "alarm_notes",
    "annuity",
    "approvals",
    "approved",
    "break_even",
    "care",
    "choose",
    "consent_notes",
    "contact_value",
    "count_care",
    "count_decisions",
    "count_triggers",
    "customers_by_manager",
    "decide",
    "define_signs",
    "discounted_months",
    "dry_run",
    "offer_cost",
    "pending",
    "policy_contact_value",
    "policy_notes",
    "read_dry_run",
    "record_approval",
    "risk_band",
    "rule_notes",
    "save_dry_run",
    "saved_survival",
    "sensitive_columns",
    "sensitivity",
    "told_counts",
    "triggered",
    "value_kept",
]
