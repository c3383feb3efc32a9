"""Where the cuts between tiers lie: taken from the policy, or found once in the rated base."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise

import ibis.expr.types as ir

from custvalue.config import TierPolicyConfig
from custvalue.config.tiers import Thresholds
from custvalue.errors import DataError
from custvalue.tiers.scoring import rated, score


def find_cuts(features: ir.Table, config: TierPolicyConfig, *, log: Callable[[str], None]) -> tuple[dict[str, float], int]:
    """Find the lowest score of every tier but the last, in one aggregate on the engine.

    With ``share_of_base`` the cut of a tier is the linearly interpolated quantile ``1 - (shares down to this tier)`` of
    the rated customers' scores; where scores are distinct, the customers at or above it differ from the asked share by
    less than one. Equal scores stay together, in the higher tier: a tier can then be larger than asked and the next
    one empty, which is logged.

    Returns
    -------
    tuple
        Cuts by tier, highest first (points), and the number of rated customers.

    Raises
    ------
    DataError
        Shares are asked of a base in which nobody is rated.
    """
    base = features.filter(rated(features, config))
    scores = score(base, config)
    if isinstance(config.cuts, Thresholds):
        row = base.aggregate(rated=base.count()).to_pyarrow().to_pylist()[0]
        return dict(config.cuts.at_least), int(row["rated"])
    tiers = list(config.cuts.shares)
    quantiles = {f"cut_{i}": scores.quantile(1 - share) for i, share in enumerate(accumulate(config.cuts.shares.values()))}
    row = base.aggregate(rated=base.count(), **quantiles).to_pyarrow().to_pylist()[0]
    if row["rated"] == 0:
        raise DataError(
            f"tier policy {config.label}: nobody in the feature table is rated, so shares of the base have no cuts. "
            f"Check the as-of date, or lower eligibility.min_tenure_months ({config.eligibility.min_tenure_months})."
        )
    cuts = {tier: float(row[f"cut_{i}"]) for i, tier in enumerate(tiers)}
    for upper, lower in pairwise(tiers):
        if cuts[upper] == cuts[lower]:
            log(f"tier policy {config.label}: many equal scores, so {upper} takes all of {lower} (cut {cuts[upper]:g})")
    return cuts, int(row["rated"])
