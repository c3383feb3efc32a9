"""Customer value tiers: points from the features, cuts fitted once and stored, and a tier for every customer."""

from custvalue.tiers.policy import TierPolicy
from custvalue.tiers.report import tier_table

__all__ = ["TierPolicy", "tier_table"]
