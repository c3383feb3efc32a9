"""What a run is told: frozen settings, one file a stage, read from YAML."""

from custvalue.config.churn import ChurnConfig
from custvalue.config.features import FeaturesConfig
from custvalue.config.loading import (
    Config,
    load_config,
    load_mapping,
    load_retention_policy,
    load_tier_policy,
    ready_configs,
)
from custvalue.config.promotion import PromotionConfig
from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.sources import SourceMapping, SourcesConfig
from custvalue.config.tiers import UNRATED, TierPolicyConfig

__all__ = [
    "UNRATED",
    "ChurnConfig",
    "Config",
    "FeaturesConfig",
    "PromotionConfig",
    "RetentionPolicyConfig",
    "SourceMapping",
    "SourcesConfig",
    "TierPolicyConfig",
    "load_config",
    "load_mapping",
    "load_retention_policy",
    "load_tier_policy",
    "ready_configs",
]
