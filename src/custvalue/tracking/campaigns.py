"""A campaign's measured effect as one run, in an experiment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from custvalue.tracking import runs
from custvalue.tracking.database import Place

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KIND = "campaign"


@dataclass(frozen=True)
class MeasuredCampaign:
    """What `Store.log_campaign` takes; see there."""

    campaign: str
    as_of: date
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    texts: Mapping[str, str]


def experiment_name(name: str) -> str:
    """Name the experiment of a config's campaigns."""
    return f"{name}-campaigns"


def log_campaign(client: MlflowClient, place: Place, name: str, found: MeasuredCampaign) -> tuple[str, bool]:
    """Log a campaign once; see `runs.log_once`."""
    return runs.log_once(
        client,
        place,
        experiment_name(name),
        name=f"{found.campaign} {found.as_of}",
        tags={"kind": _KIND, "campaign": found.campaign, "as_of": found.as_of.isoformat()},
        params={"campaign": found.campaign, "as_of": found.as_of.isoformat(), **found.params},
        metrics=found.metrics,
        texts=found.texts,
    )
