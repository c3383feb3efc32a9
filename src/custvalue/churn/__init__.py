"""Who will leave: labelled snapshots → splits → booster → calibration → evaluation → the model bundle."""

from custvalue.churn.bundle import ModelBundle
from custvalue.churn.calibration import Calibrator, fit_calibrator
from custvalue.churn.evaluation import Evaluation, Interval, evaluate
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.hazard import expected_months, first_months, survival, urgency
from custvalue.churn.outcomes import Outcome, label, treated
from custvalue.churn.plots import draw_figures
from custvalue.churn.snapshots import find_snapshots
from custvalue.churn.splits import Slice, Slices, split
from custvalue.churn.stacking import training_frame, with_outcome
from custvalue.churn.time_split import TimeSplit
from custvalue.churn.training import TrainedModel, train_model

__all__ = [
    "Calibrator",
    "Evaluation",
    "Interval",
    "ModelBundle",
    "Outcome",
    "Slice",
    "Slices",
    "TimeSplit",
    "TrainedModel",
    "TrainingFrame",
    "draw_figures",
    "evaluate",
    "expected_months",
    "find_snapshots",
    "first_months",
    "fit_calibrator",
    "label",
    "split",
    "survival",
    "train_model",
    "training_frame",
    "treated",
    "urgency",
    "with_outcome",
]
