"""A tier policy as data: who is eligible, what scores points, where the cuts lie, what protects a customer."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from custvalue.config.base import Settings

UNRATED = "unrated"


class Component(Settings):
    """Points from one feature: ``min(cap, points_per_unit * value)``; a missing value gives none."""

    metric: str
    points_per_unit: float = Field(gt=0)
    cap: float | None = Field(default=None, gt=0)


class Eligibility(Settings):
    """Who is rated at all; the others are `unrated`, which differs from the lowest tier."""

    min_tenure_months: int = Field(default=0, ge=0)


class Protection(Settings):
    """Complaints never cost points: they freeze downgrades and raise the care priority."""

    open_complaint: bool = True
    justified_within_days: int = Field(default=90, ge=0)


class Thresholds(Settings):
    """Absolute cuts: a tier's customers have at least so many points."""

    kind: Literal["thresholds"]
    at_least: dict[str, FiniteFloat]


class ShareOfBase(Settings):
    """Cuts found once from the rated base: each tier's share of it, from the top."""

    kind: Literal["share_of_base"]
    shares: dict[str, Annotated[float, Field(gt=0, lt=1)]]


class TierPolicyConfig(Settings):
    """One tier policy.

    Attributes
    ----------
    name, version : str, int
        Written to every row. A version's content never changes; an edit needs a new version.
    tiers : tuple of str
        Highest first. The last takes whoever reaches no cut.
    source : str
        Where the rule comes from, or "illustrative".
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    source: str
    tiers: tuple[str, ...] = Field(min_length=2)
    eligibility: Eligibility = Eligibility()
    components: dict[str, Component] = Field(min_length=1)
    cuts: Annotated[Thresholds | ShareOfBase, Field(discriminator="kind")]
    protection: Protection = Protection()

    @property
    def label(self) -> str:
        """Name and version as written to rows, for example ``consumer-v1``."""
        return f"{self.name}-v{self.version}"

    @model_validator(mode="after")
    def _cuts_fit_the_tiers(self) -> TierPolicyConfig:
        if len(set(self.tiers)) != len(self.tiers) or UNRATED in self.tiers:
            raise ValueError(f"tiers must differ, and none may be called {UNRATED!r}")
        given = self.cuts.at_least if isinstance(self.cuts, Thresholds) else self.cuts.shares
        if tuple(given) != self.tiers[:-1]:
            raise ValueError(f"cuts must name {', '.join(self.tiers[:-1])} in that order; they name {', '.join(given)}")
        values = list(given.values())
        if isinstance(self.cuts, Thresholds) and any(a <= b for a, b in pairwise(values)):
            raise ValueError(f"cuts must fall from tier to tier, but read {values}")
        if isinstance(self.cuts, ShareOfBase) and sum(values) >= 1:
            raise ValueError(f"shares add up to {sum(values):g}; they must leave something for {self.tiers[-1]!r}")
        return self
