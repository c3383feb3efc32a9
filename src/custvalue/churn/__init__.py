"""Who will leave: labelled snapshots → splits → booster → calibration → evaluation → the model bundle."""

from custvalue.churn.bundle import ModelBundle
from custvalue.churn.calibration import Calibrator, fit_calibrator
from custvalue.churn.evaluation import Evaluation, Interval, evaluate
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.outcomes import label, training_frame, treated
from custvalue.churn.plots import draw_figures
from custvalue.churn.snapshots import find_snapshots
from custvalue.churn.splits import Slice, Slices, split
from custvalue.churn.time_split import TimeSplit
from custvalue.churn.training import TrainedModel, train_model

__all__ = [
    "Calibrator",
    "Evaluation",
    "Interval",
    "ModelBundle",
    "Slice",
    "Slices",
    "TimeSplit",
    "TrainedModel",
    "TrainingFrame",
    "draw_figures",
    "evaluate",
    "find_snapshots",
    "fit_calibrator",
    "label",
    "split",
    "train_model",
    "training_frame",
    "treated",
]
