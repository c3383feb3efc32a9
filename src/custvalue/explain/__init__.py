"""From contributions and facts to reasons in words."""

from custvalue.explain.choosing import weights_by_reason
from custvalue.explain.reasons import Reason, Reasons, explain
from custvalue.explain.vocabulary import known_columns, load_wording
from custvalue.wording import LAST_RESORT

__all__ = ["LAST_RESORT", "Reason", "Reasons", "explain", "known_columns", "load_wording", "weights_by_reason"]
