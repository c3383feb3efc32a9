"""What a policy reads of a customer, and the table of it that all rules start from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from custvalue.config import TierPolicyConfig
from custvalue.config.tier_rules import MatrixRule, PointsRule, ShareOfRevenue
from custvalue.config.tiers import Condition
from custvalue.errors import ConfigError, DataError, some
from custvalue.tiers.levels import any_line, group_keys, rolled_up
from custvalue.tiers.protection import JUSTIFIED, OPEN, complaint_flags, frozen_by
from custvalue.tiers.scoring import TENURE, number, value_name, values_read

SEGMENT = "segment"

Frame: TypeAlias = ir.Table | pd.DataFrame | pa.Table
"""A table on an engine, or in memory."""


@dataclass(frozen=True)
class Needed:
    """Columns that policies read besides ``customer_id``.

    Attributes
    ----------
    features : tuple of str
        Feature columns, sorted. ``complaint_open`` and ``days_since_justified_complaint`` are always among them; a table may lack these
        two, and nobody is protected then. Any other that is absent is refused by `check_metrics`.
    ids : tuple of str
        ``account_id`` or ``household_id`` of the customers table, where a policy grades lines together.
    """

    features: tuple[str, ...]
    ids: tuple[str, ...]


def needed_columns(*configs: TierPolicyConfig) -> Needed:
    """List what some policies read, so that no more is built."""
    features = {OPEN, JUSTIFIED}
    ids = set()
    for config in configs:
        features.update(column for _, column, _ in _read_by(config))
        if config.level != "line":
            ids.add(f"{config.level}_id")
    return Needed(tuple(sorted(features)), tuple(sorted(ids)))


def as_table(frame: Frame) -> ir.Table:
    """Give a table that Ibis can compute with.

    Raises
    ------
    ConfigError
        It is no table.
    DataError
        A column of a pandas frame holds values of several types.
    """
    if isinstance(frame, ir.Table):
        return frame
    if isinstance(frame, pa.Table):
        return ibis.memtable(frame)
    if isinstance(frame, pd.DataFrame):
        try:
            return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(f"a frame does not convert to Arrow: {error}. Give each column one type.") from error
    raise ConfigError(f"a tier policy takes Ibis, pandas or Arrow tables, not {type(frame).__name__}.")


def check_metrics(facts: ir.Table, config: TierPolicyConfig) -> None:
    """Refuse a table that lacks what the policy reads.

    Raises
    ------
    ConfigError
        A column that a rule, an adjustment, the eligibility or the level asks for is absent or of the wrong type.
    """
    schema = facts.schema()
    wanted = [("every policy", "customer_id", "id"), *_read_by(config)]
    if config.level != "line":
        wanted.append((f"level {config.level}", f"{config.level}_id", "id"))
    for place, column, kind in wanted:
        if column in schema and (kind == "id" or (schema[column].is_string() if kind == "text" else schema[column].is_numeric())):
            continue
        raise ConfigError(_not_there(facts, config, place, column, kind))


def _not_there(facts: ir.Table, config: TierPolicyConfig, place: str, column: str, kind: str) -> str:
    schema = facts.schema()
    if kind == "id":
        return (
            f"tier policy {config.label}, {place}: column {column!r} is not in the table. "
            "Add it from the customers table, or choose another level in the policy."
        )
    words = "text" if kind == "text" else "number"
    found = [name for name, of in schema.items() if (of.is_string() if kind == "text" else of.is_numeric())]
    fault = f"is {schema[column]}, not a {words}" if column in schema else "is not in the feature table"
    near = difflib.get_close_matches(column, found, n=5, cutoff=0.5)
    offered = [*near, *sorted(set(found) - set(near))]
    return (
        f"tier policy {config.label}, {place}: feature {column!r} {fault}. "
        f"{len(found)} {words} features are available, for example {some(offered, 5)}. "
        "Name one of them in the policy, or add the window or table that makes it."
    )


def known_facts(facts: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> ir.Table:
    """Give what the rules read, rolled up to the policy's level: one row a customer.

    Returns
    -------
    ibis.Table
        customer_id; rated (eligible or not) and unrated_reason; tenure (months); frozen_by (the complaint that forbids a fall, as a reason
        code) and care_priority; ``meets_0`` … (whether the conditions of each adjustment hold); one column for each metric and roll-up,
        named by `value_name`; the features of ``cuts.of`` as ``own_<feature>``; ``group_id, alone_id`` where lines are graded together.
    """
    keys = group_keys(facts, config)
    together = ibis.window(group_by=list(keys.values())) if keys else None
    is_open, justified = complaint_flags(facts, config, log=log)
    own = number(facts, TENURE) if TENURE in facts.columns else ibis.null("float64")
    tenure = rolled_up(own, "max", together)
    wanted = config.eligibility.segments
    in_segment = any_line(facts[SEGMENT].isin(wanted).fill_null(False), together) if wanted else ibis.literal(True)
    months = config.eligibility.min_tenure_months
    old_enough = (tenure >= months).fill_null(False) if months else ibis.literal(True)
    is_open, justified = any_line(is_open, together), any_line(justified, together)
    return facts.select(
        customer_id=facts.customer_id,
        **keys,
        rated=old_enough & in_segment,
        unrated_reason=ibis.cases(
            (~in_segment, "unrated_other_segment"), (tenure.notnull(), "unrated_short_tenure"), else_="unrated_unknown_tenure"
        ),
        tenure=tenure,
        frozen_by=frozen_by(is_open, justified, config),
        care_priority=ibis.cases((is_open, 2), (justified, 1), else_=0).cast("int64"),
        **{f"meets_{i}": _all_hold(facts, each.when, together) for i, each in enumerate(config.adjustments)},
        **{value_name(metric, how): rolled_up(number(facts, metric), how, together) for metric, how in values_read(config)},
        **{f"own_{metric}": number(facts, metric) for metric in _revenues(config)},
    ).view()


def _all_hold(facts: ir.Table, conditions: tuple[Condition, ...], together: Any | None) -> ir.BooleanValue:
    holds = ibis.literal(True)
    for condition in conditions:
        holds = holds & any_line(_holds(facts, condition), together)
    return holds


def _holds(facts: ir.Table, condition: Condition) -> ir.BooleanValue:
    holds = facts[condition.metric].isin(condition.among) if condition.among else ibis.literal(True)
    if condition.at_least is not None:
        holds = holds & (number(facts, condition.metric) >= condition.at_least)
    if condition.below is not None:
        holds = holds & (number(facts, condition.metric) < condition.below)
    return holds.fill_null(False)


def _revenues(config: TierPolicyConfig) -> list[str]:
    cuts = [rule.cuts for rule in config.rules.values() if isinstance(rule, PointsRule)]
    return sorted({each.of for each in cuts if isinstance(each, ShareOfRevenue)})


def _read_by(config: TierPolicyConfig) -> Iterator[tuple[str, str, str]]:
    """Give every place that reads a feature: where in the policy, which, and whether a number or text."""
    for name, rule in config.rules.items():
        yield from ((f"rule {name!r}, {place}", metric, "number") for place, metric in _read_by_rule(rule))
    if config.eligibility.min_tenure_months:
        yield "eligibility.min_tenure_months", TENURE, "number"
    if config.eligibility.segments:
        yield "eligibility.segments", SEGMENT, "text"
    for adjustment in config.adjustments:
        for condition in adjustment.when:
            yield f"adjustment {adjustment.name!r}", condition.metric, "text" if condition.among else "number"


def _read_by_rule(rule: PointsRule | MatrixRule) -> Iterator[tuple[str, str]]:
    if isinstance(rule, MatrixRule):
        yield from (("rows", rule.rows.metric), ("columns", rule.columns.metric))
        return
    for name, component in rule.components.items():
        yield f"component {name!r}", component.metric
        if component.full_after_months:
            yield f"component {name!r}, full_after_months", TENURE
    yield from ((f"factor {name!r}", factor.metric) for name, factor in rule.factors.items())
    if isinstance(rule.cuts, ShareOfRevenue):
        yield "cuts.of", rule.cuts.of
