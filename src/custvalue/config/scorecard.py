"""How the managers' scorecard weighs what it measures."""

from __future__ import annotations

from pydantic import Field, model_validator

from custvalue.config.base import Settings


class ScorecardConfig(Settings):
    """Weights of the managers' scorecard, relative to one another (illustrative; agree on them with those who are measured).

    Attributes
    ----------
    first_contact_in_time, reach, coded_closes, call_backs_in_time, without_opt_out, without_complaint : float
        Weight of each share; a measure of which nothing is known does not count.
    least_orders : int
        Orders below which a manager's period has no score.
    complaint_days : int
        A complaint opened within so many days after a contact is put down to it.
    """

    first_contact_in_time: float = Field(default=0.25, ge=0)
    reach: float = Field(default=0.2, ge=0)
    coded_closes: float = Field(default=0.15, ge=0)
    call_backs_in_time: float = Field(default=0.2, ge=0)
    without_opt_out: float = Field(default=0.1, ge=0)
    without_complaint: float = Field(default=0.1, ge=0)
    least_orders: int = Field(default=20, ge=1)
    complaint_days: int = Field(default=7, ge=1)

    @model_validator(mode="after")
    def _some_weight(self) -> ScorecardConfig:
        weights = self.model_dump(exclude={"least_orders", "complaint_days"}).values()
        if not sum(weights):
            raise ValueError("give at least one measure a weight above 0")
        return self
