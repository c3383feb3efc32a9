"""The way of the data, stage by stage: the only place where stages meet.

`train` goes sources → features → tiers → churn → tracking; `make_night` goes sources → features → tiers → churn → explain → retention →
lists, part by part of the customers, with the champion from tracking; `nightly` does that under a lock and publishes it, whole or not at
all.
"""

from custvalue.pipeline.carrying import carried_rating
from custvalue.pipeline.making import campaigns_on, make_night
from custvalue.pipeline.night import nightly, snapshot_outcomes
from custvalue.pipeline.night_content import Keys, Night
from custvalue.pipeline.outcomes import load_outcomes
from custvalue.pipeline.rating_days import rate_days
from custvalue.pipeline.ratings import Rated, rating_store
from custvalue.pipeline.reasons import published_portfolio
from custvalue.pipeline.stages import Features, Reporter, Tiers, assign_tiers, build_features_at, check, tiers_by_size
from custvalue.pipeline.tiering import forget, tier_facts
from custvalue.pipeline.training import Trained, train
from custvalue.pipeline.unpublished import unpublished_night

__all__ = [
    "Features",
    "Keys",
    "Night",
    "Rated",
    "Reporter",
    "Tiers",
    "Trained",
    "assign_tiers",
    "build_features_at",
    "campaigns_on",
    "carried_rating",
    "check",
    "forget",
    "load_outcomes",
    "make_night",
    "nightly",
    "published_portfolio",
    "rate_days",
    "rating_store",
    "snapshot_outcomes",
    "tier_facts",
    "tiers_by_size",
    "train",
    "unpublished_night",
]
