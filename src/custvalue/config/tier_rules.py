"""How a tier is earned: points from components and factors, or a matrix of two axes, and where the cuts lie."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from custvalue.config.base import Settings
from custvalue.config.faults import Fault, band_faults, key_faults, overlap_faults, refuse

RollUp = Literal["sum", "mean", "max", "min"]
"""How the lines of one account or household become one number; a policy of level ``line`` never asks."""

Share = Annotated[float, Field(gt=0, lt=1)]
Metric = Annotated[str, Field(min_length=1)]


class Component(Settings):
    """Points from one feature: ``points_per_unit * max(value, 0)``, or the points of the band the value lies in.

    Attributes
    ----------
    metric : str
        A feature. A missing value gives no points; a negative one counts as zero.
    points_per_unit : float, optional
        Negative takes points away, as for arrears or suspensions.
    bands : dict, optional
        Lowest value of a band → its points, ascending; below the first band there are none. Either this or `points_per_unit`.
    cap : float, optional
        The most points this component gives (or, where it takes points away, takes).
    full_after_months : int, optional
        Short history: a value counts in proportion until the customer has been here so long, as where missing months count as zero.
        Without it a mean over the months that are known counts in full.
    roll_up : str
        How the lines of one account or household become one number.
    """

    metric: Metric
    points_per_unit: FiniteFloat | None = None
    bands: dict[FiniteFloat, FiniteFloat] | None = None
    cap: FiniteFloat | None = Field(default=None, gt=0)
    full_after_months: int | None = Field(default=None, ge=1, le=60)
    roll_up: RollUp = "sum"

    @property
    def most(self) -> float:
        """The most points this component can give; infinite without a cap."""
        unbounded = math.inf if (self.points_per_unit or 0.0) > 0 else 0.0
        points = unbounded if self.bands is None else max(0.0, *self.bands.values())
        return points if self.cap is None else min(points, self.cap)

    @property
    def takes(self) -> bool:
        """Whether it can take points away."""
        return min(self.bands.values()) < 0 if self.bands is not None else (self.points_per_unit or 0.0) < 0

    @property
    def rises(self) -> bool:
        """Whether more of the feature gives more points."""
        if self.bands is None:
            return (self.points_per_unit or 0.0) > 0
        points = list(self.bands.values())
        return points[0] <= points[-1] and points[-1] > 0

    @model_validator(mode="after")
    def _one_way_to_points(self) -> Component:
        if (self.points_per_unit is None) == (self.bands is None):
            raise ValueError("give either `points_per_unit` or `bands`, and not both")
        if self.points_per_unit == 0:
            refuse([(("points_per_unit",), "0 gives no points: write another number, or leave the component out")])
        if self.bands is not None:
            refuse(band_faults(self.bands, outside=0.0))
        if "complaint" in self.metric and not self.rises:
            refuse([(("metric",), "complaints never cost points: remove the component; `protection` is where they belong")])
        return self


class Factor(Settings):
    """A number that multiplies the points: that of the band which a feature lies in, 1 below the first band or where it is missing.

    Attributes
    ----------
    metric : str
        A feature.
    bands : dict
        Lowest value of a band → its factor, ascending.
    roll_up : str
        How the lines of one account or household become one number.
    """

    metric: Metric
    bands: dict[FiniteFloat, Annotated[FiniteFloat, Field(gt=0)]] = Field(min_length=1)
    roll_up: RollUp = "max"

    @model_validator(mode="after")
    def _bands_ascend(self) -> Factor:
        refuse(band_faults(self.bands, outside=1.0))
        return self


class Thresholds(Settings):
    """Absolute cuts.

    Attributes
    ----------
    kind : str
        ``thresholds``.
    at_least : dict
        Tier → points that its customers have at least: for every tier but the last, highest first.
    keep_at : dict
        Tier → points with which a customer who holds it keeps it; without an entry those of ``at_least``.
    """

    kind: Literal["thresholds"]
    at_least: dict[str, FiniteFloat]
    keep_at: dict[str, FiniteFloat] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fall(self) -> Thresholds:
        refuse(overlap_faults("at_least", self.at_least) or self._keep_faults())
        return self

    def _keep_faults(self) -> list[Fault]:
        faults: list[Fault] = []
        for tier, keep in self.keep_at.items():
            cut = self.at_least.get(tier)
            if cut is None:
                faults.append((("keep_at", tier), f"there is no cut for {tier!r} in `at_least`: add one there, or remove this line"))
            elif keep > cut:
                told = f"{tier!r} is won with {cut:g} points but kept only with {keep:g}: write {cut:g} or less"
                faults.append((("keep_at", tier), told))
        return faults or overlap_faults("keep_at", {tier: self.keep_at.get(tier, cut) for tier, cut in self.at_least.items()})


class _Shares(Settings):
    shares: dict[str, Share]
    keep_share: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _leave_something(self) -> _Shares:
        total = math.fsum(self.shares.values())
        if total >= 1:
            refuse([(("shares",), f"shares add up to {total:g}; they must leave something for the last tier, so stay below 1")])
        return self


class ShareOfBase(_Shares):
    """Cuts found once, by the tiers' sizes.

    Attributes
    ----------
    kind : str
        ``share_of_base``.
    shares : dict
        Tier → its share of the rated customers, from the top: for every tier but the last, which takes what is left.
    keep_share : float
        A tier once held is kept down to this part of its cut.
    """

    kind: Literal["share_of_base"]


class ShareOfRevenue(_Shares):
    """Cuts found once, by what the tiers bring in.

    Attributes
    ----------
    kind : str
        ``share_of_revenue``.
    shares : dict
        Tier → its share of all revenue, from the highest score down: for every tier but the last, which takes what is left.
    of : str
        The feature that is the revenue; a negative one counts as zero.
    keep_share : float
        A tier once held is kept down to this part of its cut.
    """

    kind: Literal["share_of_revenue"]
    of: Metric = "revenue_mean_12m"


Cuts = Annotated[Thresholds | ShareOfBase | ShareOfRevenue, Field(discriminator="kind")]


class PointsRule(Settings):
    """Points = sum of the components x product of the factors; the cuts turn them into a tier.

    Attributes
    ----------
    form : str
        ``points``, which may be left out.
    components : dict
        Name → what gives or takes points.
    factors : dict
        Name → what multiplies them.
    cuts : Thresholds, ShareOfBase or ShareOfRevenue
        From which points on a tier is earned.
    """

    form: Literal["points"] = "points"
    components: dict[str, Component] = Field(min_length=1)
    factors: dict[str, Factor] = Field(default_factory=dict)
    cuts: Cuts

    @model_validator(mode="after")
    def _every_tier_can_be_reached(self) -> PointsRule:
        most = sum(component.most for component in self.components.values())
        if most == 0:
            refuse([(("components",), "every component takes points away, so nobody can earn a tier: add one that gives points")])
        most *= math.prod(max(1.0, *factor.bands.values()) for factor in self.factors.values())
        most = round(most, 6)  # as scores are
        if isinstance(self.cuts, Thresholds):
            refuse([*self._beyond(self.cuts, most), *self._reached_by_all(self.cuts)])
        return self

    @staticmethod
    def _beyond(cuts: Thresholds, most: float) -> list[Fault]:
        return [
            (
                ("cuts", "at_least", tier),
                f"{tier!r} needs {cut:g} points, but the weights cannot reach it: caps, bands and factors allow {most:g} at best. "
                "Lower the cut, or raise a cap",
            )
            for tier, cut in cuts.at_least.items()
            if cut > most
        ]

    def _reached_by_all(self, cuts: Thresholds) -> list[Fault]:
        if any(component.takes for component in self.components.values()):
            return []
        return [
            (
                ("cuts", "at_least", tier),
                f"{tier!r} needs {cut:g} points, which everybody has: nobody would be left for the tiers below. Write more than 0",
            )
            for tier, cut in cuts.at_least.items()
            if cut <= 0
        ]


class Axis(Settings):
    """Bands of one feature.

    Attributes
    ----------
    metric : str
        A feature; a negative value counts as zero.
    at_least : dict
        Band → its lowest value, highest band first.
    otherwise : str
        The band of whoever reaches none, or has no value.
    roll_up : str
        How the lines of one account or household become one number.
    """

    metric: Metric
    at_least: dict[str, FiniteFloat] = Field(min_length=1)
    otherwise: str
    roll_up: RollUp = "sum"

    @property
    def bands(self) -> tuple[str, ...]:
        """All bands, highest first."""
        return (*self.at_least, self.otherwise)

    @model_validator(mode="after")
    def _bands_fall(self) -> Axis:
        faults = overlap_faults("at_least", self.at_least)
        if self.otherwise in self.at_least:
            faults.append((("otherwise",), f"{self.otherwise!r} is a band of `at_least` already: name a band of its own"))
        refuse(faults)
        return self


class MatrixRule(Settings):
    """A tier for every pair of bands. The column's feature is written as the score.

    Attributes
    ----------
    form : str
        ``matrix``.
    rows, columns : Axis
        The two features and their bands.
    cells : dict
        Row band → column band → tier. Along a row, a higher column band never means a lower tier.
    """

    form: Literal["matrix"]
    rows: Axis
    columns: Axis
    cells: dict[str, dict[str, str]]

    @model_validator(mode="after")
    def _cells_are_complete(self) -> MatrixRule:
        faults = key_faults(("cells",), self.cells, self.rows.bands, "row")
        for row in self.rows.bands:
            faults += key_faults(("cells", row), self.cells.get(row, dict.fromkeys(self.columns.bands)), self.columns.bands, "column")
        refuse(faults)
        return self


Rule = PointsRule | MatrixRule
