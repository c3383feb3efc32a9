"""What a manifest says, where it lies, and which one counts: the highest generation of a night."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from custvalue.errors import ConfigError, DataError
from custvalue.publish.digests import file_digest

_GENERATION = re.compile(r"^([1-9]\d*)\.json$")
_NIGHT = re.compile(r"^as_of=(\d{4}-\d{2}-\d{2})$")
RUN_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


@dataclass(frozen=True)
class Published:
    """One announced night.

    Attributes
    ----------
    as_of, generation, run_id : date, int, str
        Which night, which edition of it, and which run made it.
    folder : Path
        The night's files; never changed after this.
    already : bool
        The same run had been published before, so that nothing was written now.
    lineage : mapping
        What the run was made from, as given to `publish`.
    files : mapping
        Path inside the folder → ``{"sha256": …, "bytes": …}``.
    """

    as_of: date
    generation: int
    run_id: str
    folder: Path
    already: bool = False
    lineage: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def manifest_folder(output: Path, as_of: date) -> Path:
    """Folder of a night's manifests, one file a generation."""
    return output / "manifests" / f"as_of={as_of.isoformat()}"


def refusal_path(output: Path, as_of: date) -> Path:
    """Note on a night that was refused."""
    return output / "refused" / f"as_of={as_of.isoformat()}.json"


def check_run_id(run_id: str) -> None:
    """Refuse a run id that is no plain name; raises ConfigError."""
    if not RUN_ID.match(run_id):
        raise ConfigError(f"run id {run_id!r}: takes letters, digits, - and _ only, 64 at most.")


def night_of(name: str) -> date | None:
    """Date in a name such as ``as_of=2026-01-01``, or None."""
    match = _NIGHT.match(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def published_dates(output: Path) -> list[date]:
    """Dates that have a manifest, oldest first."""
    folders = (output / "manifests").glob("as_of=*/")
    dates = {as_of for folder in folders if (as_of := night_of(folder.name)) and generations(output, as_of)}
    return sorted(dates)


def generations(output: Path, as_of: date) -> list[int]:
    """Generations of a night, lowest first; empty when it was never published."""
    names = (path.name for path in manifest_folder(output, as_of).glob("*.json"))
    return sorted(int(match[1]) for name in names if (match := _GENERATION.match(name)))


def latest(output: Path, as_of: date) -> Published | None:
    """Read a night's highest generation; None when it was never published."""
    numbers = generations(output, as_of)
    return read_manifest(output, as_of, numbers[-1]) if numbers else None


def read_manifest(output: Path, as_of: date, generation: int) -> Published:
    """Read one manifest and check that its folder and files are in place.

    Raises
    ------
    DataError
        The manifest is damaged, or files that it names are gone. An older generation is never read in its place.
    """
    path = manifest_folder(output, as_of) / f"{generation}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        run_id, files, lineage = str(content["run_id"]), dict(content["files"]), dict(content["lineage"])
        name = str(content.get("folder", run_id))
        if (
            content["as_of"] != as_of.isoformat()
            or content["generation"] != generation
            or not (RUN_ID.match(run_id) and RUN_ID.match(name))
        ):
            raise ValueError("it names another night")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: the manifest is damaged ({error}). Restore it, or publish anew with --force.") from error
    folder = output / "nights" / name
    missing = sorted(name for name in files if not (folder / name).is_file())
    if missing:
        raise DataError(
            f"{folder}: {len(missing)} of the night's {len(files)} files are gone, for example {missing[0]}. "
            "Restore the folder, or publish the night anew with --force."
        )
    return Published(as_of, generation, run_id, folder, lineage=lineage, files=files)


def verify_files(night: Published, names: Iterable[str] | None = None) -> None:
    """Compare a night's files (all, or those named) with their checksums.

    Raises
    ------
    DataError
        Names the files that differ or are gone.
    """
    names = list(night.files if names is None else names)
    damaged = [name for name in names if not _intact(night.folder / name, str(night.files[name]["sha256"]))]
    if damaged:
        raise DataError(
            f"{night.folder}: {len(damaged)} of {len(names)} files differ from the manifest of {night.as_of}, "
            f"for example {damaged[0]}. Restore them, or publish the night anew with --force."
        )


def _intact(path: Path, digest: str) -> bool:
    try:
        return file_digest(path) == digest
    except OSError:
        return False
