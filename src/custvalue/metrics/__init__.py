"""How good a ranking, its probabilities and its decisions are: plain functions on arrays.

Rows that share a score are interchangeable, so every metric gives the same value in whatever order the rows come:
where a cut or a bin edge falls among ties, it takes its share of their mean.
"""

from custvalue.metrics.arrays import Floats
from custvalue.metrics.costs import CostMatrix, savings_score
from custvalue.metrics.maximum_profit import CONTACT_COST, OFFER, SAVE, VALUE, MaximumProfit, empc, empc_score, mp, mp_score
from custvalue.metrics.probabilities import (
    brier_score,
    calibration_excess,
    expected_calibration_error,
    log_loss,
    perfect_calibration_error,
)
from custvalue.metrics.profit import ProfitCurve, best_contacted_share, contact_value, expected_profit, profit_curve
from custvalue.metrics.ranking import average_precision, lift_score, roc_auc
from custvalue.metrics.resampling import Metric, bootstrap, bootstrap_interval
from custvalue.metrics.uplift import QiniCurve, auuc_score, qini_curve, qini_interval, qini_score

__all__ = [
    "CONTACT_COST",
    "OFFER",
    "SAVE",
    "VALUE",
    "CostMatrix",
    "Floats",
    "MaximumProfit",
    "Metric",
    "ProfitCurve",
    "QiniCurve",
    "auuc_score",
    "average_precision",
    "best_contacted_share",
    "bootstrap",
    "bootstrap_interval",
    "brier_score",
    "calibration_excess",
    "contact_value",
    "empc",
    "empc_score",
    "expected_calibration_error",
    "expected_profit",
    "lift_score",
    "log_loss",
    "mp",
    "mp_score",
    "perfect_calibration_error",
    "profit_curve",
    "qini_curve",
    "qini_interval",
    "qini_score",
    "roc_auc",
    "savings_score",
]
