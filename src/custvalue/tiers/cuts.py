"""Where the cuts between tiers lie: taken from the policy, or found once in the rated base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise

import ibis
import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import PointsRule, ShareOfBase, ShareOfRevenue, Thresholds
from custvalue.errors import DataError
from custvalue.tiers.facts import known_facts
from custvalue.tiers.scoring import DECIMALS, Cuts, with_scores

_MONEY = "decimal(19, 4)"
_SHARE_DECIMALS = 9


def find_cuts(facts: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> tuple[dict[str, dict[str, float]], int]:
    """Find the lowest score of every tier but the last, for every rule of points.

    With ``share_of_base`` the cut of a tier is the linearly interpolated quantile ``1 - (shares down to this tier)`` of
    the rated customers' scores; where scores are distinct, the customers at or above it differ from the asked share by
    less than one. With ``share_of_revenue`` it is the highest score such that the rated customers at or above it hold at least the shares
    down to this tier of all their revenue (what is negative counts as zero; shares are compared to nine decimals).

    Cuts are rounded to six decimals, as scores are. Equal scores stay together, in the higher tier: a tier can then be larger than asked
    and the next one empty, which is logged.

    Returns
    -------
    tuple
        Cuts by rule and tier, highest first (points), and the number of rated customers.

    Raises
    ------
    DataError
        Shares are asked of a base in which nobody is rated, or shares of revenue where nobody has any.
    """
    known = known_facts(facts, config, log=lambda _: None)
    base = with_scores(known.filter(known.rated), config)
    rules = {f"score_{i}": (name, rule) for i, (name, rule) in enumerate(config.rules.items()) if isinstance(rule, PointsRule)}
    quantiles = {
        f"{column}_{i}": base[column].quantile(1 - share)
        for column, (_, rule) in rules.items()
        if isinstance(rule.cuts, ShareOfBase)
        for i, share in enumerate(accumulate(rule.cuts.shares.values()))
    }
    row = base.aggregate(rated=base.count(), **quantiles).to_pyarrow().to_pylist()[0]
    count = int(row["rated"])
    if count == 0 and any(not isinstance(rule.cuts, Thresholds) for _, rule in rules.values()):
        raise DataError(
            f"tier policy {config.label}: nobody in the feature table is rated, so shares of the base have no cuts. "
            f"Check the as-of date, or lower eligibility.min_tenure_months ({config.eligibility.min_tenure_months})."
        )
    found: dict[str, dict[str, float]] = {}
    for column, (name, rule) in rules.items():
        if isinstance(rule.cuts, Thresholds):
            found[name] = {tier: float(rule.cuts.at_least[tier]) for tier in config.tiers[:-1]}
            continue
        given = _by_revenue(base, column, rule.cuts, config) if isinstance(rule.cuts, ShareOfRevenue) else row
        found[name] = {tier: round(float(given[f"{column}_{i}"]), DECIMALS) for i, tier in enumerate(rule.cuts.shares)}
        _tell_equal(found[name], config, log)
    return found, count


def _by_revenue(base: ir.Table, column: str, cuts: ShareOfRevenue, config: TierPolicyConfig) -> dict[str, float]:
    money = ibis.greatest(base[f"own_{cuts.of}"].fill_null(0.0), 0.0).cast(_MONEY)
    scores = base.select(score=base[column], money=money).group_by("score").aggregate(money=lambda t: t.money.sum())
    from_above = ibis.cumulative_window(order_by=ibis.desc(scores.score))
    held = scores.select("score", so_far=scores.money.sum().over(from_above).cast("float64"), total=scores.money.sum().over())
    held = held.mutate(share=(held.so_far / held.total.cast("float64").nullif(0.0)).round(_SHARE_DECIMALS))
    wanted = [round(share, _SHARE_DECIMALS) for share in accumulate(cuts.shares.values())]
    row: dict[str, float | None] = (
        held.aggregate(**{f"{column}_{i}": held.score.max(where=held.share >= share) for i, share in enumerate(wanted)})
        .to_pyarrow()
        .to_pylist()[0]
    )
    found = {name: cut for name, cut in row.items() if cut is not None}
    if len(found) < len(row):
        raise DataError(
            f"tier policy {config.label}: no rated customer has a positive {cuts.of}, so shares of revenue have no cuts. "
            "Check the billing feed, or name another feature under cuts.of."
        )
    return found


def _tell_equal(cuts: Mapping[str, float], config: TierPolicyConfig, log: Callable[[str], None]) -> None:
    for upper, lower in pairwise(cuts):
        if cuts[upper] == cuts[lower]:
            log(f"tier policy {config.label}: many equal scores, so {upper} takes all of {lower} (cut {cuts[upper]:g})")


def keep_cuts(config: TierPolicyConfig, cuts: Cuts) -> dict[str, dict[str, float]]:
    """Give the lowest score with which a tier is kept, by rule and tier; never above the cut that it is earned with."""
    kept: dict[str, dict[str, float]] = {}
    for name, rule in config.rules.items():
        if not isinstance(rule, PointsRule):
            continue
        if isinstance(rule.cuts, Thresholds):
            kept[name] = {tier: float(rule.cuts.keep_at.get(tier, cut)) for tier, cut in cuts[name].items()}
        else:
            share = rule.cuts.keep_share
            kept[name] = {tier: min(cut, round(cut * share, DECIMALS)) for tier, cut in cuts[name].items()}
    return kept
