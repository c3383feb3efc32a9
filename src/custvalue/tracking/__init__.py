"""The only MLflow code: runs, the registry, promotion, tier policies. MLflow loads when a store is opened."""

from custvalue.tracking.gates import Gate, Verdict
from custvalue.tracking.judged import JudgedRows, Rival
from custvalue.tracking.policies import CURRENT, PROPOSED, PolicyVersion
from custvalue.tracking.policy_record import rating_is_logged
from custvalue.tracking.promotion import PromotionRefusedError
from custvalue.tracking.ratings import LoggedTiers, PolicyComparison, TierRating
from custvalue.tracking.reigns import Reign
from custvalue.tracking.store import Store
from custvalue.tracking.versions import CHALLENGER, CHAMPION, LoadedModel, ModelVersion

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "CURRENT",
    "PROPOSED",
    "Gate",
    "JudgedRows",
    "LoadedModel",
    "LoggedTiers",
    "ModelVersion",
    "PolicyComparison",
    "PolicyVersion",
    "PromotionRefusedError",
    "Reign",
    "Rival",
    "Store",
    "TierRating",
    "Verdict",
    "rating_is_logged",
]
