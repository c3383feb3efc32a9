"""Customer value tiers: points from the features, cuts fitted once and stored, and a tier for every customer."""

from custvalue.tiers.facts import Needed, needed_columns
from custvalue.tiers.history import tier_history
from custvalue.tiers.measures.base import tier_table
from custvalue.tiers.policy import TierPolicy
from custvalue.tiers.rating import RatingManifest
from custvalue.tiers.rating_store import RatingStore

__all__ = ["Needed", "RatingManifest", "RatingStore", "TierPolicy", "needed_columns", "tier_history", "tier_table"]
