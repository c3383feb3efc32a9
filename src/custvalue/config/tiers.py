"""A tier policy as data: who is graded, how a tier is earned, kept and lost, and what each tier is owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from custvalue.config.base import Settings
from custvalue.config.faults import Fault, refuse
from custvalue.config.tier_checks import adjustment_faults, rule_faults, service_faults, step_faults, tier_faults
from custvalue.config.tier_rules import MatrixRule, Metric, PointsRule, Rule

UNRATED = "unrated"


class Eligibility(Settings):
    """Who is rated at all; the others are `unrated`, which differs from the lowest tier.

    Attributes
    ----------
    min_tenure_months : int
        Whole months on the network; 6 rates from the seventh month. An unknown tenure is not rated, unless this is 0.
    segments : tuple of str
        Segments (``customers.segment``) that this policy is for; empty for all.
    """

    min_tenure_months: int = Field(default=0, ge=0)
    segments: tuple[str, ...] = ()


class Condition(Settings):
    """One feature against a value; a missing value meets no condition.

    Attributes
    ----------
    metric : str
        A feature.
    at_least, below : float, optional
        Number features: the lowest value that meets it, the lowest that no longer does. Both together are a range.
    among : tuple of str
        Text features: the values that meet it.
    """

    metric: Metric
    at_least: FiniteFloat | None = None
    below: FiniteFloat | None = None
    among: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        if (self.at_least is None and self.below is None) == (not self.among):
            raise ValueError("give one test: `among`, or `at_least`, `below` or both")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise ValueError(f"no value is at least {self.at_least:g} and below {self.below:g}: swap them")
        return self


class Adjustment(Settings):
    """A floor or an override on the earned tier, after all rules; applied in order, each on what the one before left.

    Attributes
    ----------
    name : str
        Becomes part of the reason code.
    when : tuple of Condition
        All must hold (on an account or a household: each for at least one line).
    only_from : str, optional
        Applies only where the tier so far is this one.
    at_least, at_most, exactly : str, optional
        A floor, a ceiling, or the tier itself: just one of the three.
    at_once : bool
        A fall it causes waits for no validity, streak, grace or step, as after a serious credit event. A complaint still protects.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    when: tuple[Condition, ...] = Field(min_length=1)
    only_from: str | None = None
    at_least: str | None = None
    at_most: str | None = None
    exactly: str | None = None
    at_once: bool = False

    @property
    def effect(self) -> Literal["at_least", "at_most", "exactly"]:
        """Which of the three it is."""
        return "at_least" if self.at_least is not None else "at_most" if self.at_most is not None else "exactly"

    @property
    def target(self) -> str:
        """The tier of its effect."""
        return self.at_least or self.at_most or self.exactly or ""

    @model_validator(mode="after")
    def _one_effect(self) -> Adjustment:
        if sum(bool(tier) for tier in (self.at_least, self.at_most, self.exactly)) != 1:
            raise ValueError("give just one of `at_least` (a floor), `at_most` (a ceiling) and `exactly` (the tier itself)")
        return self


class Stability(Settings):
    """What keeps tiers from flickering. A fall needs the validity to be over, the streak to be full, and the grace to have passed.

    Attributes
    ----------
    validity_months : int
        A tier won, renewed or fallen to holds so long: inside it only upward. An upgrade starts it anew; a customer who still qualifies
        when it ends is renewed.
    months_before_downgrade : int
        Months in a row below the tier (the rating of the fall counts as one).
    grace_months : int
        Months the tier is kept once a fall is due; qualifying again ends it.
    largest_step_up, largest_step_down : int, optional
        Most tiers a rating may move.
    """

    validity_months: int = Field(default=0, ge=0, le=60)
    months_before_downgrade: int = Field(default=1, ge=1, le=24)
    grace_months: int = Field(default=0, ge=0, le=24)
    largest_step_up: int | None = Field(default=None, ge=1)
    largest_step_down: int | None = Field(default=None, ge=1)


class Protection(Settings):
    """Complaints never cost points: they freeze downgrades and raise the care priority.

    Attributes
    ----------
    open_complaint : bool
        No fall while a complaint is open.
    justified_within_days : int
        No fall for so many days after a justified complaint.
    """

    open_complaint: bool = True
    justified_within_days: int = Field(default=90, ge=0)


class Rating(Settings):
    """When tiers may move; nights between carry them.

    Attributes
    ----------
    every_months : int
        Every so many months, counted from January: 12 rates in January, 3 in January, April, July and October.
    day : int
        On the first run on or after this day of the month.
    """

    every_months: Literal[1, 2, 3, 6, 12] = 1
    day: int = Field(default=1, ge=1, le=28)


class Transition(Settings):
    """What becomes of a tier that another policy version gave.

    A tier that the new policy does not know protects from nothing.

    Attributes
    ----------
    rule : str
        ``higher``: the higher of old and new, for `months`. ``renewal``: the old one until its validity ends. ``new``: the new one at once.
    months : int
        For ``higher``: how long.
    """

    rule: Literal["higher", "renewal", "new"] = "higher"
    months: int = Field(default=12, ge=1, le=60)


class Words(Settings):
    """One sentence in both languages.

    Attributes
    ----------
    en, zh : str
        The sentence.
    """

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class ServiceStandard(Settings):
    """What a tier is owed.

    Attributes
    ----------
    answer_within_hours : float, optional
        Time limit for an answer to a complaint or a warning sign.
    channel : str
        Who serves the tier: people, messages or self-service.
    care : tuple of Words
        What else it is owed, in words.
    """

    answer_within_hours: float | None = Field(default=None, gt=0)
    channel: Literal["manager", "message", "self_service"] = "manager"
    care: tuple[Words, ...] = ()


def _form(given: object) -> str:
    return str(given.get("form", "points")) if isinstance(given, dict) else str(getattr(given, "form", "points"))


_AnyRule = Annotated[
    Annotated[PointsRule, Tag("points")] | Annotated[MatrixRule, Tag("matrix")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="`form` is points (which may be left out) or matrix",
    ),
]


class TierPolicyConfig(Settings):
    """One tier policy.

    Attributes
    ----------
    name, version : str, int
        Written to every row. A version's content never changes; an edit needs a new version.
    source : str
        Where the rule comes from, or "illustrative".
    tiers : tuple of str
        Highest first. The last takes whoever reaches no cut.
    level : str
        Who is graded together: every line alone, the lines of an account, or those of a household; lines without one stand alone.
    eligibility : Eligibility
        Who is rated at all.
    rules : dict
        Ways to earn a tier, by name; the best one counts.
    adjustments : tuple of Adjustment
        Floors and overrides after the rules, in order.
    stability : Stability
        How a tier once held is kept.
    protection : Protection
        What freezes downgrades.
    rating : Rating
        When tiers may move.
    transition : Transition
        What becomes of tiers that another version gave.
    service : dict
        Tier, or ``unrated`` → what it is owed.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    source: str = Field(min_length=1)
    tiers: tuple[str, ...] = Field(min_length=2)
    level: Literal["line", "account", "household"] = "line"
    eligibility: Eligibility = Eligibility()
    rules: dict[str, _AnyRule] = Field(min_length=1)
    adjustments: tuple[Adjustment, ...] = ()
    stability: Stability = Stability()
    protection: Protection = Protection()
    rating: Rating = Rating()
    transition: Transition = Transition()
    service: dict[str, ServiceStandard] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and version as written to rows, for example ``consumer-v1``."""
        return f"{self.name}-v{self.version}"

    @model_validator(mode="after")
    def _parts_agree(self) -> TierPolicyConfig:
        refuse(tier_faults(self.tiers, UNRATED))
        steps = {"largest_step_up": self.stability.largest_step_up, "largest_step_down": self.stability.largest_step_down}
        faults: list[Fault] = rule_faults(self.rules, self.tiers)
        faults += adjustment_faults(self.adjustments, self.tiers, _scored(self.rules))
        faults += step_faults(steps, self.tiers)
        faults += service_faults(self.service, (*self.tiers, UNRATED))
        refuse(faults)
        return self


def _scored(rules: Mapping[str, Rule]) -> dict[str, str]:
    """Features of which more gives a better tier; tenure, which nobody can buy, is left to the policy."""
    scored = {}
    for name, rule in rules.items():
        if isinstance(rule, MatrixRule):
            scored[rule.columns.metric] = f"rules.{name}.columns"
            continue
        for key, component in rule.components.items():
            if component.rises:
                scored[component.metric] = f"rules.{name}.components.{key}"
    return {metric: place for metric, place in scored.items() if metric != "tenure_months"}
