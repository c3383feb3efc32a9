"""From challenger to champion: gates, the alias, and the append-only record of who changed what and why."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.churn.slices import quality_by_slice
from custvalue.config import PromotionConfig
from custvalue.errors import ModelError
from custvalue.publish.durable import full_disk_can_wait, sync
from custvalue.tracking import registry
from custvalue.tracking.checks import largest_difference
from custvalue.tracking.database import Place
from custvalue.tracking.gates import RELOAD_TOLERANCE, Gate, Verdict, leakage_gate, quality_gates, slice_gate
from custvalue.tracking.judged import read_judged
from custvalue.tracking.rivals import compare_versions
from custvalue.tracking.versions import CHALLENGER, CHAMPION, CHECK_FILE, EVALUATION_FILE, ModelVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOG_FILE = "promotions.jsonl"


class PromotionRefusedError(ModelError):
    """A version failed its gates (exit 4); `verdict` tells which."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict}\nTrain on more or newer data, or change the limits under `promotion` in the config.")
        self.verdict = verdict


def promote(
    client: MlflowClient,
    place: Place,
    name: str,
    version: str | int | None,
    *,
    gates: PromotionConfig,
    actor: str,
    now: datetime,
) -> Verdict:
    """Judge a version and make it champion; see `Store.promote`."""
    uri = place.tracking_uri
    with place.lock():
        candidate = registry.get(client, uri, name, version if version is not None else CHALLENGER)
        champion = registry.find(client, uri, name, CHAMPION)
        log = place.models / LOG_FILE
        signed = {"at": now.isoformat(), "by": actor, "model": name}
        if champion is not None and champion.version == candidate.version:
            verdict = Verdict(name, candidate.version, champion.version, already=True)
            # A promotion that was cut off between the alias and its line gets its line now.
            if last_promoted(log, name) != candidate.version:
                append_line(log, {**signed, **_told(verdict, candidate), "note": "found as champion without a record"})
            return verdict
        verdict = _judge(client, uri, candidate, champion, gates)
        line = {**signed, **_told(verdict, candidate)}
        if verdict.passed:
            client.set_model_version_tag(name, str(candidate.version), "promoted_by", actor)
            client.set_model_version_tag(name, str(candidate.version), "promoted_at", now.isoformat())
            client.set_registered_model_alias(name, CHAMPION, str(candidate.version))
        append_line(log, line)
    if not verdict.passed:
        raise PromotionRefusedError(verdict)
    return verdict


def _judge(client: MlflowClient, uri: str, candidate: ModelVersion, champion: ModelVersion | None, limits: PromotionConfig) -> Verdict:
    gates, notes = quality_gates(_json(client, uri, candidate, EVALUATION_FILE), limits), []
    gates.append(leakage_gate(client.get_run(candidate.run_id).data.metrics))
    judged = read_judged(client, uri, candidate)
    if judged is None:
        gates.append(Gate("worst slice", None, "≤", limits.max_slice_ratio, "the run keeps no test rows; train again"))
    else:
        slices = quality_by_slice(judged.rows, judged.slices, capacity_share=judged.capacity_share)
        gates.append(slice_gate(slices, limits))
    if champion is None:
        notes.append("there is no champion yet: judged by itself alone")
    else:
        compared, told = compare_versions(client, uri, candidate, champion, judged, limits)
        gates += compared
        notes += told
    gates.append(_reload_gate(client, uri, candidate))
    return Verdict(candidate.name, candidate.version, champion.version if champion else None, tuple(gates), tuple(notes))


def _reload_gate(client: MlflowClient, uri: str, candidate: ModelVersion) -> Gate:
    value, note = None, ""
    try:
        with registry.model_files(client, uri, candidate) as folder:
            bundle = registry.load_bundle(folder, candidate.digest)
            value = largest_difference(folder / CHECK_FILE, bundle)
    except ModelError as error:
        note = str(error)
    return Gate("probabilities after reloading, largest difference", value, "≤", RELOAD_TOLERANCE, note)


def _json(client: MlflowClient, uri: str, version: ModelVersion, file: str) -> dict[str, Any]:
    try:
        return dict(json.loads(registry.read_text(client, uri, version, file)))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{file} of version {version.version} of {version.name!r} is damaged. Train again.") from error


def _told(verdict: Verdict, candidate: ModelVersion) -> dict[str, Any]:
    return {
        "from": verdict.champion if not verdict.already else None,
        "to": candidate.version,
        "promoted": verdict.passed,
        "run_id": candidate.run_id,
        "digest": candidate.digest,
        "gates": [gate.to_dict() for gate in verdict.gates],
        "notes": list(verdict.notes),
    }


def read_log(path: Path) -> list[dict[str, Any]]:
    """Lines of the promotion log, oldest first; a line that a crash cut off is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entries.append(dict(json.loads(line)))
        except ValueError:
            continue
    return entries


def last_promoted(path: Path, name: str) -> int | None:
    """Version that the log last saw become champion."""
    versions = [entry.get("to") for entry in read_log(path) if entry.get("model") == name and entry.get("promoted")]
    return versions[-1] if versions else None


def append_line(path: Path, entry: Mapping[str, Any]) -> None:
    """Add one line to the promotion log and flush it to the disk; earlier bytes are never touched."""
    text = json.dumps(entry, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with full_disk_can_wait(path), path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else f"\n{text}"
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
