"""Outcomes modelled beside the main one: other kinds of leaving, spending down, and the time until leaving."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from custvalue.config.base import Settings
from custvalue.config.churn import ChurnConfig, Kind

MAIN = "leave"
"""The outcome that ``churn`` describes, by which lists are ranked."""

TAKEN = (MAIN, "tiers")
"""What no other outcome may be called: the main one, and what ends the name of the registered tier policies."""

OutcomeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Outcome(Settings):
    """What each outcome may have of its own; what is left out is as under ``churn``.

    Attributes
    ----------
    gap_months, horizon_months : int, optional
        Its window.
    snapshots : int, optional
        At most so many snapshots are stacked.
    min_leavers : int, optional
        Below so many training is refused.
    """

    gap_months: int | None = Field(default=None, ge=0, le=12)
    horizon_months: int | None = Field(default=None, ge=1, le=24)
    snapshots: int | None = Field(default=None, ge=1, le=120)
    min_leavers: int | None = Field(default=None, ge=2)

    def _changes(self) -> dict[str, Any]:
        """Give what differs from ``churn``."""
        names = ("gap_months", "horizon_months", "snapshots", "min_leavers")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Departures(_Outcome):
    """Leaving by other kinds than the main ones.

    Attributes
    ----------
    form : str
        ``departures``, which may be left out.
    kinds : tuple of str
        Kinds of departure that are the outcome.
    """

    form: Literal["departures"] = "departures"
    kinds: tuple[Kind, ...] = Field(min_length=1)

    def _changes(self) -> dict[str, Any]:
        return super()._changes() | {"kinds": self.kinds}


class ValueLoss(_Outcome):
    """Spending down: the mean bill of the window's months lies by a share or more below the median of the months before the snapshot.

    Attributes
    ----------
    form : str
        ``value_loss``.
    share : float
        A bill that falls by this share of itself, or more, is a loss.
    months_before : int
        Whole months before the snapshot that it is compared with; who lacks one of their bills is left out.
    """

    form: Literal["value_loss"]
    share: float = Field(default=0.5, gt=0, le=1)
    months_before: int = Field(default=3, ge=1, le=12)

    def _changes(self) -> dict[str, Any]:
        return super()._changes() | {"kinds": (self.form,)}


class TimeToLeave(_Outcome):
    """The month in which a customer leaves by the main kinds, as a discrete hazard.

    Attributes
    ----------
    form : str
        ``hazard``.
    hazard_months : int
        Months after the gap that it looks ahead, as far as the slice that trains reaches.
    snapshots : int, optional
        They lie three months apart, because each is watched for months: monthly ones would repeat each other.
    """

    form: Literal["hazard"]
    hazard_months: int = Field(default=6, ge=2, le=24)
    horizon_months: None = None
    snapshots: int | None = Field(default=8, ge=1, le=120)

    def _changes(self) -> dict[str, Any]:
        return super()._changes() | {"horizon_months": 1}


def _form(given: object) -> str:
    return str(given.get("form", "departures")) if isinstance(given, dict) else str(getattr(given, "form", "departures"))


OutcomeConfig = Annotated[
    Annotated[Departures, Tag("departures")] | Annotated[ValueLoss, Tag("value_loss")] | Annotated[TimeToLeave, Tag("hazard")],
    Discriminator(
        _form, custom_error_type="form", custom_error_message="`form` is departures (which may be left out), value_loss or hazard"
    ),
]


class OutcomeSettings(ChurnConfig):
    """The settings of ``churn`` as one more outcome changes them.

    Attributes
    ----------
    name : str
        The outcome's.
    outcome : Departures, ValueLoss or TimeToLeave
        What it is. A hazard's rows are months, so its ``horizon_months`` is 1.
    kinds : tuple of str
        Kinds of departure, or ``value_loss``, which no departure has.
    """

    name: OutcomeName
    outcome: Departures | ValueLoss | TimeToLeave
    kinds: tuple[Any, ...]

    @classmethod
    def of(cls, churn: ChurnConfig, name: str, outcome: Departures | ValueLoss | TimeToLeave) -> OutcomeSettings:
        """Put an outcome's own settings over those of ``churn``."""
        return cls.model_validate(dict(churn) | outcome._changes() | {"name": name, "outcome": outcome})

    @property
    def months_apart(self) -> int:
        """Months from one snapshot to the next."""
        return 3 if isinstance(self.outcome, TimeToLeave) else 1

    @property
    def by_bills(self) -> bool:
        """Whether bills tell the outcome, and not departures."""
        return isinstance(self.outcome, ValueLoss)

    def described(self) -> dict[str, Any]:
        """Tell in plain JSON types what counts as the outcome, as a model bundle keeps it."""
        told = self.model_dump(mode="json", include={"name", "kinds", "gap_months", "horizon_months"}) | {"form": self.outcome.form}
        if isinstance(self.outcome, ValueLoss):
            return told | {"share": self.outcome.share, "months_before": self.outcome.months_before}
        return told
