"""What a run is told: frozen settings, one file a stage, read from YAML."""

from custvalue.config.alerts import AlertRule, AlertRules
from custvalue.config.churn import ChurnConfig
from custvalue.config.features import FeaturesConfig
from custvalue.config.lists import ListsConfig
from custvalue.config.loading import (
    Config,
    load_alert_rules,
    load_config,
    load_mapping,
    load_retention_policy,
    load_tier_policy,
    load_trigger_rules,
    ready_configs,
)
from custvalue.config.monitoring import MonitoringConfig
from custvalue.config.orders import OrdersConfig
from custvalue.config.outcomes import MAIN, Departures, OutcomeSettings, TimeToLeave, ValueLoss
from custvalue.config.page import PageConfig
from custvalue.config.promotion import PromotionConfig
from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.sources import SourceMapping, SourcesConfig
from custvalue.config.tiers import UNRATED, TierPolicyConfig
from custvalue.config.triggers import CareRule, Trigger, TriggerRules

__all__ = [
    "MAIN",
    "UNRATED",
    "AlertRule",
    "AlertRules",
    "CareRule",
    "ChurnConfig",
    "Config",
    "Departures",
    "FeaturesConfig",
    "ListsConfig",
    "MonitoringConfig",
    "OrdersConfig",
    "OutcomeSettings",
    "PageConfig",
    "PromotionConfig",
    "RetentionPolicyConfig",
    "SourceMapping",
    "SourcesConfig",
    "TierPolicyConfig",
    "TimeToLeave",
    "Trigger",
    "TriggerRules",
    "ValueLoss",
    "load_alert_rules",
    "load_config",
    "load_mapping",
    "load_retention_policy",
    "load_tier_policy",
    "load_trigger_rules",
    "ready_configs",
]
