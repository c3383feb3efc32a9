"""Feature blocks: one file a block, joined to one row an active customer."""

from custvalue.features.columns import FeatureColumn
from custvalue.features.describing import describe
from custvalue.features.joining import BLOCKS, FeatureSet, build_features
from custvalue.features.parts import FeatureParts, compute_features
from custvalue.features.population import active_customers, current_customers

__all__ = [
    "BLOCKS",
    "FeatureColumn",
    "FeatureParts",
    "FeatureSet",
    "active_customers",
    "build_features",
    "compute_features",
    "current_customers",
    "describe",
]
