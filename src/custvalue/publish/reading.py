"""The reader's way: the highest generation of a night, whole and verified."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

import pandas as pd

from custvalue.errors import DataError
from custvalue.publish.manifests import Published, latest, night_of, published_dates, refusal_path, verify_files

SCORES = "scores.parquet"


@dataclass(frozen=True)
class Night:
    """One line of `custvalue nights`.

    Attributes
    ----------
    as_of : date
        The night.
    status : str
        ``published``, ``refused`` or ``damaged``. A published night keeps that status when a later rerun is refused.
    generation, run_id, folder : int, str, Path, optional
        Of a published night.
    exit_code, message : int, str, optional
        Why the night, or its latest rerun, was refused; or what is damaged.
    """

    as_of: date
    status: str
    generation: int | None = None
    run_id: str | None = None
    folder: Path | None = None
    exit_code: int | None = None
    message: str | None = None


def published(output: Path, as_of: date | None = None) -> Published:
    """Find a night's highest generation, or the newest night's.

    Raises
    ------
    DataError
        Nothing is published for the night, or what is published is damaged (exit 3). An older generation is
        never given in its place.
    """
    dates = published_dates(output)
    night = latest(output, as_of or dates[-1]) if dates else None
    if night is None:
        wanted = f"night {as_of}" if as_of else "no night"
        known = f"; the newest night is {dates[-1]}" if dates else ""
        raise DataError(
            f"{output}: {wanted} {'is not' if as_of else 'is'} published yet{known}. Run `custvalue nightly --as-of {as_of or 'DATE'}`."
        )
    return night


def read_published(output: Path, as_of: date | None = None, *, verify: bool = True) -> pd.DataFrame:
    """Read a whole night's scores.

    Parameters
    ----------
    output : Path
        The output folder.
    as_of : date, optional
        The night; the newest by default.
    verify : bool
        Compare checksums before reading.

    Returns
    -------
    DataFrame
        ``scores.parquet``, one row a customer. ``attrs["lineage"]`` holds as_of, run_id, generation and
        what the run was made from.

    Raises
    ------
    DataError
        Nothing is published, the night has no scores, or a file differs from its checksum.
    """
    night = published(output, as_of)
    try:
        frame = _read_scores(night, verify=verify)
    except (DataError, FileNotFoundError):
        newer = published(output, as_of)
        if newer.generation == night.generation:
            raise
        night, frame = newer, _read_scores(newer, verify=verify)  # `forget` removes what its generation takes the place of
    frame.attrs["lineage"] = {
        **night.lineage,
        "as_of": night.as_of.isoformat(),
        "run_id": night.run_id,
        "generation": night.generation,
    }
    return frame


def _read_scores(night: Published, *, verify: bool) -> pd.DataFrame:
    names = sorted(name for name in night.files if PurePosixPath(name).parts[0] == SCORES)
    if not names:
        raise DataError(f"{night.folder}: the night has no {SCORES}.")
    if verify:
        verify_files(night, names)
    return pd.concat([pd.read_parquet(night.folder / name) for name in names], ignore_index=True)


def nights(output: Path) -> list[Night]:
    """Tell what is published, what is not and why, oldest first."""
    dates = set(published_dates(output))
    refused = {as_of for path in (output / "refused").glob("*.json") if (as_of := night_of(path.stem))}
    return [_night(output, as_of, refused=as_of in refused) for as_of in sorted(dates | refused)]


def _night(output: Path, as_of: date, *, refused: bool) -> Night:
    exit_code, message = _refusal(refusal_path(output, as_of)) if refused else (None, None)
    try:
        night = latest(output, as_of)
    except DataError as error:
        return Night(as_of, "damaged", exit_code=error.exit_code, message=str(error))
    if night is None:
        return Night(as_of, "refused", exit_code=exit_code, message=message)
    return Night(as_of, "published", night.generation, night.run_id, night.folder, exit_code, message)


def _refusal(path: Path) -> tuple[int | None, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return int(content["exit_code"]), str(content["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, f"{path}: the note on the refusal is damaged."
