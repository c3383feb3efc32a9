"""The writer's way: stage, seal, move, announce. Nothing counts before the announcement."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from custvalue.errors import DataError, PublishError
from custvalue.publish.digests import file_digest
from custvalue.publish.durable import create_json, full_disk_can_wait, replace_json, sync
from custvalue.publish.manifests import (
    Published,
    check_run_id,
    generations,
    latest,
    manifest_folder,
    published_dates,
    read_manifest,
    refusal_path,
    verify_files,
)


def stage(output: Path, run_id: str) -> Path:
    """Make a fresh folder ``staging/<run_id>.<attempt>`` to write a night's files into; hold `lock` meanwhile."""
    check_run_id(run_id)
    for attempt in itertools.count(1):
        folder = output / "staging" / f"{run_id}.{attempt}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")


def find_published(
    output: Path, *, as_of: date, run_id: str, force: bool = False, lineage: Mapping[str, Any] | None = None
) -> Published | None:
    """Look, before computing, whether this very run is already the night's newest generation.

    Parameters
    ----------
    output : Path
        The output folder.
    as_of, run_id : date, str
        The night, and the run that wants to publish it.
    force : bool
        Another run, or a damaged one, may stand there; this one will become the next generation.
    lineage : mapping, optional
        What the run is made from; lets the message name what differs.

    Returns
    -------
    Published or None
        With ``already=True`` if it is; None if the run still has to be made.

    Raises
    ------
    PublishError
        Another run is published for the night, and `force` is not given.
    DataError
        What is published is damaged, and `force` is not given.
    """
    try:
        standing = latest(output, as_of)
        if standing is not None and (force or standing.run_id == run_id):
            verify_files(standing)
    except DataError:
        if force:
            return None
        raise
    if standing is not None and standing.run_id == run_id:
        return replace(standing, already=True)
    if standing is None or force:
        return None
    known = standing.lineage
    differing = sorted(key for key, value in (lineage or {}).items() if key in known and known[key] != value)
    raise PublishError(
        f"night {as_of}: run {standing.run_id} is already published (generation {standing.generation}), "
        f"and this run is {run_id}{'; they differ in ' if differing else ''}{', '.join(differing)}. "
        f"Keep what is there, or add generation {standing.generation + 1} with --force."
    )


def publish(output: Path, *, as_of: date, run_id: str, staging: Path, lineage: Mapping[str, Any], force: bool = False) -> Published:
    """Make a staged folder the night's newest generation, in one step that readers see whole or not at all.

    Parameters
    ----------
    output : Path
        The output folder; hold `lock`.
    as_of, run_id : date, str
        The night, and the hash of all that decides its content.
    staging : Path
        A folder from `stage`, with every file in it. It is moved, or removed when the run was already published.
    lineage : mapping
        JSON values to keep in the manifest: model, policies, digests, code version.
    force : bool
        Add a generation although another run is published for the night.

    Raises
    ------
    PublishError
        Another run is published for the night, or was published while this one ran; or nothing was staged.
    TryAgainError
        The disk is full.
    """
    check_run_id(run_id)
    with full_disk_can_wait(output):
        done = find_published(output, as_of=as_of, run_id=run_id, force=force, lineage=lineage)
        if done is not None:
            shutil.rmtree(staging)
        else:
            kept = _announced(output, run_id)
            files = kept.files if kept else seal(staging)
            folder = kept.folder if kept else move(output, run_id, staging)
            done = announce(output, Published(as_of, 0, run_id, folder, lineage=lineage, files=files))
            if kept:
                shutil.rmtree(staging)
        refusal_path(output, as_of).unlink(missing_ok=True)
        return done


def tidy(output: Path, night: Published) -> None:
    """Clear what a run that was killed after its announcement left: its parts, and the note on an earlier refusal; hold `lock`."""
    shutil.rmtree(output / "work" / night.run_id, ignore_errors=True)
    with suppress(OSError):  # another run's parts may lie there
        (output / "work").rmdir()
    refusal_path(output, night.as_of).unlink(missing_ok=True)


def seal(staging: Path) -> dict[str, dict[str, Any]]:
    """Checksum a staged folder's files and flush them to the disk: path → ``{"sha256": …, "bytes": …}``."""
    paths = sorted(staging.rglob("*"))
    links = [path for path in paths if path.is_symlink()]
    if links:
        raise PublishError(f"{links[0]}: a published night holds files, not links ({len(links)} found). Copy the content.")
    files = {}
    for path in paths:
        sync(path)
        if path.is_file():
            files[path.relative_to(staging).as_posix()] = {"sha256": file_digest(path), "bytes": path.stat().st_size}
    if not files:
        raise PublishError(f"{staging}: nothing was staged, so there is nothing to publish.")
    sync(staging)
    return files


def move(output: Path, run_id: str, staging: Path) -> Path:
    """Rename a sealed folder to ``nights/<run_id>``; what an unannounced attempt left there gives way."""
    folder = output / "nights" / run_id
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(stage(output, run_id) / "unannounced")
    staging.rename(folder)
    sync(folder.parent)
    return folder


def announce(output: Path, night: Published) -> Published:
    """Create the night's next manifest, exclusively; from here on readers see it."""
    numbers = generations(output, night.as_of)
    generation = numbers[-1] + 1 if numbers else 1
    content = {
        "as_of": night.as_of.isoformat(),
        "generation": generation,
        "run_id": night.run_id,
        "folder": night.folder.name,
        "lineage": dict(night.lineage),
        "files": dict(night.files),
    }
    path = manifest_folder(output, night.as_of) / f"{generation}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    sync(path.parent.parent)
    try:
        create_json(path, content)
    except FileExistsError:
        raise PublishError(
            f"night {night.as_of}: another run published generation {generation} while this one ran. "
            "Look at `custvalue nights` before you run it again."
        ) from None
    return replace(night, generation=generation)


def record_refusal(output: Path, as_of: date, *, exit_code: int, message: str) -> None:
    """Note that a night was refused, for `nights`; a later `publish` of the night removes the note."""
    with full_disk_can_wait(output):
        content = {"as_of": as_of.isoformat(), "exit_code": exit_code, "message": message}
        replace_json(refusal_path(output, as_of), content)


def _announced(output: Path, run_id: str) -> Published | None:
    """Find an intact older generation made by the same run: its folder is immutable, and is announced again as it is."""
    for as_of in published_dates(output):
        for generation in generations(output, as_of):
            with suppress(DataError):
                night = read_manifest(output, as_of, generation)
                if night.run_id == run_id:
                    verify_files(night)
                    return night
    return None
