"""A retention policy as data: what a contact costs, what it may save or spoil, what is offered to whom, and whom nobody calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from custvalue.config.base import Settings
from custvalue.config.campaigns import Campaign, ContactRules, Holdout
from custvalue.config.channels import Channel
from custvalue.config.faults import refuse
from custvalue.config.offers import Offer
from custvalue.config.retention_checks import campaign_faults, name_faults, offer_faults, sensitive_faults


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


class OwnParameters(Settings):
    """Parameters of a contact that are the policy's own for some customers; those left out stay."""

    reach: float | None = Field(default=None, ge=0, le=1)
    save: float | None = Field(default=None, ge=0, le=1)
    take_up: float | None = Field(default=None, ge=0, le=1)
    harm: float | None = Field(default=None, ge=0, le=1)
    contact_cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class RetentionPolicyConfig(Settings):
    """Parameters of the expected net value of a contact, offers, campaigns and rules; every one is a number somebody can question.

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
    contact_cost : float
        f, currency a contact.
    effect : str
        By how much a contact lowers the chance of leaving: ``stated`` by these parameters, or ``learned`` from contacts made and withheld
        by lot, as far as they suffice when a model is trained.
    by_tier, by_reason : dict
        Tier, or code of the customer's first reason → parameters that differ there; what a reason says beats what a tier says.
    value : Value
    offers : dict
        Code → `Offer`. The first is the usual one, by which models are judged when nothing but the bill is known.
    budget : float, optional
        Most expected cost of contacts and offers a night, currency.
    capacity_per_manager : int
        Rows on one list where the managers table gives no ``daily_capacity``.
    channels : dict
        Tier → channel. Only customers of channel ``manager`` take a slot on a list.
    campaigns : dict
        Name → `Campaign`, in the order in which they claim customers; without any, one of the policy's own name concerns everybody.
    rules : ContactRules
    sensitive : tuple of str
        Attributes that may not decide who is contacted or what is offered; a column is on the list when it is called so, or begins so
        before an underscore.
    holdout : Holdout
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    source: str
    reach: float = Field(ge=0, le=1)
    save: float = Field(ge=0, le=1)
    take_up: float = Field(ge=0, le=1)
    harm: float = Field(ge=0, le=1)
    contact_cost: float = Field(ge=0, allow_inf_nan=False)
    effect: Literal["stated", "learned"] = "stated"
    by_tier: dict[str, OwnParameters] = Field(default_factory=dict)
    by_reason: dict[str, OwnParameters] = Field(default_factory=dict)
    value: Value = Value()
    offers: dict[str, Offer] = Field(min_length=1)
    budget: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    capacity_per_manager: int = Field(default=40, ge=0)
    channels: dict[str, Channel] = Field(default_factory=dict)
    campaigns: dict[str, Campaign] = Field(default_factory=dict)
    rules: ContactRules = ContactRules()
    sensitive: tuple[str, ...] = ("age", "birth_year", "gender", "sex")
    holdout: Holdout = Holdout()

    @model_validator(mode="after")
    def _consistent(self) -> RetentionPolicyConfig:
        refuse([*name_faults(self), *offer_faults(self), *campaign_faults(self), *sensitive_faults(self)])
        return self

    @property
    def label(self) -> str:
        """Name and version as written to rows."""
        return f"{self.name}-v{self.version}"

    @property
    def usual_offer(self) -> Offer:
        """The first offer of the catalogue."""
        return next(iter(self.offers.values()))

    def campaigns_on(self, day: date) -> Mapping[str, Campaign]:
        """Give the campaigns that run on a day, in the order in which they claim customers."""
        if not self.campaigns:
            return {self.label: Campaign()}
        return {name: campaign for name, campaign in self.campaigns.items() if campaign.runs_on(day)}

    def is_sensitive(self, column: str) -> bool:
        """Tell whether a column, or a reason named after one, is on the deny-list."""
        return any(column == denied or column.startswith(f"{denied}_") for denied in self.sensitive)
