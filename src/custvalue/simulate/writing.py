"""Puts a whole folder of tables in place, or nothing."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from custvalue.errors import ConfigError, TryAgainError, some

MARKER = "simulation.json"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def refuse_foreign_folder(out: Path) -> None:
    """Make sure that a folder may be replaced.

    Raises
    ------
    ConfigError
        It is a file, or holds anything that an earlier simulation did not write.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f"{out} is a file. Name a folder that is new, empty or an earlier simulation.")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_symlink() or not path.is_dir()}
    if foreign := sorted(found - _written_earlier(out / MARKER)):
        raise ConfigError(
            f"{out} holds {len(foreign):,} file(s) that no simulation wrote: {some(foreign)}. "
            "Name a folder that is new, empty or an earlier simulation."
        )


def write_folder(out: Path, tables: Iterable[tuple[str, pa.Table]], parameters: Mapping[str, object]) -> dict[str, int]:
    """Write ``<name>.parquet`` files and the marker beside the target, then rename the whole folder into place.

    A name that comes again adds rows to the same file, as row groups of their own.

    Parameters
    ----------
    out : Path
        Target; replaced as a whole.
    tables : iterable of (name, table)
        Taken one at a time, so that only one needs memory; a name may hold a folder (``truth/states``) and come again.
    parameters : mapping
        Written to the marker.

    Returns
    -------
    dict
        Name → rows.

    Raises
    ------
    ConfigError, TryAgainError
        The folder cannot be written; the disk is full.
    """
    with _plain_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as beside:
            staging = Path(beside) / "new"
            staging.mkdir()
            rows = _write_tables(staging, tables)
            marker = {**parameters, "files": [MARKER, *(f"{name}.parquet" for name in rows)]}
            (staging / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
            _swap(staging, out, Path(beside) / "old")
    return rows


def _write_tables(folder: Path, tables: Iterable[tuple[str, pa.Table]]) -> dict[str, int]:
    rows: dict[str, int] = {}
    writers: dict[str, pq.ParquetWriter] = {}
    with ExitStack() as open_files:
        for name, table in tables:
            if name not in writers:
                path = folder / f"{name}.parquet"
                path.parent.mkdir(exist_ok=True)
                writers[name] = open_files.enter_context(pq.ParquetWriter(path, table.schema, compression="zstd"))
            writers[name].write_table(table)
            rows[name] = rows.get(name, 0) + table.num_rows
    return rows


def _swap(new: Path, out: Path, old: Path) -> None:
    """Rename the earlier folder away and the new one in; put the earlier one back if that fails."""
    earlier = out.exists()
    if earlier:
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        if earlier:
            old.rename(out)
        raise


def _written_earlier(marker: Path) -> set[str]:
    try:
        files = json.loads(marker.read_text(encoding="utf-8"))["files"]
        return {str(name) for name in files}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextmanager
def _plain_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in _FULL:
            raise TryAgainError(f"{out} cannot be written: {reason}. Make room, then run it again.") from error
        raise ConfigError(f"{out} cannot be written: {reason}. Name another folder.") from error
