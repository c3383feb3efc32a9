"""From cuts to a tier for every customer: one Ibis expression, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import ibis
import ibis.expr.types as ir

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.tiers.protection import check_previous, complaint_flags
from custvalue.tiers.scoring import TENURE, number, rated, score


def assign_tiers(
    features: ir.Table,
    *,
    config: TierPolicyConfig,
    cuts: Mapping[str, float],
    as_of: date,
    previous: ir.Table | None,
    log: Callable[[str], None],
) -> ir.Table:
    """Give every customer a tier; see `TierPolicy.assign`, which is the public way in."""
    facts = _with_previous(_facts(features, config, log=log), config, previous=previous, as_of=as_of, log=log)
    ranked = facts.mutate(score_rank=_score_rank(facts, config, cuts))
    freezes = ranked.justified
    if config.protection.open_complaint:
        freezes = freezes | ranked.open
    held = ranked.mutate(held=(freezes & (ranked.previous_rank < ranked.score_rank)).fill_null(False))
    tiered = held.mutate(tier=_tier_name(held.held.ifelse(held.previous_rank, held.score_rank), config))
    day = ibis.literal(as_of, type="date")
    stays = (tiered.tier == tiered.previous_tier) & tiered.previous_valid_from.notnull()
    return tiered.select(
        customer_id=tiered.customer_id,
        tier=tiered.tier,
        score=tiered.score,
        valid_from=stays.fill_null(False).ifelse(tiered.previous_valid_from, day),
        reason_code=_reason_code(tiered, config),
        policy_version=ibis.literal(config.label),
        care_priority=ibis.cases((tiered.open, 2), (tiered.justified, 1), else_=0).cast("int64"),
    )


def _facts(features: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> ir.Table:
    is_open, justified = complaint_flags(features, config, log=log)
    is_rated = rated(features, config)
    tenure_known = number(features, TENURE).notnull() if TENURE in features.columns else ibis.literal(True)
    return features.select(
        customer_id=features.customer_id,
        rated=is_rated,
        tenure_known=tenure_known,
        score=is_rated.ifelse(score(features, config), ibis.null("float64")),
        open=is_open,
        justified=justified,
    )


def _with_previous(
    facts: ir.Table,
    config: TierPolicyConfig,
    *,
    previous: ir.Table | None,
    as_of: date,
    log: Callable[[str], None],
) -> ir.Table:
    if previous is None:
        return facts.mutate(previous_tier=ibis.null("string"), previous_valid_from=ibis.null("date"), previous_rank=ibis.null("int64"))
    check_previous(previous, config, as_of=as_of, log=log)
    ranks = [(previous.tier == tier, rank) for rank, tier in enumerate(config.tiers)]
    before = previous.select(
        previous_customer=previous.customer_id,
        previous_tier=previous.tier,
        previous_valid_from=previous.valid_from.cast("date"),
        previous_rank=ibis.cases(*ranks, else_=ibis.null("int64")).cast("int64"),
    )
    return facts.left_join(before, facts.customer_id == before.previous_customer)


def _score_rank(facts: ir.Table, config: TierPolicyConfig, cuts: Mapping[str, float]) -> ir.IntegerValue:
    """Rank 0 is the highest tier; `unrated` ranks below the last."""
    reached = [(facts.score >= cuts[tier], rank) for rank, tier in enumerate(config.tiers[:-1])]
    ranks = ibis.cases((~facts.rated, len(config.tiers)), *reached, else_=len(config.tiers) - 1)
    return ranks.cast("int64")


def _tier_name(rank: ir.IntegerValue, config: TierPolicyConfig) -> ir.StringValue:
    return ibis.cases(*((rank == place, tier) for place, tier in enumerate(config.tiers)), else_=UNRATED)


def _reason_code(tiered: ir.Table, config: TierPolicyConfig) -> ir.StringValue:
    open_freezes = tiered.open & config.protection.open_complaint
    return ibis.cases(
        (tiered.held & open_freezes, "protected_open_complaint"),
        (tiered.held, "protected_justified_complaint"),
        (~tiered.rated & tiered.tenure_known, "unrated_short_tenure"),
        (~tiered.rated, "unrated_unknown_tenure"),
        else_="score",
    )
