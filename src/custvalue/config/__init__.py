"""What a run is told: frozen settings, one file a stage, read from YAML."""

from custvalue.config.alerts import AlertRule, AlertRules
from custvalue.config.churn import ChurnConfig
from custvalue.config.features import FeaturesConfig
from custvalue.config.loading import (
    Config,
    load_alert_rules,
    load_config,
    load_mapping,
    load_retention_policy,
    load_tier_policy,
    ready_configs,
)
from custvalue.config.monitoring import MonitoringConfig
from custvalue.config.outcomes import MAIN, Departures, OutcomeSettings, TimeToLeave, ValueLoss
from custvalue.config.promotion import PromotionConfig
from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.sources import SourceMapping, SourcesConfig
from custvalue.config.tiers import UNRATED, TierPolicyConfig

__all__ = [
    "MAIN",
    "UNRATED",
    "AlertRule",
    "AlertRules",
    "ChurnConfig",
    "Config",
    "Departures",
    "FeaturesConfig",
    "MonitoringConfig",
    "OutcomeSettings",
    "PromotionConfig",
    "RetentionPolicyConfig",
    "SourceMapping",
    "SourcesConfig",
    "TierPolicyConfig",
    "TimeToLeave",
    "ValueLoss",
    "load_alert_rules",
    "load_config",
    "load_mapping",
    "load_retention_policy",
    "load_tier_policy",
    "ready_configs",
]
