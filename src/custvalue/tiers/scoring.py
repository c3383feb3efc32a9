"""Points of a customer, the tier that each rule gives, and the best of them, as Ibis expressions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, mul

import ibis
import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import Axis, Component, Factor, MatrixRule, PointsRule, RollUp

TENURE = "tenure_months"
DECIMALS = 6
"""Scores are compared after rounding: 0.1 + 0.2 points reach a cut of 0.3 whatever the engine adds first."""

Cuts = Mapping[str, Mapping[str, float]]
"""Rule → tier → lowest score, highest tier first; rules of points alone."""


def number(features: ir.Table, column: str) -> ir.FloatingValue:
    """Give a column as float64; NaN and infinity are null, because engines disagree on how NaN compares."""
    kind = features.schema()[column]
    value = features[column].cast("float64")
    return (value.isnan() | value.isinf()).ifelse(ibis.null("float64"), value) if kind.is_floating() else value


def value_name(metric: str, roll_up: str) -> str:
    """Name the column that holds a metric as a rule reads it."""
    return f"{metric}__{roll_up}"


def points(known: ir.Table, component: Component) -> ir.FloatingValue:
    """Give a component's points.

    ``points_per_unit * value``, or those of the highest band that the value reaches, kept between ``-cap`` and ``cap``. A missing value
    gives none. A negative one (a credit note larger than the bill) counts as zero, so that no component can undo another. Short history:
    the value is multiplied by ``tenure / full_after_months`` until that is 1; an unknown tenure scales nothing.
    """
    raw = known[value_name(component.metric, component.roll_up)]
    value = ibis.greatest(raw.fill_null(0.0), 0.0)
    if component.full_after_months:
        part = ibis.least(ibis.greatest(known.tenure, 0.0) / float(component.full_after_months), 1.0)
        value = value * known.tenure.isnull().ifelse(1.0, part)  # greatest() is not null on every engine where one side is
    if component.bands is None:
        given = value * (component.points_per_unit or 0.0)
    else:
        given = raw.isnull().ifelse(0.0, _in_bands(value, component.bands, 0.0))
    return given if component.cap is None else ibis.least(ibis.greatest(given, -component.cap), component.cap)


def factor_of(known: ir.Table, factor: Factor) -> ir.FloatingValue:
    """Give the number of the highest band that the value reaches; 1 below the first, or where it is missing."""
    return _in_bands(known[value_name(factor.metric, factor.roll_up)], factor.bands, 1.0)


def _in_bands(value: ir.FloatingValue, bands: Mapping[float, float], below: float) -> ir.FloatingValue:
    highest_first = sorted(bands.items(), reverse=True)
    return ibis.cases(*((value >= float(low), float(given)) for low, given in highest_first), else_=below)


def score(known: ir.Table, rule: PointsRule) -> ir.FloatingValue:
    """Give the sum of the components' points times the product of the factors, rounded to six decimals."""
    total = reduce(add, (points(known, component) for component in rule.components.values()))
    return reduce(mul, (factor_of(known, factor) for factor in rule.factors.values()), total).round(DECIMALS)


def with_scores(known: ir.Table, config: TierPolicyConfig) -> ir.Table:
    """Give a column ``score_<rule's place>`` for each rule, points, or the value of a matrix' columns; what the rules read falls away."""
    read = {value_name(metric, how) for metric, how in values_read(config)}
    scores = {
        f"score_{i}": known[value_name(rule.columns.metric, rule.columns.roll_up)] if isinstance(rule, MatrixRule) else score(known, rule)
        for i, rule in enumerate(config.rules.values())
    }
    ranks = {
        f"matrix_{i}": _matrix_rank(known, rule, config) for i, rule in enumerate(config.rules.values()) if isinstance(rule, MatrixRule)
    }
    return known.select(*(name for name in known.columns if name not in {*read, "tenure"}), **scores, **ranks).view()


def values_read(config: TierPolicyConfig) -> list[tuple[str, RollUp]]:
    """List every metric of the rules with its roll-up, once."""
    found: dict[tuple[str, RollUp], None] = {}
    for rule in config.rules.values():
        parts: list[Axis | Component | Factor] = (
            [rule.rows, rule.columns] if isinstance(rule, MatrixRule) else [*rule.components.values(), *rule.factors.values()]
        )
        found.update(dict.fromkeys((part.metric, part.roll_up) for part in parts))
    return list(found)


def with_ranks(scored: ir.Table, config: TierPolicyConfig, cuts: Cuts, keep: Cuts) -> ir.Table:
    """Give the best tier over the rules, as ranks (0 is the highest tier).

    Parameters
    ----------
    scored : ibis.Table
        With the columns of `with_scores`.
    config : TierPolicyConfig
        The policy.
    cuts, keep : mapping
        Where a tier begins, and down to where it is kept.

    Returns
    -------
    ibis.Table
        With ``rule_rank`` (by the cuts), ``keep_rank`` (by the cuts of those who hold the tier already) and ``score`` (that of the first
        rule which gives ``rule_rank``) in place of the scores.
    """
    ranks, kept = [], []
    for i, (name, rule) in enumerate(config.rules.items()):
        matrix = isinstance(rule, MatrixRule)
        ranks.append(scored[f"matrix_{i}"] if matrix else _rank(scored[f"score_{i}"], cuts[name], config))
        kept.append(scored[f"matrix_{i}"] if matrix else _rank(scored[f"score_{i}"], keep[name], config))
    best = _least(ranks)
    earning = [(rank == best, scored[f"score_{i}"]) for i, rank in enumerate(ranks[:-1])]
    last = scored[f"score_{len(ranks) - 1}"]
    others = [name for name in scored.columns if not name.startswith(("score_", "matrix_", "own_"))]
    score = ibis.cases(*earning, else_=last) if earning else last
    return scored.select(*others, rule_rank=best, keep_rank=_least(kept), score=score).view()


def _least(ranks: list[ir.IntegerValue]) -> ir.IntegerValue:
    return ranks[0] if len(ranks) == 1 else ibis.least(*ranks)


def _rank(score: ir.FloatingValue, cuts: Mapping[str, float], config: TierPolicyConfig) -> ir.IntegerValue:
    reached = [(score >= cuts[tier], rank) for rank, tier in enumerate(config.tiers[:-1])]
    return ibis.cases(*reached, else_=len(config.tiers) - 1).cast("int64")


def _matrix_rank(known: ir.Table, rule: MatrixRule, config: TierPolicyConfig) -> ir.IntegerValue:
    row, column = (known[value_name(axis.metric, axis.roll_up)] for axis in (rule.rows, rule.columns))

    def along(band: str) -> ir.IntegerValue:
        cells = {name: config.tiers.index(tier) for name, tier in rule.cells[band].items()}
        return _by_band(column, rule.columns, cells)

    return _by_band(row, rule.rows, {band: along(band) for band in rule.cells}).cast("int64")


def _by_band(value: ir.FloatingValue, axis: Axis, given: Mapping[str, int | ir.IntegerValue]) -> ir.IntegerValue:
    highest_first = sorted(axis.at_least.items(), key=lambda band: -band[1])
    return ibis.cases(*((value >= low, given[band]) for band, low in highest_first), else_=given[axis.otherwise])
