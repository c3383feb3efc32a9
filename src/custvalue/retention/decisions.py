"""What can be decided of a customer on a night; every code has its words under ``decisions`` in labels.yaml."""

from __future__ import annotations

SUPPRESSED = (
    "deceased",
    "port_authorised",
    "no_consent",
    "consent_unknown",
    "do_not_contact",
    "in_dispute",
    "complaint_open",
    "open_order",
    "cooldown",
    "too_many_contacts",
    "deferred",
    "channel_message",
    "channel_self_service",
)
"""Codes of who takes no slot whatever a contact is worth."""

UNWORTHY = ("no_campaign", "no_offer", "arpu_unknown", "not_worth_a_contact")
"""Codes of whom there is no reason to call."""

NOT_APPROVED = "not_approved"
"""Whose campaign nobody has approved."""

CHOSEN = (NOT_APPROVED, "account_covered", "held_out", "held_out_below", "over_budget", "over_capacity", "listed")
"""Codes that the choice among those left gives."""

DECISIONS = (*SUPPRESSED, *UNWORTHY, *CHOSEN)
"""Every code a customer's decision can have; where several hold, the first counts."""

WAITING, LISTED = "over_capacity", "listed"
"""Whoever may take a slot waits for one; who gets none stays over capacity."""
