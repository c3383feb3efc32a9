"""Gates that a challenger must pass before it becomes champion."""

from __future__ import annotations

from pydantic import Field

from custvalue.config.base import Settings


class PromotionConfig(Settings):
    """Limits of the gates.

    Attributes
    ----------
    max_calibration_excess : float
        Largest calibration error above a perfect model's, on the test slice.
    min_auc : float
        The lower end of the AUC interval must lie above this.
    max_log_loss_ratio : float
        Test log loss divided by the base rate's (no champion yet) or the champion's must stay below this.
    """

    max_calibration_excess: float = Field(default=0.02, ge=0)
    min_auc: float = Field(default=0.5, ge=0, le=1)
    max_log_loss_ratio: float = Field(default=1.0, gt=0)
