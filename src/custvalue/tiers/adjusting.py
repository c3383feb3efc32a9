"""Floors and overrides: what they make of a tier, in the policy's order."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tiers import Adjustment


def with_adjustments(ranked: ir.Table, config: TierPolicyConfig) -> ir.Table:
    """Apply the adjustments to three tiers of every customer, each as a rank (0 is the highest tier).

    Parameters
    ----------
    ranked : ibis.Table
        ``rule_rank`` (what the rules give), ``kept_start`` (the same, by the cuts of those who hold the tier), ``previous_rank``, and
        ``meets_0`` ….

    Returns
    -------
    ibis.Table
        With ``adjusted`` and ``adjusted_by`` (the adjustment that moved it last, else null), from ``rule_rank``; ``kept``, from
        ``kept_start``; ``forced`` and ``forced_by``, from ``previous_rank`` by those alone that act at once: they bind the tier that
        validity, streak, grace or a step would still hold.
    """
    ranks = {"adjusted": ranked.rule_rank, "kept": ranked.kept_start, "forced": ranked.previous_rank}
    movers = {"adjusted_by": ibis.null("string"), "forced_by": ibis.null("string")}
    now = ranked.mutate(**ranks, **movers).drop("rule_rank", "kept_start")
    for i, each in enumerate(config.adjustments):
        now, meets, name = now.view(), f"meets_{i}", ibis.literal(each.name)
        bound = ("adjusted", "kept", "forced") if each.at_once else ("adjusted", "kept")
        after = {rank: now[meets].ifelse(_adjusted(now[rank], each, config), now[rank]) for rank in bound}
        moved = {f"{rank}_by": (after[rank] != now[rank]).ifelse(name, now[f"{rank}_by"]) for rank in bound if rank != "kept"}
        now = now.mutate(**after, **moved).drop(meets)
    return now.view()


def _adjusted(rank: ir.IntegerValue, adjustment: Adjustment, config: TierPolicyConfig) -> ir.IntegerValue:
    """Give the rank after an adjustment whose conditions hold; null stays null."""
    place = {tier: ibis.literal(i, type="int64") for i, tier in enumerate(config.tiers)}
    if adjustment.at_least is not None:
        given = ibis.least(rank, place[adjustment.at_least])
    elif adjustment.at_most is not None:
        given = ibis.greatest(rank, place[adjustment.at_most])
    else:
        given = place[str(adjustment.exactly)]
    # not every engine's least and greatest are null where one side is
    applies = rank.notnull() if adjustment.only_from is None else (rank == place[adjustment.only_from]).fill_null(False)
    return applies.ifelse(given, rank)
