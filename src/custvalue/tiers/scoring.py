"""Points and eligibility of a customer, as Ibis expressions over the feature table."""

from __future__ import annotations

import difflib

import ibis
import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.errors import ConfigError, some

TENURE = "tenure_months"
_DECIMALS = 6
"""Scores are compared after rounding: 0.1 + 0.2 points reach a cut of 0.3 whatever the engine adds first."""


def check_metrics(features: ir.Table, config: TierPolicyConfig) -> None:
    """Refuse a feature table that lacks what the policy scores.

    Raises
    ------
    ConfigError
        A component's metric, or the tenure that eligibility asks for, is absent or is not a number.
    """
    wanted = [(f"component {name!r}", component.metric) for name, component in config.components.items()]
    if config.eligibility.min_tenure_months > 0:
        wanted.append(("eligibility.min_tenure_months", TENURE))
    schema = features.schema()
    numbers = [name for name, kind in schema.items() if kind.is_numeric()]
    for place, metric in wanted:
        if metric in numbers:
            continue
        fault = f"is {schema[metric]}, not a number" if metric in schema else "is not in the feature table"
        near = difflib.get_close_matches(metric, numbers, n=5, cutoff=0.5)
        offered = [*near, *sorted(set(numbers) - set(near))]
        raise ConfigError(
            f"tier policy {config.label}, {place}: feature {metric!r} {fault}. "
            f"{len(numbers)} number features are available, for example {some(offered, 5)}. "
            "Name one of them in the policy, or add the window or table that makes it."
        )


def number(features: ir.Table, column: str) -> ir.FloatingValue:
    """Give a column as float64 with NaN as null, because engines disagree on how NaN compares."""
    value = features[column].cast("float64")
    return value.isnan().ifelse(ibis.null("float64"), value)


def score(features: ir.Table, config: TierPolicyConfig) -> ir.FloatingValue:
    """Sum the components' points: ``min(cap, points_per_unit * max(value, 0))``, a missing value counting as zero.

    A negative value (a credit note larger than the bill) gives zero points rather than taking some away, so that no
    component can undo another. Rounded to six decimals.
    """
    points = []
    for component in config.components.values():
        value = ibis.greatest(number(features, component.metric).fill_null(0.0), 0.0) * component.points_per_unit
        points.append(value if component.cap is None else ibis.least(value, component.cap))
    total = points[0]
    for more in points[1:]:
        total = total + more
    return total.round(_DECIMALS)


def rated(features: ir.Table, config: TierPolicyConfig) -> ir.BooleanValue:
    """Tell who is long enough with the operator to be rated; an unknown tenure is not, unless none is asked for."""
    months = config.eligibility.min_tenure_months
    if months == 0:
        return ibis.literal(True)
    return (number(features, TENURE) >= months).fill_null(False)
