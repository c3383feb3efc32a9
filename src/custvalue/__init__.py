"""custvalue: sources → features → tiers → churn → explain → retention → lists → app.

The names below load what they need when they are first used, so that importing the package costs nothing. Start with
`training_frame(tables, as_of)`, which gives the labelled snapshots, and `TimeSplit`, which cross-validates over them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custvalue import errors, metrics
    from custvalue.churn.classifier import ChurnClassifier
    from custvalue.churn.frame import TrainingFrame
    from custvalue.churn.time_split import TimeSplit
    from custvalue.config import Config, load_config
    from custvalue.pipeline.surface import build_features, load_champion, open_tables, read_published, training_frame
    from custvalue.tiers import TierPolicy
    from custvalue.trees import shap_values

_HOMES = {
    "ChurnClassifier": "churn.classifier",
    "Config": "config",
    "TierPolicy": "tiers",
    "TimeSplit": "churn.time_split",
    "TrainingFrame": "churn.frame",
    "build_features": "pipeline.surface",
    "errors": "",
    "load_champion": "pipeline.surface",
    "load_config": "config",
    "metrics": "",
    "open_tables": "pipeline.surface",
    "read_published": "pipeline.surface",
    "shap_values": "trees",
    "training_frame": "pipeline.surface",
}
"""Public name → the module below this package that holds it; a module itself where that is empty."""

__all__ = [
    "ChurnClassifier",
    "Config",
    "TierPolicy",
    "TimeSplit",
    "TrainingFrame",
    "build_features",
    "errors",
    "load_champion",
    "load_config",
    "metrics",
    "open_tables",
    "read_published",
    "shap_values",
    "training_frame",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(_HOMES)}")
    home = _HOMES[name]
    value = getattr(import_module(f"{__name__}.{home}"), name) if home else import_module(f"{__name__}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
