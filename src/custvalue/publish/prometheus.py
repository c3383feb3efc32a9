"""Metrics of the nights as a text file that a Prometheus node exporter collects: replaced whole, never half written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue.publish.durable import full_disk_can_wait, replace_text
from custvalue.publish.manifests import Published
from custvalue.publish.reading import Night


@dataclass(frozen=True)
class Metric:
    """One metric family; all are gauges.

    Attributes
    ----------
    name, help : str
        As Prometheus shows them.
    samples : mapping
        Label value → value; the empty one stands for a metric without a label.
    label : str
        Name of the label, where there is one.
    """

    name: str
    help: str
    samples: Mapping[str, float]
    label: str = ""


@dataclass(frozen=True)
class Attempt:
    """What one run of a command knows of itself.

    Attributes
    ----------
    exit_code : int
        Its own.
    seconds : mapping
        Step → seconds.
    rows : mapping
        Table → rows.
    age_days : mapping
        Table → days from what it covers to the night.
    drift_alerts : int, optional
        How many alerts monitoring raised.
    """

    exit_code: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    age_days: Mapping[str, int] = field(default_factory=dict)
    drift_alerts: int | None = None


def night_metrics(nights: Iterable[Night], newest: Published | None, attempt: Attempt, *, written_at: datetime) -> list[Metric]:
    """Give the metrics of an output folder after an attempt.

    Parameters
    ----------
    nights : iterable of Night
        What is published, what is not and why.
    newest : Published, optional
        The newest published night; where its files are damaged, nothing is told of it.
    attempt : Attempt
        What the command that has just ended knows.
    written_at : datetime
        Now; the only clock here.
    """
    refused: dict[str, float] = {}
    for night in nights:
        if night.exit_code is not None:
            refused[str(night.exit_code)] = refused.get(str(night.exit_code), 0) + 1
    found = [
        Metric("custvalue_written_at_seconds", "When this file was written, Unix time.", {"": written_at.timestamp()}),
        Metric("custvalue_last_exit_code", "Exit code of the newest attempt.", {"": attempt.exit_code}),
        Metric("custvalue_refused_nights", "Nights that are refused now, by exit code.", refused, "exit_code"),
        Metric("custvalue_step_seconds", "Seconds of each step of the newest attempt.", attempt.seconds, "step"),
        Metric("custvalue_table_rows", "Rows of each source table.", attempt.rows, "table"),
        Metric("custvalue_table_age_days", "Days from what each source table covers to the night.", attempt.age_days, "table"),
    ]
    if attempt.drift_alerts is not None:
        found.append(Metric("custvalue_drift_alerts", "Alerts that monitoring raised.", {"": attempt.drift_alerts}))
    try:
        return [*found, *(_of_night(newest) if newest else [])]
    except (pa.ArrowInvalid, OSError):  # what the attempt found wrong must not be lost with it
        return found


def _of_night(night: Published) -> list[Metric]:
    listed = _column(night, "lists.parquet", "net_value")
    return [
        Metric("custvalue_last_success_as_of_seconds", "Date of the newest published night, Unix time of its 00:00 UTC.", _at(night.as_of)),
        Metric("custvalue_last_success_generation", "Generation of the newest published night.", {"": night.generation}),
        Metric("custvalue_customers_scored", "Customers scored on the newest published night.", {"": _rows(night, "scores.parquet")}),
        Metric("custvalue_customers_listed", "Customers on its lists.", {"": len(listed)}),
        Metric("custvalue_lists_net_value", "Expected net value of its lists, in the config's currency.", {"": math.fsum(listed)}),
    ]


def write_metrics(path: Path, metrics: Iterable[Metric]) -> None:
    """Write metrics in Prometheus' text format 0.0.4, in one step that a collector sees whole; raises TryAgainError on a full disk."""
    lines = []
    for metric in metrics:
        if metric.samples:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
            lines += [f"{metric.name}{_label(metric, value)} {float(sample)!r}" for value, sample in sorted(metric.samples.items())]
    with full_disk_can_wait(path):
        replace_text(path, "\n".join(lines) + "\n")


def _label(metric: Metric, value: str) -> str:
    if not metric.label:
        return ""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{metric.label}="{escaped}"}}'


def _at(day: date) -> Mapping[str, float]:
    return {"": datetime.combine(day, time(), UTC).timestamp()}


def _files(night: Published, name: str) -> list[Path]:
    return [night.folder / file for file in sorted(night.files) if file.split("/")[0] == name]


def _rows(night: Published, name: str) -> int:
    return sum(pq.read_metadata(path).num_rows for path in _files(night, name))


def _column(night: Published, name: str, column: str) -> list[float]:
    values: list[float] = []
    for path in _files(night, name):
        values += pc.fill_null(pq.read_table(path, columns=[column])[column], 0.0).to_pylist()
    return values
