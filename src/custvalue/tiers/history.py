"""Tier history as slowly changing rows: who held which tier from when to when, derived from the ratings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import ibis
import ibis.expr.types as ir

_KEPT = ("customer_id", "tier", "policy_version", "reason_code")


def tier_history(ratings: Mapping[date, ir.Table]) -> ir.Table:
    """Turn ratings into one row for each stretch of time that a customer held one tier under one policy version.

    A stretch begins at the rating that gave the tier, and ends at the first rating that gave another tier, came from another policy
    version, or did not hold the customer any more. A customer who comes back begins a new one. So the rows of a customer never overlap,
    and have no gap while the customer is rated.

    Each rating is joined to the one before it, one after the other, and what changed is kept on the engine: memory holds two ratings at a
    time, and a window orders the changes, not every rating of every customer.

    Parameters
    ----------
    ratings : mapping of date to ibis.Table
        Every rating by its day, one row a customer: ``customer_id, tier, policy_version, reason_code``; others are ignored. At least one.

    Returns
    -------
    ibis.Table
        customer_id; valid_from, valid_to (dates, half open; a null `valid_to` is the tier as of the newest rating); tier; policy_version;
        reason_code (why the stretch began).
    """
    days = sorted(ratings)
    first = ratings[days[0]].select(*_KEPT, valid_from=ibis.literal(days[0], type="date"))
    later = [_changes(ratings[before].select(_KEPT), ratings[day].select(_KEPT), day).cache() for before, day in pairwise(days)]
    changes = ibis.union(first, *later) if later else first
    until = changes.valid_from.lead().over(group_by=changes.customer_id, order_by=changes.valid_from)
    stretches = changes.mutate(valid_to=until).filter(lambda t: t.tier.notnull())
    return stretches.select("customer_id", "valid_from", "valid_to", "tier", "policy_version", "reason_code")


def _changes(before: ir.Table, now: ir.Table, day: date) -> ir.Table:
    """Who is new, or holds another tier or policy version than before; who is gone has a null tier."""
    both = now.outer_join(before, now.customer_id == before.customer_id, rname="{name}_before")
    same = both.tier.identical_to(both.tier_before) & both.policy_version.identical_to(both.policy_version_before)
    return both.filter(~same).select(
        customer_id=ibis.coalesce(both.customer_id, both.customer_id_before),
        tier=both.tier,
        policy_version=both.policy_version,
        reason_code=both.reason_code,
        valid_from=ibis.literal(day, type="date"),
    )
