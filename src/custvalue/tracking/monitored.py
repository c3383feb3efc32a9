"""A night's monitoring as one run, in an experiment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from custvalue.tracking import runs
from custvalue.tracking.database import Place

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KIND = "monitoring"


@dataclass(frozen=True)
class MonitoredNight:
    """What `Store.log_monitoring` takes; see there."""

    night: date
    as_of: date
    run_id: str
    metrics: Mapping[str, float]
    texts: Mapping[str, str]


def experiment_name(name: str) -> str:
    """Name the experiment of a config's nights."""
    return f"{name}-monitoring"


def log_monitoring(client: MlflowClient, place: Place, name: str, found: MonitoredNight) -> tuple[str, bool]:
    """Log a night once; see `runs.log_once`."""
    days = {"night": found.night.isoformat(), "as_of": found.as_of.isoformat()}
    return runs.log_once(
        client,
        place,
        experiment_name(name),
        name=f"{name} {found.night}",
        tags={"kind": _KIND, **days, "night_run_id": found.run_id},
        params=days,
        metrics=found.metrics,
        texts=found.texts,
    )
