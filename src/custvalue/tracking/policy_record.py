"""The append-only record beside the store: which policy was current or proposed since when, and which ratings are logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.tracking.calm import shown
from custvalue.tracking.database import Place, locate
from custvalue.tracking.policies import CURRENT, PROPOSED, PolicyVersion, find, registered_name
from custvalue.tracking.promotion import append_line, read_log

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOG_FILE = "policies.jsonl"
RATED = "rated"


def rating_is_logged(models: Path, tracking_uri: str | None, name: str, day: date, digest: str) -> bool:
    """Tell whether a rating was logged before, from the record alone: MLflow, which takes seconds to load, stays unloaded.

    Parameters
    ----------
    models, tracking_uri, name
        As `Store.open` takes them.
    day : date
        Of the rating.
    digest : str
        Of its content.
    """
    place = locate(models, tracking_uri, patience=0)
    if place.database is not None and not place.database.exists():
        return False
    key = _rating_key(place, registered_name(name), day, digest)
    return any(key.items() <= entry.items() for entry in read_log(place.models / LOG_FILE))


def note_rating(place: Place, name: str, day: date, digest: str, *, signed: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """Record that a rating is logged in this store."""
    append_line(place.models / LOG_FILE, {**signed, **_rating_key(place, name, day, digest), **facts})


def move_alias(
    client: MlflowClient, place: Place, alias: str, version: PolicyVersion, *, signed: Mapping[str, str], facts: Mapping[str, Any]
) -> bool:
    """Point an alias at a version and record from what to what; whether it moved. Call it under the store's lock."""
    log = place.models / LOG_FILE
    before = find(client, place.tracking_uri, version.name, alias)
    line = {**signed, "policies": version.name, "event": alias, "to": version.version, "to_policy": version.label, **facts}
    if before is not None and before.version == version.version:
        recorded = last_move(log, version.name, alias)
        # A move that was cut off between the alias and its line gets its line now.
        if recorded is None or recorded["to"] != version.version:
            append_line(log, line | {"from": recorded["to"] if recorded else None, "note": f"found as {alias} without a record"})
        return False
    client.set_registered_model_alias(version.name, alias, str(version.version))
    append_line(log, line | ({"from": before.version, "from_policy": before.label} if before else {"from": None}))
    return True


def last_move(log: Path, name: str, alias: str) -> dict[str, Any] | None:
    """Newest line that moved an alias."""
    moves = [entry for entry in moves_of(log, name) if entry["event"] == alias]
    return moves[-1] if moves else None


def moves_of(log: Path, name: str) -> list[dict[str, Any]]:
    """Lines that moved an alias of a registered model, oldest first."""
    return [entry for entry in read_log(log) if entry.get("policies") == name and entry.get("event") in (CURRENT, PROPOSED)]


def _rating_key(place: Place, name: str, day: date, digest: str) -> dict[str, Any]:
    # The default store is told without its path, which changes when the workspace moves.
    inside = place.database is not None and place.database.parent == place.models
    store = place.database.name if inside and place.database else shown(place.tracking_uri)
    return {"policies": name, "event": RATED, "rating": day.isoformat(), "digest": digest, "store": store}
