"""A night's monitoring as one run, in an experiment of its own."""

from __future__ import annotations

import hashlib
import json
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
    """Log a night once: the same figures again add nothing. Gives the run, and whether it is new."""
    figures = runs.finite(found.metrics)
    digest = hashlib.sha256(json.dumps([found.run_id, figures], sort_keys=True).encode()).hexdigest()
    tags = {"kind": _KIND, "night": found.night.isoformat(), "as_of": found.as_of.isoformat(), "content_digest": digest}
    with place.lock():
        experiment = runs.find_experiment(client, place, experiment_name(name))
        query = " AND ".join([*(f"tags.{key} = '{value}'" for key, value in tags.items()), "attributes.status = 'FINISHED'"])
        before = client.search_runs([experiment], query, max_results=1)
        if before:
            return str(before[0].info.run_id), False
        title = f"{name} {found.night}"
        with runs.running(client, experiment, name=title, tags={**tags, "night_run_id": found.run_id}) as run_id:
            runs.log_values(client, run_id, params={"night": found.night.isoformat(), "as_of": found.as_of.isoformat()}, metrics=figures)
            runs.log_files(client, run_id, texts=found.texts, figures={})
    return run_id, True
