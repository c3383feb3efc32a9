"""A retention policy as data: what a contact costs, what it may save or spoil, and how many a manager can make."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from custvalue.config.base import Settings

Channel = Literal["manager", "message", "self_service"]


class Value(Settings):
    """Value kept when a customer is saved: ``margin * ARPU * sum over t of (survival / (1 + discount))^t``.

    Attributes
    ----------
    metric : str
        The feature that holds ARPU, currency a month.
    margin : float
        Share of revenue left after the cost to serve.
    months : int
        How far ahead revenue counts.
    monthly_survival, monthly_discount : float
        Share of saved customers who stay another month; discount rate a month.
    """

    metric: str = "revenue_mean_3m"
    margin: float = Field(default=0.5, gt=0, le=1)
    months: int = Field(default=12, ge=1, le=120)
    monthly_survival: float = Field(default=0.97, gt=0, le=1)
    monthly_discount: float = Field(default=0.01, ge=0)


class RetentionPolicyConfig(Settings):
    """Parameters of the expected net value of a contact; every one is a number somebody can question.

    Attributes
    ----------
    reach : float
        ρ, the chance that a contacted customer is reached.
    save : float
        γ, the chance that a reached would-be leaver stays.
    take_up : float
        ψ, the share of reached stayers who take the offer anyway.
    harm : float
        h, the added share of reached stayers who leave because they were contacted.
    offer_months : float
        d, the offer's cost in months of the customer's own ARPU.
    contact_cost : float
        f, currency a contact.
    capacity_per_manager : int
        Rows on one list where the managers table gives no ``daily_capacity``.
    channels : dict
        Tier → channel. Only customers of channel ``manager`` take a slot on a list.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    source: str
    reach: float = Field(ge=0, le=1)
    save: float = Field(ge=0, le=1)
    take_up: float = Field(ge=0, le=1)
    harm: float = Field(ge=0, le=1)
    offer_months: float = Field(ge=0)
    contact_cost: float = Field(ge=0)
    value: Value = Value()
    capacity_per_manager: int = Field(default=40, ge=0)
    channels: dict[str, Channel] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and version as written to rows."""
        return f"{self.name}-v{self.version}"
