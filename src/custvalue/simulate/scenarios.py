"""A synthetic operator's numbers, as one frozen object and as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from custvalue.config import ready_configs
from custvalue.config.base import Settings
from custvalue.errors import ConfigError
from custvalue.simulate.amounts import Feeds, Money, Surveys, Usage
from custvalue.simulate.drivers import (
    Above,
    Agreement,
    Contacting,
    Groups,
    Intent,
    Month,
    PriceRise,
    Rate,
    Share,
    Symptoms,
    TariffLaunch,
)
from custvalue.simulate.recording import Recording

SCENARIOS = ("postpaid", "prepaid", "enterprise", "tariff-launch", "feed-outage", "tiny")
"""Scenarios that ship with the package."""

__all__ = ["SCENARIOS", "Agreement", "Intent", "Scenario", "load_scenario"]


class Scenario(Settings):
    """One synthetic operator.

    Attributes
    ----------
    records : Recording
        What systems record beside bills and use.
    prepaid : bool
        Customers recharge a balance instead of paying bills.
    joining : float
        New customers a month, as a share of the first ones; about as many as leave.
    tenure_mean_months : float
        Mean tenure of the first customers (exponential, at most twenty years).
    segments : tuple of float
        Shares of consumer, household and enterprise lines.
    natural : float
        Chance a month of dying or moving away.
    customers_per_manager, daily_capacity : int
        A manager's customers and contacts a day.
    complaints, complaint_spread, repeats : float
        Complaints a month and customer, the spread of that rate's log, and the share complained about again within a month.
    trouble, trouble_complaints, trouble_shock : float
        Share of region-months with a failing network; there, complaints rise by this multiple and the log-odds of intent by this much.
    late_rows, late_complaints : float
        Share of monthly rows and of complaints that reach the warehouse some days late.
    daily_months : int, optional
        How many of the last months have daily rows; all of them where it is not given, and no such table where it is 0.
    recycled_numbers, reused_ids : float
        Share of joiners who get the telephone number, and even the customer id, of someone who left at least 90 days before.
    season_of_use, season_of_churn : tuple of float
        By calendar month, January first: use a day, relative to an ordinary month; and log-odds of intent added.
    """

    intent: Intent = Intent()
    symptoms: Symptoms = Symptoms()
    money: Money = Money()
    usage: Usage = Usage()
    contract: Agreement = Agreement(held=0.5, at_joining=0.6, signed=0.03, renewed=0.6, terms=(12, 24), weights=(0.6, 0.4))
    bundle: Agreement = Agreement(held=0.3, at_joining=0.25, signed=0.004, renewed=0.75, terms=(24, 36), weights=(0.7, 0.3))
    discount: Agreement = Agreement(held=0.2, at_joining=0.3, signed=0.012, renewed=0.35, terms=(6, 12), weights=(0.5, 0.5))
    contacts: Contacting = Contacting()
    groups: Groups = Groups()
    feeds: Feeds = Feeds()
    surveys: Surveys = Surveys()
    records: Recording = Recording()
    price_rises: tuple[PriceRise, ...] = (PriceRise(month=9, fee_from=59, rise=0.08),)
    launch: TariffLaunch | None = None
    prepaid: bool = False
    joining: Share = 0.015
    tenure_mean_months: Above = 48.0
    segments: tuple[Share, Share, Share] = (0.78, 0.17, 0.05)
    natural: Share = 0.0003
    customers_per_manager: Annotated[int, Field(ge=1)] = 500
    daily_capacity: Annotated[int, Field(ge=1)] = 40
    complaints: Rate = 0.025
    complaint_spread: Rate = 0.8
    repeats: Share = 0.15
    trouble: Share = 0.03
    trouble_complaints: Rate = 1.5
    trouble_shock: float = 0.3
    late_rows: Share = 0.005
    late_complaints: Share = 0.03
    daily_months: Month | None = 4
    recycled_numbers: Share = 0.5
    reused_ids: Share = 0.0
    season_of_use: Annotated[tuple[Above, ...], Field(min_length=12, max_length=12)] = (
        0.97, 0.88, 1.0, 1.0, 1.01, 1.02, 1.03, 1.03, 1.0, 0.95, 1.0, 1.01,
    )  # fmt: skip
    season_of_churn: Annotated[tuple[float, ...], Field(min_length=12, max_length=12)] = (
        0.05, -0.15, 0.1, 0.0, 0.0, 0.05, 0.1, 0.15, 0.15, -0.1, -0.1, -0.05,
    )  # fmt: skip

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if abs(sum(self.segments) - 1) > 1e-9:
            raise ValueError(f"segments add up to {sum(self.segments):g}; they are shares of all customers and must give 1")
        return self


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario by its name in `SCENARIOS`, or from a YAML file of one's own; what it leaves out keeps the default.

    Raises
    ------
    ConfigError
        No such scenario; the file cannot be read, is not YAML, or holds a value that makes no sense.
    """
    shipped = str(name_or_path) in SCENARIOS
    path = ready_configs() / "scenarios" / f"{name_or_path}.yaml" if shipped else Path(name_or_path)
    if not shipped and path.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"unknown scenario {str(name_or_path)!r}; there are: {', '.join(SCENARIOS)}. Or give the path of a YAML file.")
    raw = _read(path)
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        faults = [
            f"  {'.'.join(map(str, fault['loc'])) or '(file)'}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()
        ]
        raise ConfigError("\n".join([f"{path}: {len(faults)} fault(s)", *faults])) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: must hold keys and values, not {type(raw).__name__}.")
    return raw
