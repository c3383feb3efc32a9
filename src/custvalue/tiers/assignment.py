"""A tier for every customer: facts, scores, the state of the last rating and this one's step, as one Ibis expression."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir

from custvalue.config import UNRATED, TierPolicyConfig
from custvalue.tiers.adjusting import with_adjustments
from custvalue.tiers.cuts import keep_cuts
from custvalue.tiers.facts import known_facts
from custvalue.tiers.protection import check_previous
from custvalue.tiers.scoring import Cuts, with_ranks, with_scores
from custvalue.tiers.stepping import step

_CARRIED = {
    "valid_from": "date",
    "valid_until": "date",
    "below_since": "date",
    "grace_until": "date",
    "policy_version": "string",
    "reason_code": "string",
}
"""What a rating carries into the next one besides the tier, under these names of ours: ``previous_<name>``."""

_LAST = 2**31


def assign_tiers(
    facts: ir.Table,
    *,
    config: TierPolicyConfig,
    cuts: Cuts,
    as_of: date,
    previous: ir.Table | None,
    log: Callable[[str], None],
) -> ir.Table:
    """Give every customer a tier; see `TierPolicy.assign`, which is the public way in."""
    known = known_facts(facts, config, log=log)
    ranked = with_ranks(with_scores(known, config), config, cuts, keep_cuts(config, cuts))
    if previous is not None:
        check_previous(previous, config, as_of=as_of, log=log)
    joined = _with_previous(ranked, config, previous)
    # greatest() is not null on every engine where one side is
    start = joined.previous_rank.isnull().ifelse(ibis.null("int64"), ibis.greatest(joined.previous_rank, joined.keep_rank))
    return step(with_adjustments(joined.mutate(kept_start=start).drop("keep_rank"), config), config, as_of=as_of)


def _with_previous(ranked: ir.Table, config: TierPolicyConfig, previous: ir.Table | None) -> ir.Table:
    """Add the state of the last rating; on a level above the line that of the group's best placed member."""
    names = {name: f"previous_{name}" for name in ("rank", *_CARRIED)}
    if previous is None:
        absent = {names["rank"]: ibis.null("int64")} | {names[name]: ibis.null(kind) for name, kind in _CARRIED.items()}
        return ranked.mutate(**absent).view()
    ranks = [(previous.tier == tier, rank) for rank, tier in enumerate((*config.tiers, UNRATED))]
    carried = {name: previous[name].cast(kind) if name in previous.columns else ibis.null(kind) for name, kind in _CARRIED.items()}
    before = previous.select(
        previous_customer=previous.customer_id,
        previous_rank=ibis.cases(*ranks, else_=ibis.null("int64")).cast("int64"),
        **{names[name]: value for name, value in carried.items()},
    )
    joined = ranked.left_join(before, ranked.customer_id == before.previous_customer).view()
    return joined if config.level == "line" else _of_the_best(joined, [*names.values()])


def _of_the_best(joined: ir.Table, columns: list[str]) -> ir.Table:
    """Give every member the state of the member with the best tier; of equals the one who has held it longest, then the first id."""
    group = [joined.group_id, joined.alone_id]
    # a member without a tier comes after all; engines place nulls differently
    order = [joined.previous_rank.fill_null(_LAST), joined.previous_valid_from.fill_null(date.max), joined.customer_id]
    placed = joined.mutate(place=ibis.row_number().over(ibis.window(group_by=group, order_by=order))).view()
    together = ibis.window(group_by=[placed.group_id, placed.alone_id])
    return placed.mutate(**{name: placed[name].max(where=placed.place == 0).over(together) for name in columns}).view()
