"""The way of the data, stage by stage: the only place where stages meet.

`train` goes sources → features → tiers → churn → tracking; `make_night` goes sources → features → tiers → churn → explain → retention →
lists, with the champion from tracking; `nightly` does that under a lock and publishes it, whole or not at all.
"""

from custvalue.pipeline.night import Night, make_night, nightly, snapshot_outcomes, write_lists
from custvalue.pipeline.stages import (
    Features,
    Reporter,
    Tiers,
    assign_tiers,
    build_features_at,
    check,
    last_night_before,
    tiers_by_size,
)
from custvalue.pipeline.training import Trained, train

__all__ = [
    "Features",
    "Night",
    "Reporter",
    "Tiers",
    "Trained",
    "assign_tiers",
    "build_features_at",
    "check",
    "last_night_before",
    "make_night",
    "nightly",
    "snapshot_outcomes",
    "tiers_by_size",
    "train",
    "write_lists",
]
