"""What every run has in common: its experiment, its values, its files, and how it ends."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.tracking.database import Place

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

_BATCH = 100
_PLOT_DPI = 120
_UNSAFE = re.compile(r"[^\w.\- /]")


def find_experiment(client: MlflowClient, place: Place, name: str) -> str:
    """Give an experiment's id; it is made where there is none."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    location = f"{place.artifacts}/{name}" if place.artifacts else None
    try:
        return str(client.create_experiment(name, location, tags=place.experiment_tags))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return find_experiment(client, place, name)


@contextmanager
def running(client: MlflowClient, experiment: str, *, name: str | None, tags: Mapping[str, str]) -> Iterator[str]:
    """Open a run and give its id; it ends FINISHED, or FAILED where the block raises."""
    run_id = str(client.create_run(experiment, tags=dict(tags), run_name=name).info.run_id)
    try:
        yield run_id
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        with suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise


def log_once(
    client: MlflowClient,
    place: Place,
    experiment: str,
    *,
    name: str,
    tags: Mapping[str, str],
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    texts: Mapping[str, str],
) -> tuple[str, bool]:
    """Log a run unless the experiment holds one of the same tags and figures. Gives the run, and whether it is new."""
    figures = finite(metrics)
    digest = hashlib.sha256(json.dumps([dict(tags), dict(params), figures], sort_keys=True, default=str).encode()).hexdigest()
    with place.lock():
        found = find_experiment(client, place, experiment)
        before = client.search_runs([found], f"tags.content_digest = '{digest}' AND attributes.status = 'FINISHED'", max_results=1)
        if before:
            return str(before[0].info.run_id), False
        with running(client, found, name=name, tags={**tags, "content_digest": digest}) as run_id:
            log_values(client, run_id, params=params, metrics=figures)
            log_files(client, run_id, texts=texts, figures={})
    return run_id, True


def log_values(client: MlflowClient, run_id: str, *, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """Log parameters and metrics in batches that every store takes."""
    from mlflow.entities import Metric, Param

    at = client.get_run(run_id).info.start_time
    for params_batch in _batches([Param(key, str(value)) for key, value in params.items()]):
        client.log_batch(run_id, params=params_batch)
    for metrics_batch in _batches([Metric(key, float(value), at, 0) for key, value in metrics.items()]):
        client.log_batch(run_id, metrics=metrics_batch)


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is no number, and spell names as every store takes them."""
    return {_UNSAFE.sub("_", name): float(value) for name, value in metrics.items() if math.isfinite(value)}


def log_files(
    client: MlflowClient, run_id: str, *, texts: Mapping[str, str], figures: Mapping[str, Figure], folder: str | None = None
) -> None:
    """Log texts by file name, and figures as ``plots/<title>.png``, into a run or a folder of it."""
    with tempfile.TemporaryDirectory(prefix="custvalue-") as scratch:
        for name, text in texts.items():
            # bytes, because a digest over a text must not depend on a platform's line ends
            (Path(scratch) / name).write_bytes(text.encode())
        if figures:
            (Path(scratch) / "plots").mkdir()
        for title, figure in figures.items():
            figure.savefig(Path(scratch) / "plots" / f"{title}.png", dpi=_PLOT_DPI)
        client.log_artifacts(run_id, scratch, artifact_path=folder)


def _batches(items: list[Any]) -> list[list[Any]]:
    left = iter(items)
    return list(iter(lambda: list(islice(left, _BATCH)), []))
