"""Rules of the night: which signs call for an answer and how soon, and which customers are owed a service contact."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, model_validator

from custvalue.config.base import Settings
from custvalue.config.conditions import Condition
from custvalue.config.faults import Fault, refuse

Urgency = Literal["red", "amber"]
URGENCIES: tuple[Urgency, ...] = ("red", "amber")
"""From the strongest down."""

Conditions = Annotated[tuple[Condition, ...], Field(min_length=1)]
Hours = Annotated[int, Field(ge=1, le=24 * 90)]
Share = Annotated[float, Field(ge=0, le=1)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Trigger(Settings):
    """A sign that a person should answer.

    Attributes
    ----------
    when : tuple of Condition
        All must hold.
    by_tier : dict
        Tier → conditions that stand in place of ``when`` for its customers.
    urgency : str
        ``red`` or ``amber``. The most urgent trigger of a customer counts, of equals the first in the file.
    within_hours : int
        The customer is to be answered so soon.
    within_hours_by_tier : dict
        Tier → hours that differ there.
    sensitive : bool
        It may drive the order of calling, but nothing that a manager sees may reveal it.
    reason : str, optional
        Reason code whose do-not-say holds for the call, whatever the list's reasons are.
    """

    when: Conditions
    by_tier: dict[str, Conditions] = Field(default_factory=dict)
    urgency: Urgency
    within_hours: Hours
    within_hours_by_tier: dict[str, Hours] = Field(default_factory=dict)
    sensitive: bool = False
    reason: str | None = None

    @property
    def facts(self) -> frozenset[str]:
        """Names of all columns that must exist."""
        return frozenset(name for own in (self.when, *self.by_tier.values()) for condition in own for name in condition.facts)


class CareRule(Settings):
    """A service contact that is owed: no holdout, no cooldown and no missing consent withholds it.

    Attributes
    ----------
    when : tuple of Condition
        All must hold.
    within_days : int
        The contact is due so many days after the night, or after the day of ``since``.
    since : str, optional
        Column that counts the days since what the customer is owed an answer to.
    by : str
        ``person``, ``message``, or ``tier``: by a person for `TriggerRules.person_tiers`, else by message.
    person_when : tuple of Condition
        Where all of these hold, a person makes it whatever ``by`` says.
    """

    when: Conditions
    within_days: int = Field(default=0, ge=0, le=90)
    since: str | None = None
    by: Literal["person", "message", "tier"]
    person_when: tuple[Condition, ...] = ()

    @property
    def facts(self) -> frozenset[str]:
        """Names of all columns that must exist."""
        named = {name for condition in (*self.when, *self.person_when) for name in condition.facts}
        return frozenset(named | ({self.since} if self.since else set()))


class TriggerRules(Settings):
    """Triggers and service contacts of an operator.

    Attributes
    ----------
    version : int
        Counted by whoever changes them.
    source : str
        Where the numbers come from.
    thresholds : dict
        Name → number that conditions may use.
    reserved : dict
        Urgency → share of each list kept for its customers; what they don't need goes to the others.
    alarm_share : float
        A trigger that meets more of the base than this is told as an alarm: it says nothing of anybody.
    dispute_categories : tuple of str
        Categories of complaints that dispute a bill; nobody is persuaded while such a complaint is open.
    person_tiers : tuple of str
        Tiers whose service contacts are made by a person.
    triggers : dict
        Code → `Trigger`.
    care : dict
        Kind → `CareRule`.
    """

    version: int = Field(ge=1)
    source: str
    thresholds: dict[str, float] = Field(default_factory=dict)
    reserved: dict[Urgency, Share] = Field(default_factory=dict)
    alarm_share: float = Field(default=0.2, gt=0, le=1)
    dispute_categories: tuple[str, ...] = ()
    person_tiers: tuple[str, ...] = ()
    triggers: dict[Code, Trigger] = Field(default_factory=dict)
    care: dict[Code, CareRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> TriggerRules:
        faults: list[Fault] = []
        if sum(self.reserved.values()) > 1:
            told = (
                f"shares add up to {sum(self.reserved.values()):g}: nobody without a trigger could ever be listed; keep them at 1 or below"
            )
            faults.append((("reserved",), told))
        for code, trigger in self.triggers.items():
            faults += _pointless(("triggers", code, "within_hours_by_tier"), trigger.within_hours_by_tier, trigger.within_hours)
            faults += _contradictory(("triggers", code, "when"), trigger.when)
        for kind, rule in self.care.items():
            faults += _contradictory(("care", kind, "when"), rule.when)
        refuse(faults)
        return self

    @property
    def label(self) -> str:
        """Version as written to runs and rows."""
        return f"triggers-v{self.version}"

    @property
    def by_urgency(self) -> tuple[tuple[str, Trigger], ...]:
        """The triggers, strongest first: by urgency, then in the file's order."""
        return tuple((code, own) for urgency in URGENCIES for code, own in self.triggers.items() if own.urgency == urgency)


def _pointless(place: tuple[str, ...], by_tier: dict[str, int], usual: int) -> list[Fault]:
    return [((*place, tier), f"{hours} hours is what every tier has: remove it") for tier, hours in by_tier.items() if hours == usual]


def _contradictory(place: tuple[str, ...], conditions: tuple[Condition, ...]) -> list[Fault]:
    """Limits of one column that nobody can keep at once."""
    limits = [(position, each) for position, each in enumerate(conditions) if isinstance(each.bound, float) and each.times is None]
    return [
        ((*place, position), f"{second.text!r} and {first.text!r} never hold together, so that nobody is ever met: correct one of them")
        for (_, first), (position, second) in combinations(limits, 2)
        if first.fact == second.fact and (_apart(first, second) or _apart(second, first))
    ]


def _apart(low: Condition, high: Condition) -> bool:
    """Whether one asks for more than the other allows."""
    if low.sign not in (">", ">=", "==") or high.sign not in ("<", "<=", "=="):
        return False
    bounds = float(low.bound or 0), float(high.bound or 0)
    return bounds[0] > bounds[1] or (bounds[0] == bounds[1] and (low.sign == ">" or high.sign == "<"))
