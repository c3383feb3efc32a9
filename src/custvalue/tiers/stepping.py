"""From the tier a customer held, and the one that is earned now, to the one that is held from now on."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.sources import add_months

WHO = ("customer_id", "rated", "unrated_reason", "frozen_by", "care_priority", "score")
"""What every stage hands on as it is; each stage selects what the next ones need, which keeps the engine's statement short."""


def step(facts: ir.Table, config: TierPolicyConfig, *, as_of: date) -> ir.Table:
    """Make one rating's step for every customer.

    Parameters
    ----------
    facts : ibis.Table
        What the rules, the adjustments, the complaints and the previous rating say: the columns of `WHO`; adjusted, adjusted_by, kept,
        forced, forced_by (see `with_adjustments`); and ``previous_`` rank, valid_from, valid_until, below_since, grace_until,
        policy_version and reason_code. Ranks count from 0, the highest tier; `unrated` is one more than the last.
    config : TierPolicyConfig
        The policy.
    as_of : date
        The day of the rating.

    Returns
    -------
    ibis.Table
        The columns that `TierPolicy.assign` promises.
    """
    return _with_state(_with_rank(_with_holding(_with_target(facts, config, as_of), config, as_of), config), config, as_of)


def _with_target(facts: ir.Table, config: TierPolicyConfig, as_of: date) -> ir.Table:
    """Add the tier that is earned, the one wanted (by the cuts of those who hold a tier), and what still counts of the previous state."""
    unrated = len(config.tiers)
    earned = facts.rated.ifelse(facts.adjusted, ibis.literal(unrated, type="int64"))
    first = facts.previous_rank.isnull() | (facts.previous_rank == unrated)
    as_earned = first | ~facts.rated | (earned <= facts.previous_rank)
    return facts.select(
        *WHO,
        "previous_rank",
        "previous_valid_from",
        "adjusted_by",
        "forced",
        "forced_by",
        earned_rank=earned,
        first=first,
        # a tier that is kept by its lower cut is never an upgrade
        target=as_earned.ifelse(earned, ibis.greatest(facts.kept, facts.previous_rank)),
        **_carried_state(facts, config, as_of),
    ).view()


def _carried_state(facts: ir.Table, config: TierPolicyConfig, as_of: date) -> dict[str, ir.Value]:
    """Give what of the previous state still counts after a change of the policy's version."""
    day, nothing = ibis.literal(as_of, type="date"), ibis.null("date")
    rule, until = config.transition.rule, facts.previous_valid_until
    changed = (facts.previous_policy_version != config.label).fill_null(False)
    extended = ~changed & (facts.previous_reason_code == "transition").fill_null(False)
    afresh = {"new": changed, "renewal": changed & until.isnull(), "higher": ibis.literal(False)}[rule]
    if rule == "higher":
        extension = ibis.literal(add_months(as_of, config.transition.months), type="date")
        extended = extended | (changed & (until.isnull() | (until <= day)))
        until = changed.ifelse(ibis.greatest(until.fill_null(extension), extension), until)
    return {
        "afresh": afresh,
        "extended": extended,
        "until": afresh.ifelse(nothing, until),
        "below": afresh.ifelse(nothing, facts.previous_below_since).fill_null(day),
        "grace": afresh.ifelse(nothing, facts.previous_grace_until),
    }


def _with_holding(aimed: ir.Table, config: TierPolicyConfig, as_of: date) -> ir.Table:
    """Add who should fall or rise, and what holds a tier that should fall, as a reason code; null where nothing does."""
    day = ibis.literal(as_of, type="date")
    stability = config.stability
    streak_full_from = ibis.literal(_latest_start(as_of, stability.months_before_downgrade - 1), type="date")
    grace_begins = aimed.grace.isnull() if stability.grace_months else ibis.literal(False)
    fell = ~aimed.first & (aimed.target > aimed.previous_rank).fill_null(False)
    held_by = ibis.cases(
        (~fell, ibis.null("string")),
        (aimed.frozen_by.notnull(), aimed.frozen_by),
        (aimed.afresh, ibis.null("string")),
        ((day < aimed.until) & aimed.extended, "transition"),
        (day < aimed.until, "within_validity"),
        (aimed.below > streak_full_from, "below_too_briefly"),
        (grace_begins | (day < aimed.grace), "grace"),
        else_=ibis.null("string"),
    )
    rose = ~aimed.first & (aimed.target < aimed.previous_rank).fill_null(False)
    return aimed.mutate(fell=fell, rose=rose, held_by=held_by).drop("extended").view()


def _latest_start(as_of: date, months: int) -> date:
    """Give the latest day from which so many months are over as of the rating; months end with a shorter month's last day."""
    start = add_months(as_of, -months)
    while add_months(start + timedelta(days=1), months) <= as_of:
        start += timedelta(days=1)
    return start


def _with_rank(held: ir.Table, config: TierPolicyConfig) -> ir.Table:
    """Add the tier that is held from now on, and whether an adjustment that acts at once made it fall further."""
    stability, unrated = config.stability, len(config.tiers)
    previous, target = held.previous_rank, held.target
    down = target
    if stability.largest_step_down is not None:
        no_limit = held.afresh | (target == unrated)
        down = no_limit.ifelse(target, ibis.least(target, previous + stability.largest_step_down))
    up = target if stability.largest_step_up is None else ibis.greatest(target, previous - stability.largest_step_up)
    usual = ibis.cases((held.held_by.notnull(), previous), (held.fell, down), (held.rose, up), else_=target)
    forced_down, rank = ibis.literal(False), usual
    if any(each.at_once for each in config.adjustments):
        at_once = ibis.least(held.forced, target)
        forced_down = (held.fell & held.rated & held.frozen_by.isnull() & (at_once > usual)).fill_null(False)
        rank = forced_down.ifelse(at_once, usual)
    return held.mutate(rank=rank.cast("int64"), forced_down=forced_down).drop("target", "forced").view()


def _with_state(decided: ir.Table, config: TierPolicyConfig, as_of: date) -> ir.Table:
    """Give the row that is written."""
    day, nothing = ibis.literal(as_of, type="date"), ibis.null("date")
    months, rank = config.stability.validity_months, decided["rank"]
    validity = ibis.literal(add_months(as_of, months), type="date") if months else nothing
    grace = ibis.literal(add_months(as_of, config.stability.grace_months), type="date")
    stays = (rank == decided.previous_rank).fill_null(False)
    waits = decided.fell & stays
    over = decided.until.isnull() | (decided.until <= day)
    return decided.select(
        customer_id=decided.customer_id,
        tier=tier_name(rank, config),
        score=decided.rated.ifelse(decided.score, ibis.null("float64")),
        valid_from=stays.ifelse(decided.previous_valid_from.fill_null(day), day),
        valid_until=ibis.cases((rank == len(config.tiers), nothing), (~stays | (~waits & over), validity), else_=decided.until),
        below_since=waits.ifelse(decided.below, nothing),
        grace_until=waits.ifelse((decided.held_by == "grace").ifelse(decided.grace.fill_null(grace), decided.grace), nothing),
        reason_code=_reason(decided, waits, over, config),
        policy_version=ibis.literal(config.label),
        care_priority=decided.care_priority,
        earned=tier_name(decided.earned_rank, config),
    )


def _reason(decided: ir.Table, waits: ir.BooleanValue, over: ir.BooleanValue, config: TierPolicyConfig) -> ir.StringValue:
    adjusted = decided.adjusted_by.notnull() & (decided["rank"] == decided.earned_rank) & (decided.first | decided.rose)
    return ibis.cases(
        (waits, decided.held_by),
        (decided["rank"] == len(config.tiers), decided.unrated_reason),
        (decided.forced_down, ibis.literal("adjusted_") + decided.forced_by),
        (decided.fell & decided.afresh, "policy_change"),
        (decided.fell, "downgrade"),
        (adjusted, ibis.literal("adjusted_") + decided.adjusted_by),
        (decided.first, "first_rating"),
        (decided.rose, "upgrade"),
        (over & ibis.literal(config.stability.validity_months > 0), "renewed"),
        else_="stays",
    )


def tier_name(rank: ir.IntegerValue, config: TierPolicyConfig) -> ir.StringValue:
    """Give the tier of a rank; `unrated` for one past the last."""
    return ibis.cases(*((rank == place, tier) for place, tier in enumerate(config.tiers)), else_=UNRATED)
