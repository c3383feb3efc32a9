"""From contributions and facts to reasons in words."""

from custvalue.explain.reasons import LAST_RESORT, Reason, check_reasons, explain

__all__ = ["LAST_RESORT", "Reason", "check_reasons", "explain"]
