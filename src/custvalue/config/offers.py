"""Offers as data: what each costs, who may take it, and what a manager says about it."""

from __future__ import annotations

from pydantic import Field, model_validator

from custvalue.config.base import Settings
from custvalue.config.channels import Channel
from custvalue.config.conditions import Condition


class Words(Settings):
    """The same words in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Lines(Settings):
    """The same lines in English and Chinese."""

    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _as_many(self) -> Lines:
        if len(self.en) != len(self.zh):
            raise ValueError(f"{len(self.en)} lines in en, but {len(self.zh)} in zh: write each line in both")
        return self


class Offer(Settings):
    """One offer of the catalogue.

    What it costs whoever takes it (d): ``cost + cost_months * ARPU + margin_loss * V``.

    Attributes
    ----------
    label : Words
        What it is called.
    cost : float
        Currency.
    cost_months : float
        Months of the customer's own ARPU.
    margin_loss : float
        Share of the margin given away for as long as V counts, for example 0.2 for a discount of 10 % at a margin of one half.
    save_factor : float
        How many times the would-be leavers it keeps that γ says; γ itself differs by tier and reason, which an offer's own γ would
        wipe out. The product counts as 1 at most.
    tiers, reasons : tuple of str
        Only customers of these tiers, or with one of these reasons among those shown, may take it; empty for everybody.
    when : tuple of Condition
        All must hold.
    open_to_all : bool
        Every customer of the operator's may take it. After a port query nothing else is offered, since the law allows no special terms.
    per_quarter : int
        How often it is made to one customer within 90 days.
    stock : int, optional
        Most pieces a night.
    channel : str, optional
        Only customers who are served on this channel; everybody by default.
    talking_points : Lines
    """

    label: Words
    cost: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    cost_months: float = Field(default=0.0, ge=0, le=24)
    margin_loss: float = Field(default=0.0, ge=0, le=1)
    save_factor: float = Field(default=1.0, ge=0, le=10)
    tiers: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    open_to_all: bool = False
    per_quarter: int = Field(default=1, ge=1)
    stock: int | None = Field(default=None, ge=1)
    channel: Channel | None = None
    talking_points: Lines = Lines()
