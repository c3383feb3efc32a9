"""Campaigns, who is held out of them, and the rules of contact."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from custvalue.config.base import Settings
from custvalue.config.conditions import Condition
from custvalue.config.offers import Lines

Share = Annotated[float, Field(ge=0, lt=0.5)]


def _time_of_day(value: Any) -> Any:
    """Undo what YAML makes of an unquoted 21:00: sixty times 21."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02}:{value % 60:02}"
    return value


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day), Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$")]


class Campaign(Settings):
    """One campaign.

    Attributes
    ----------
    when : tuple of Condition
        Whom it concerns: all must hold. A customer belongs to the first campaign of the file that concerns him.
    offers : tuple of str
        Codes of the offers it makes; all of the catalogue by default.
    starts_on, ends_on : date, optional
        First and last day.
    holdout : float, optional
        Share that is not called, in place of the policy's.
    """

    when: tuple[Condition, ...] = ()
    offers: tuple[str, ...] | None = Field(default=None, min_length=1)
    starts_on: date | None = None
    ends_on: date | None = None
    holdout: Share | None = None

    def runs_on(self, day: date) -> bool:
        """Tell whether it runs on a day."""
        return (self.starts_on or date.min) <= day <= (self.ends_on or date.max)

    @model_validator(mode="after")
    def _not_over_before_it_begins(self) -> Campaign:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(f"ends on {self.ends_on}, before it starts on {self.starts_on}: exchange or correct the days")
        return self


class Holdout(Settings):
    """Who is not called, so that one can see what calls do.

    Attributes
    ----------
    share : float
        Of each campaign.
    universal : float
        Of all customers, held out of every campaign.
    by_tier : dict
        Tier → share of each campaign; see `retention.holdout.campaign_shares` for whom.
    """

    share: Share = 0.0
    universal: Share = 0.0
    by_tier: dict[str, Share] = Field(default_factory=dict)


class QuietHours(Settings):
    """When nobody is called, in the operator's time zone; shown with every order."""

    begins: TimeOfDay = Field(default="21:00", alias="from")
    ends: TimeOfDay = Field(default="09:00", alias="until")


class ContactRules(Settings):
    """Rules of contact.

    Attributes
    ----------
    cooldown_days : int
        Days after a contact in which there is no other.
    most_contacts_90d : int
        Contacts within 90 days beyond which nobody is called.
    quiet_hours : QuietHours
    complaint : str
        ``wait``: no persuasion while a complaint is open; ``call``: called all the same.
    port_query_days : int
        For so many days after a port query only offers that are open to all are made.
    do_not_say : Lines
        Said to nobody.
    """

    cooldown_days: int = Field(default=60, ge=30, le=90)
    most_contacts_90d: int = Field(default=3, ge=1)
    quiet_hours: QuietHours = QuietHours()
    complaint: Literal["wait", "call"] = "wait"
    port_query_days: int = Field(default=90, ge=1)
    do_not_say: Lines = Lines()
