"""Gates that a challenger must pass before it becomes champion."""

from __future__ import annotations

from pydantic import Field

from custvalue.config.base import Settings


class PromotionConfig(Settings):
    """Limits of the gates.

    The first three judge a version by itself on its own test slice; the others compare it with the champion on the same rows, by a
    bootstrap in which both are judged on the same resampled customers.

    Attributes
    ----------
    max_calibration_excess : float
        Largest calibration error above a perfect model's.
    min_auc : float
        The lower end of the AUC interval must lie above this.
    max_log_loss_ratio : float
        Test log loss divided by that of the base rate as a forecast must stay below this.
    max_slice_ratio : float
        In no slice may observed and predicted rate be shown (by the nearer end of the 95 % interval) to differ by more than this factor.
    max_log_loss_increase : float
        The upper end of the 95 % interval of (challenger's − champion's) / champion's log loss: the challenger must be shown to be no
        worse than this.
    max_auc_drop : float
        The same for champion's − challenger's AUC.
    max_profit_drop : float
        It must not be shown (by the lower end of the interval) that the contacts chosen at capacity earn less than the champion's by more
        than this share. Contacts are few and their outcomes vary, so to show the contrary is asked of nobody.
    max_slice_increase : float
        In no slice may it be shown (by the lower end of the interval) that log loss rises by more than this share.
    min_overlap : float
        Least share of the riskiest rows at capacity that both models have in common on the newest test day: lists should not turn over
        because a model was replaced.
    min_leavers : int
        A comparison on rows that are new to the champion needs so many leavers; with fewer all rows are taken and that is told.
    """

    max_calibration_excess: float = Field(default=0.02, ge=0)
    min_auc: float = Field(default=0.5, ge=0, le=1)
    max_log_loss_ratio: float = Field(default=1.0, gt=0)
    max_slice_ratio: float = Field(default=1.5, ge=1)
    max_log_loss_increase: float = Field(default=0.02, ge=0)
    max_auc_drop: float = Field(default=0.03, ge=0, le=1)
    max_profit_drop: float = Field(default=0.1, ge=0)
    max_slice_increase: float = Field(default=0.05, ge=0)
    min_overlap: float = Field(default=0.25, ge=0, le=1)
    min_leavers: int = Field(default=40, ge=2)
