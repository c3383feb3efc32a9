"""Settings of the churn model: what counts as leaving, which snapshots train, how the model is fitted and judged."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from custvalue.config.base import Settings
from custvalue.config.leakage import LeakageConfig

Kind = Literal["voluntary", "port_out", "non_payment", "natural", "silence"]


class TuningConfig(Settings):
    """How long the search for booster settings may take; without a budget there is none.

    Attributes
    ----------
    trials : int
        Settings tried in all, counted over interrupted runs; 0 with no ``seconds`` means no search.
    seconds : float, optional
        No new settings are tried after so many seconds. A search that a clock ends is not repeatable; one of so many trials is.
    """

    trials: int = Field(default=0, ge=0)
    seconds: float | None = Field(default=None, gt=0)


class ChurnConfig(Settings):
    """The outcome, its window, and training.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of departure that are the outcome. Who leaves by another kind is dropped from training and counted.
    gap_months, horizon_months : int
        A customer of the snapshot ``as_of`` is a leaver iff ``as_of + gap < left_on <= as_of + gap + horizon``.
    outcomes_recorded_after : date, optional
        Leavers up to this day are missing from the tables: snapshots before it are refused.
    snapshots : int
        At most so many snapshots, one a month, the newest ones, are stacked.
    snapshot_days : str
        ``mixed`` spreads the snapshots over the days of the month, so that a model is calibrated on whatever day it scores; ``same`` keeps
        them on the newest one's day, for an operator who always scores on that day.
    treated : str
        What becomes of the rows of customers whom a campaign reached between the snapshot and their departure or the window's end.
        ``drop`` leaves them out and counts them: the model then tells who leaves *if nobody calls*, which is what the value of a call is
        reckoned from, and a saved customer does not teach it that his like stay. ``keep`` takes them as they ended, where contacts are
        so many or so well aimed that too few like them would be left.
    min_leavers : int
        Below so many leavers training is refused.
    small_leavers : int
        Below so many leavers a fold is cross-fitted instead of set aside (the run says so).
    customers_apart : bool
        Also where slices lie apart in time, keep each customer in one of them. The quality is then that on customers whom the model has
        never seen, and half the rows train.
    capacity_share : float
        Share of the base that can be contacted; lift is also reported there.
    stayers_kept : float
        Share of the stayers that train, above 0 and up to 1; the log-odds are corrected for those left out. For bases so large that
        training takes too long.
    monotone : str
        ``declared`` holds the model to the sign that a column declares (more complaints never lower the risk); ``none`` leaves it free.
    calibration : str
        How log-odds become probabilities: ``none``, ``sigmoid``, ``isotonic`` or ``beta``; ``auto`` takes what serves best on the rows
        that calibrate.
    tuning : TuningConfig
        Budget of the search for booster settings.
    max_rounds : int
        Upper bound of boosting rounds; log loss on a later slice (or fold) stops earlier.
    bootstrap : int
        Resamples for the 95 % intervals.
    threads : int
        LightGBM threads. Fixed, because a model is only reproducible with a fixed number; on small shared machines two threads that
        wait for each other were several times slower than one.
    leakage : LeakageConfig
        What the leakage report may let pass, and why.
    """

    kinds: tuple[Kind, ...] = ("voluntary", "port_out")
    gap_months: int = Field(default=1, ge=0, le=12)
    horizon_months: int = Field(default=2, ge=1, le=24)
    outcomes_recorded_after: date | None = None
    snapshots: int = Field(default=16, ge=1, le=120)
    snapshot_days: Literal["mixed", "same"] = "mixed"
    treated: Literal["drop", "keep"] = "drop"
    min_leavers: int = Field(default=40, ge=2)
    small_leavers: int = Field(default=400, ge=2)
    customers_apart: bool = False
    capacity_share: float = Field(default=0.02, gt=0, le=1)
    stayers_kept: float = Field(default=1.0, gt=0, le=1)
    monotone: Literal["declared", "none"] = "declared"
    calibration: Literal["auto", "none", "sigmoid", "isotonic", "beta"] = "auto"
    tuning: TuningConfig = TuningConfig()
    max_rounds: int = Field(default=1500, ge=1)
    bootstrap: int = Field(default=300, ge=50)
    threads: int = Field(default=1, ge=1)
    seed: int = 7
    leakage: LeakageConfig = LeakageConfig()

    @field_validator("kinds")
    @classmethod
    def _some_kind(cls, value: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if not value:
            raise ValueError("name at least one kind of departure, for example [voluntary, port_out]")
        return value
