"""Limits of monitoring: what is told of a night, and for what it is refused."""

from __future__ import annotations

from pydantic import Field, model_validator

from custvalue.config.base import Settings


class MonitoringConfig(Settings):
    """Limits of a night's comparison with the one before and with training.

    Stability indices are taken above the noise that so many customers make by chance (see `monitoring.psi`); shares are of the customers.

    Attributes
    ----------
    false_alarms : float
        Of the columns that a night tells of, at most this share may be there by chance (Benjamini–Hochberg over its columns).
    least_customers : int
        Fewer are not compared.
    score_alert, score_refuse : float
        Stability index of the scores; a shift of all by d standard deviations of their log-odds is about d². A model with little spread
        moves far on a small cause, such as a short month, so only a large shift is a gross fault.
    drift_alert, drift_alert_training, category_refuse : float
        Stability index of a column's known values, times the share of the customers who have one: against the night before, and against
        training, since when small changes add up. For the last a night is refused on account of a category column alone.
    usual_times : float
        A column is told of only where its index is so many times the largest among the days of training: months differ in length, and
        payments have their days. The index grows with the square of a shift, so 4 is a shift twice as large.
    missing_alert, missing_alert_training, missing_refuse : float
        Change of a column's missing share, in points of 1, against the night before and against training. A night is refused where it rises
        against the night before, or against training where there is none.
    unseen_alert, unseen_refuse : float
        Share with a level of a category that training never saw.
    stuck_refuse : float
        Share with one and the same score, where less had it before.
    months : int
        So many months back is told what came true, by month.
    """

    false_alarms: float = Field(default=0.01, gt=0, lt=1)
    least_customers: int = Field(default=500, ge=50)
    score_alert: float = Field(default=0.25, gt=0)
    score_refuse: float = Field(default=2.0, gt=0)
    drift_alert: float = Field(default=0.25, gt=0)
    drift_alert_training: float = Field(default=0.5, gt=0)
    usual_times: float = Field(default=4.0, ge=0)
    category_refuse: float = Field(default=3.0, gt=0)
    missing_alert: float = Field(default=0.1, gt=0, le=1)
    missing_alert_training: float = Field(default=0.25, gt=0, le=1)
    missing_refuse: float = Field(default=0.9, gt=0, le=1)
    unseen_alert: float = Field(default=0.02, gt=0, le=1)
    unseen_refuse: float = Field(default=0.5, gt=0, le=1)
    stuck_refuse: float = Field(default=0.9, gt=0, le=1)
    months: int = Field(default=12, ge=1, le=60)

    @model_validator(mode="after")
    def _refuse_beyond_alert(self) -> MonitoringConfig:
        pairs = {"score": "score_alert", "category": "drift_alert", "missing": "missing_alert", "unseen": "unseen_alert"}
        wrong = [name for name, alert in pairs.items() if getattr(self, f"{name}_refuse") < getattr(self, alert)]
        if wrong:
            raise ValueError(f"{wrong[0]}_refuse lies below {pairs[wrong[0]]}: a night would be refused before it is told of")
        return self
