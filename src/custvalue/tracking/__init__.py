"""The only MLflow code: runs, the registry, promotion. MLflow loads when a store is opened."""

from custvalue.tracking.gates import Gate, Verdict
from custvalue.tracking.promotion import PromotionRefusedError
from custvalue.tracking.store import Store
from custvalue.tracking.versions import CHALLENGER, CHAMPION, LoadedModel, ModelVersion

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Gate",
    "LoadedModel",
    "ModelVersion",
    "PromotionRefusedError",
    "Store",
    "Verdict",
]
